import { describe, expect, test } from 'vitest';
import { chooseTransport } from '../../src/server/choose.js';
import { OPTIONS } from './support.js';

const nothing = () => undefined;
const handlers = {
  upgrade: () => ({ accept: '' }),
  open: nothing,
  message: nothing,
  ping: nothing,
  pong: nothing,
  drain: nothing,
  close: nothing,
  http: () => ({ status: 200, headers: {}, body: '' }),
};
const unloadable = () => Promise.reject(new Error("This version supports only…\n\nError: GLIBC_2.38' not found"));

describe('choosing a socket adapter', () => {
  test('auto takes uWebSockets.js where it loads', async () => {
    const { transport, fallback } = await chooseTransport('auto', OPTIONS, handlers, nothing);
    await transport.close();
    expect([transport.name, fallback]).toEqual(['uws', undefined]);
  });

  test('auto takes ws where it does not, and says why and what to do', async () => {
    const { transport, fallback } = await chooseTransport('auto', OPTIONS, handlers, nothing, unloadable);
    await transport.close();
    expect(transport.name).toBe('ws');
    expect(fallback).toContain("GLIBC_2.38' not found");
    expect(fallback).toContain('Debian 13');
  });

  test('a choice of uws that cannot be had is an error', async () => {
    await expect(chooseTransport('uws', OPTIONS, handlers, nothing, unloadable)).rejects.toThrow(/GLIBC_2.38/);
  });

  test('a choice of ws never loads the other', async () => {
    const { transport, fallback } = await chooseTransport('ws', OPTIONS, handlers, nothing, unloadable);
    await transport.close();
    expect([transport.name, fallback]).toEqual(['ws', undefined]);
  });
});
