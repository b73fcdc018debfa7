import { Failure, say } from './ending.js';

/** More than any server takes in a frame. */
const BYTES_MAX = 1_048_576;

/** All of a stream as text, without the end of its last line. Fails where it is not UTF-8, or more than a message holds. */
export async function textIn(stream: NodeJS.ReadStream): Promise<string> {
  if (stream.isTTY) say('type the message; Ctrl-D on an empty line ends it');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > BYTES_MAX) throw new Failure(`standard input holds more than ${BYTES_MAX} bytes`, 'too_large');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)).replace(/\r?\n$/, '');
  } catch (error) {
    throw new Failure(`standard input is not UTF-8 text (${error instanceof Error ? error.message : error})`);
  }
}
