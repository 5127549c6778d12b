import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKeyswitchError } from '../errors.ts';
import { formatConnectionString, formatHostAndPort, parseConnectionString } from './connection-string.ts';

const endpoints = fc.record({
  host: fc.oneof(
    fc.ipV4(),
    fc.ipV6().map((address) => address.toLowerCase()),
    fc.domain().map((name) => name.toLowerCase()),
    fc.constantFrom('localhost', 'plc_1', 'et200-line-3'),
  ),
  port: fc.integer({ min: 1, max: 65535 }),
  rack: fc.integer({ min: 0, max: 7 }),
  slot: fc.integer({ min: 0, max: 31 }),
});

function faultOf(text: string): string {
  try {
    parseConnectionString(text);
  } catch (error) {
    if (isKeyswitchError(error, 'invalid-input') && error.faults[0]?.field === 'connection')
      return error.message;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

describe('parseConnectionString', () => {
  it('reads the form that iAuth documents', () => {
    const endpoint = { host: '127.0.0.1', port: 102, rack: 0, slot: 2 };
    expect(parseConnectionString('Data Source=127.0.0.1:102,0,2')).toEqual(endpoint);
  });

  it.each([
    ['the port is missing', 'Data Source=10.0.0.5,0,1', '10.0.0.5', 102],
    ['the key is in another letter case', 'DATA source=10.0.0.5:2000,0,1', '10.0.0.5', 2000],
    ['blanks stand around every part', '  Data Source = 10.0.0.5:2000 , 0 , 1 ', '10.0.0.5', 2000],
    ['a semicolon closes it', 'Data Source=10.0.0.5:2000,0,1;', '10.0.0.5', 2000],
    ['the value is quoted', `Data Source="10.0.0.5:2000,0,1"`, '10.0.0.5', 2000],
    ['an IPv6 address stands in brackets', 'Data Source=[FE80::1]:2000,0,1', 'fe80::1', 2000],
    ['an IPv6 address has no port', 'Data Source=[::1],0,1', '::1', 102],
    ['the PLC has a name', 'Data Source=PLC-1.plant.example:2000,0,1', 'plc-1.plant.example', 2000],
  ])('accepts it when %s', (_when, text, host, port) => {
    expect(parseConnectionString(text)).toEqual({ host, port, rack: 0, slot: 1 });
  });

  it.each([
    ['the key', 'Server=10.0.0.5:102,0,2', /Server/],
    ['a further key', 'Data Source=10.0.0.5:102,0,2;Timeout=5', /more than one key/],
    ['the address', 'Data Source=,0,2', /address is missing/],
    ['a bad IPv4 address', 'Data Source=300.0.0.5:102,0,2', /300\.0\.0\.5/],
    ['a short IPv4 address', 'Data Source=10.5:102,0,2', /10\.5/],
    ['an IPv6 address without brackets', 'Data Source=::1:102,0,2', /brackets/],
    ['a bad IPv6 address', 'Data Source=[::zz]:102,0,2', /IPv6/],
    ['a bad host name', 'Data Source=plc one:102,0,2', /host name/],
    ['the port', 'Data Source=10.0.0.5:70000,0,2', /port .*1 to 65535/],
    ['port 0', 'Data Source=10.0.0.5:0,0,2', /port .*1 to 65535/],
    ['a missing rack', 'Data Source=10.0.0.5:102', /rack is missing .*0 to 7/],
    ['the rack', 'Data Source=10.0.0.5:102,8,2', /rack .*0 to 7/],
    ['a missing slot', 'Data Source=10.0.0.5:102,0', /slot is missing .*0 to 31/],
    ['the slot', 'Data Source=10.0.0.5:102,0,32', /slot .*0 to 31/],
    ['a signed number', 'Data Source=10.0.0.5:102,-1,2', /rack/],
    ['a fourth part', 'Data Source=10.0.0.5:102,0,2,1', /three parts/],
    ['an empty text', '', /Data Source=/],
    ['an endless text', `Data Source=${'a'.repeat(10_000)}`, /400 characters/],
  ])('names %s and gives an example when it is wrong', (_what, text, pattern) => {
    expect(faultOf(text)).toMatch(pattern);
    expect(faultOf(text)).toContain('Example: Data Source=127.0.0.1:102,0,2');
  });

  it('reads back what formatConnectionString writes', () => {
    fc.assert(
      fc.property(endpoints, (endpoint) => {
        expect(parseConnectionString(formatConnectionString(endpoint))).toEqual(endpoint);
      }),
    );
  });

  it('throws nothing but invalid-input, whatever the text', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((text) => `Data Source=${text}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseConnectionString(text);
        } catch (error) {
          expect(isKeyswitchError(error, 'invalid-input')).toBe(true);
        }
      }),
    );
  });
});

describe('formatHostAndPort', () => {
  it('puts IPv6 addresses in brackets', () => {
    expect(formatHostAndPort({ host: '::1', port: 102 })).toBe('[::1]:102');
    expect(formatHostAndPort({ host: '127.0.0.1', port: 102 })).toBe('127.0.0.1:102');
  });
});
