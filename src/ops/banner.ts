import type { Config } from './settings.js';

/** What a person who started a node by hand wants to know. */
export function banner(config: Pick<Config, 'host' | 'auth' | 'redisUrl' | 'tlsCert'>, port: number): string {
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const secure = config.tlsCert === undefined ? '' : 's';
  const isOpen = config.auth === 'open';
  const asUser = (name: string) => (isOpen ? `?uid=${name}` : `?token=<${name}'s token>`);
  const lines = [
    '',
    `  Skein is listening.   The page:  http${secure}://${host}:${port}/`,
    '',
    '  From two terminals:',
    `    npx wscat -c "ws${secure}://${host}:${port}/ws${asUser('A')}"`,
    `    npx wscat -c "ws${secure}://${host}:${port}/ws${asUser('B')}"`,
    '    and in the first:   {"receiver":"B","data":"hi"}',
    '',
  ];
  if (isOpen) lines.push('  Open mode: everybody may be anybody. Set SKEIN_AUTH=jwt before others can reach this.');
  if (config.redisUrl === undefined) {
    lines.push('  Embedded: this is one node, and it keeps nothing when it stops. Set REDIS_URL for many that do.');
  }
  return `${[...lines, ''].join('\n')}\n`;
}
