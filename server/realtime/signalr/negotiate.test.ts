import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { negotiated, readNegotiation } from './negotiate.ts';

describe('the version', () => {
  test.each([
    ['nothing is said', {}, 0],
    ['0 is asked for', { negotiateVersion: '0' }, 0],
    ['1 is asked for', { negotiateVersion: '1' }, 1],
    ['one to come is asked for', { negotiateVersion: '7' }, 1],
    ['the name is in another letter case', { NegotiateVersion: '1' }, 1],
  ])('is right where %s', (_, query, version) => {
    expect(readNegotiation(query, true)).toEqual({ version, useStatefulReconnect: false });
  });

  test.each([['x'], ['-1'], ['1.5'], [''], [['1', '1']], ['99999999999']])(
    '%j is none',
    (negotiateVersion) => {
      expect(readNegotiation({ negotiateVersion }, true)).toBeNull();
    },
  );

  test('of any query is read or refused', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), (query) => void readNegotiation(query, true)),
    );
  });
});

describe('stateful reconnect', () => {
  test.each([
    ['is given to who asks for it', { useStatefulReconnect: 'true' }, true, true],
    ['is given whatever the letter case', { UseStatefulReconnect: 'True' }, true, true],
    ['is given to nobody else', { useStatefulReconnect: 'false' }, true, false],
    ['is not given without WebSockets', { useStatefulReconnect: 'true' }, false, false],
  ])('%s', (_, query, isPossible, useStatefulReconnect) => {
    expect(readNegotiation(query, isPossible)).toMatchObject({ useStatefulReconnect });
  });
});

describe('the answer', () => {
  const names = { id: 'public', token: 'secret' };
  const others = [
    { transport: 'ServerSentEvents', transferFormats: ['Text'] },
    { transport: 'LongPolling', transferFormats: ['Text', 'Binary'] },
  ];
  const all = [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }, ...others];

  test('of version 1 tells id and token apart', () => {
    expect(negotiated({ version: 1, useStatefulReconnect: true }, names, true)).toEqual({
      negotiateVersion: 1,
      connectionId: 'public',
      connectionToken: 'secret',
      useStatefulReconnect: true,
      availableTransports: all,
    });
  });

  test('of version 0 has the token for its id, and no other', () => {
    expect(negotiated({ version: 0, useStatefulReconnect: false }, names, false)).toEqual({
      negotiateVersion: 0,
      connectionId: 'secret',
      availableTransports: others,
    });
  });
});
