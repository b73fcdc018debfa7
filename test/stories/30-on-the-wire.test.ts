/** The stories in docs/protocol.md, played to a node: what stands there comes, frame by frame. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Connection } from '../support/client.js';
import type { Frame } from '../support/frame.js';
import { townFor } from '../support/town.js';
import { until } from '../support/until.js';

const doc = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
const stories = [...doc.matchAll(/### (11\.\d+ [^\n]+)\n[^`]*(?:`[^`\n]+`[^`]*)*```frames\n([\s\S]*?)```/g)];

/** Seqs, times and names that differ from run to run, and what they are in this one. */
const VARIABLE = /(?<="(?:delivered|read)":)\d+|\b\d{13,16}\b|(?<="(?:node|conn|cursor)":")[^"]+/g;

class Play {
  private readonly now = new Map<string, string>();
  private readonly lines = new Map<string, Connection>();
  private readonly seen = new Map<string, number>();

  constructor(private readonly url: string) {}

  /** One line of a story; `next` is the one after it. Returns whether that was used, too. */
  async line(text: string, next: string | undefined): Promise<boolean> {
    const [, who = '', what = '', rest = ''] = /^(\w) ?(connects|leaves|is closed|[<>]) ?(.*)$/.exec(text) ?? [];
    if (who === '') return this.request(text, next ?? '');
    if (what === 'connects') this.lines.set(who, await Connection.open(`${this.url.replace('http', 'ws')}${rest}`));
    else if (what === '>') this.of(who).send(this.translated(rest));
    else if (what === '<') await this.hears(who, rest);
    else if (what === 'leaves') await this.of(who).close();
    else expect((await this.of(who).closed).code).toBe(Number(rest));
    if (what === 'connects' || what === 'leaves') this.seen.set(who, 0);
    return false;
  }

  end(): void {
    for (const line of this.lines.values()) line.socket.terminate();
  }

  private async request(text: string, answer: string): Promise<boolean> {
    const [, method = '', path = '', body] = /^(GET|POST) (\S+)(?: (.*))?$/.exec(text) ?? [];
    const response = await fetch(this.url + this.translated(path), { method, body: body && this.translated(body) });
    this.compare(`${response.status} ${await response.text()}`, answer);
    return true;
  }

  private async hears(who: string, expected: string): Promise<void> {
    const line = this.of(who);
    const frame: Frame = JSON.parse(expected);
    if (frame.type === 'receipt') {
      await until(() => line.texts.some((text) => shape(text) === shape(expected)), expected);
      return;
    }
    const at = this.seen.get(who) ?? 0;
    const others = () => line.texts.filter((text) => !text.startsWith('{"type":"receipt"'));
    await until(() => others().length > at, expected);
    this.seen.set(who, at + 1);
    this.compare(others()[at] ?? '', expected);
  }

  private compare(actual: string, expected: string): void {
    expect(shape(actual)).toBe(shape(expected));
    const found = actual.match(VARIABLE) ?? [];
    for (const [i, name] of (expected.match(VARIABLE) ?? []).entries()) this.now.set(name, found[i] ?? name);
  }

  private translated(text: string): string {
    let translated = text;
    for (const [name, now] of this.now) translated = translated.replaceAll(name, now);
    return translated;
  }

  private of(who: string): Connection {
    const line = this.lines.get(who);
    if (line === undefined) throw new Error(`${who} has not connected`);
    return line;
  }
}

/** A frame without what differs from run to run, and with the node's own limits. */
function shape(text: string): string {
  return text.replace(VARIABLE, '…').replace(/"rate":\d+/, '"rate":…');
}

describe('a story of the protocol', () => {
  const town = townFor({ nodes: 1, redis: false });

  test('there are some', () => {
    expect(stories.length).toBeGreaterThan(5);
  });

  test.each(stories.map(([, title = '', lines = '']) => [title, lines.trim().split('\n')] as const))(
    '%s',
    async (_title, lines) => {
      const play = new Play(town.node(1).url);
      try {
        for (let i = 0; i < lines.length; i++) if (await play.line(lines[i] ?? '', lines[i + 1])) i++;
      } finally {
        play.end();
      }
    },
  );
});
