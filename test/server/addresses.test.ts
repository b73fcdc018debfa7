import { describe, expect, test } from 'vitest';
import { addressOfBytes, clientOf, householdOf, Networks, plainAddress } from '../../src/server/addresses.js';

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:cb00:7107', '203.0.113.7'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['unknown', ''],
  ['203.0.113.7:80', ''],
  ['1.2.3.4.5', ''],
  ['', ''],
])('the usual form of %s is %s', (text, plain) => {
  expect(plainAddress(text)).toBe(plain);
});

test('bytes have the form that texts have', () => {
  expect(addressOfBytes(new Uint8Array([203, 0, 113, 7]))).toBe('203.0.113.7');
  const mapped = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 203, 0, 113, 7]);
  expect(addressOfBytes(mapped)).toBe('203.0.113.7');
  expect(addressOfBytes(new Uint8Array([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]))).toBe('2001:db8::1');
  expect(addressOfBytes(new Uint8Array(0))).toBe('');
});

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8:1:2:3::', '2001:db8:1:2::/64'],
])('%s shares its limits with %s', (address, household) => {
  expect(householdOf(address)).toBe(household);
});

describe('behind the proxies 10.0.0.0/8 and 2001:db8:f::/48', () => {
  const proxies = new Networks([
    { address: '10.0.0.0', prefix: 8 },
    { address: '2001:db8:f::', prefix: 48 },
  ]);

  test.each([
    ['a client that came directly', '203.0.113.7', undefined, '203.0.113.7', false],
    ['a client that says it is another', '203.0.113.7', '198.51.100.1', '203.0.113.7', false],
    ['a client behind one proxy', '10.1.2.3', '198.51.100.1', '198.51.100.1', false],
    ['a client behind two', '10.1.2.3', '198.51.100.1, 10.9.9.9', '198.51.100.1', false],
    [
      'a client behind a proxy that told it another address',
      '10.1.2.3',
      '8.8.8.8, 198.51.100.1',
      '198.51.100.1',
      false,
    ],
    ['a client that says it is a proxy', '10.1.2.3', '10.4.4.4, 198.51.100.1', '198.51.100.1', false],
    ['a client whose port is told, too', '10.1.2.3', '198.51.100.1:4711', '198.51.100.1', false],
    ['a client of IPv6', '2001:db8:f::1', '[2001:db8::7]:4711', '2001:db8::7', false],
    ['a client in the dress of IPv6', '10.1.2.3', '::ffff:198.51.100.1', '198.51.100.1', false],
    ['a proxy that asks for itself', '10.1.2.3', undefined, '10.1.2.3', true],
    ['a proxy that does not know', '10.1.2.3', 'unknown', '10.1.2.3', true],
    ['a proxy that says nothing', '10.1.2.3', '', '10.1.2.3', true],
    ['a proxy behind a proxy', '10.1.2.3', '10.4.4.4', '10.4.4.4', true],
  ])('%s is told apart', (_who, peer, forwarded, address, isProxy) => {
    expect(clientOf(peer, forwarded, proxies)).toEqual({ address, isProxy });
  });
});
