/** Checked by tsc: a line that says what the types do not say fails to compile. */
import { expectTypeOf, test } from 'vitest';
import type { Client, ClientOptions, ConvName, Draft, MessageFrame, Outgoing, Status } from '../../src/client/index.js';

type Argument<Method extends keyof Client, Index extends number> = Client[Method] extends (...args: infer A) => unknown
  ? A[Index]
  : never;

test('a message has exactly one addressee', () => {
  expectTypeOf<{ receiver: 'B'; data: 1 }>().toExtend<Draft>();
  expectTypeOf<{ room: 'r'; data: 1 }>().toExtend<Draft>();
  expectTypeOf<{ broadcast: true; data: 1 }>().toExtend<Draft>();
  expectTypeOf<{ data: 1 }>().not.toExtend<Draft>();
  expectTypeOf<{ receiver: 'B'; room: 'r'; data: 1 }>().not.toExtend<Draft>();
  expectTypeOf<{ receiver: 'B'; broadcast: true; data: 1 }>().not.toExtend<Draft>();
  expectTypeOf<{ broadcast: false; data: 1 }>().not.toExtend<Draft>();
  expectTypeOf<{ receiver: 7; data: 1 }>().not.toExtend<Draft>();
  expectTypeOf<{ broadcast: true }>().not.toExtend<Argument<'typing', 0>>();
});

test('data is JSON, null included', () => {
  expectTypeOf<{ receiver: 'B'; data: null }>().toExtend<Draft>();
  expectTypeOf<{ receiver: 'B'; data: { text: string; reply: number[] } }>().toExtend<Draft>();
  expectTypeOf<{ receiver: 'B' }>().not.toExtend<Draft>();
  expectTypeOf<{ receiver: 'B'; data: undefined }>().not.toExtend<Draft>();
  expectTypeOf<{ receiver: 'B'; data: { at: Date } }>().not.toExtend<Draft>();
  expectTypeOf<{ receiver: 'B'; data: () => 1 }>().not.toExtend<Draft>();
  expectTypeOf<bigint>().not.toExtend<Argument<'edit', 2>>();
});

test('a conversation has a form, a page one direction, a position is a number', () => {
  expectTypeOf<'dm:A:B' | 'room:tea' | 'all' | MessageFrame['conv']>().toExtend<ConvName>();
  expectTypeOf<'B' | 'group:tea' | string>().not.toExtend<ConvName>();
  expectTypeOf<{ before: 1; limit: 5 } | { after: 1 }>().toExtend<Argument<'history', 1>>();
  expectTypeOf<{ before: 1; after: 1 }>().not.toExtend<Argument<'history', 1>>();
  expectTypeOf<string>().not.toExtend<Argument<'read', 1>>();
});

test('one says who one is in exactly one way', () => {
  type Who<T> = T & { url: string };
  expectTypeOf<Who<{ uid: 'A' }> | Who<{ token: 't' }>>().toExtend<ClientOptions>();
  expectTypeOf<Who<{ getToken: () => Promise<string> }>>().toExtend<ClientOptions>();
  expectTypeOf<Who<object>>().not.toExtend<ClientOptions>();
  expectTypeOf<Who<{ uid: 'A'; token: 't' }>>().not.toExtend<ClientOptions>();
  expectTypeOf<Who<{ uid: 'A'; transports: ['pigeon'] }>>().not.toExtend<ClientOptions>();
});

test('answers and events have their types', () => {
  expectTypeOf<Argument<'send', 0>>().toEqualTypeOf<Draft>();
  expectTypeOf<ReturnType<Client['send']>>().toEqualTypeOf<Outgoing>();
  expectTypeOf<Awaited<Outgoing>>().toEqualTypeOf<Pick<MessageFrame, 'conv' | 'seq' | 'ts'>>();
  expectTypeOf<Status['state']>().toEqualTypeOf<0 | 1 | 2 | 3>();
  expectTypeOf<'mesage'>().not.toExtend<Argument<'on', 0>>();
  const listen = (client: Client) =>
    client.on('message', (message) => expectTypeOf(message).toEqualTypeOf<MessageFrame>());
  expectTypeOf(listen).returns.toEqualTypeOf<() => void>();
});
