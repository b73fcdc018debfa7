/** The text format of Server-Sent Events, as far as Skein's server writes it. */

export type StreamEvent = { readonly id: string | undefined; readonly data: string };

/** Takes text in pieces cut anywhere; calls back for each complete event that has data. */
export function eventReader(each: (event: StreamEvent) => void): (text: string) => void {
  let rest = '';
  let id: string | undefined;
  let data: string[] = [];

  function line(text: string): void {
    if (text === '') {
      if (data.length > 0) each({ id, data: data.join('\n') });
      data = [];
      id = undefined;
      return;
    }
    const colon = text.indexOf(':');
    const name = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(colon + (text[colon + 1] === ' ' ? 2 : 1));
    if (name === 'data') data.push(value);
    else if (name === 'id') id = value;
  }

  return (text) => {
    rest += text;
    // A lone carriage return at the end may be half of a line break that was cut.
    const usable = rest.endsWith('\r') ? rest.length - 1 : rest.length;
    const lines = rest.slice(0, usable).split(/\r\n|\n|\r/);
    rest = lines.pop()! + rest.slice(usable);
    for (const one of lines) line(one);
  };
}
