import { expect, test } from 'vitest';
import type { OverviewLinkView } from '../../server/http/contract.ts';
import { iso } from './testing.ts';
import { linkTrouble, plcAddress } from './plc-links.ts';

test.each([
  ['Data Source=10.0.0.5:102,0,2', '10.0.0.5'],
  ['data source = plc.local:1102,0,1', 'plc.local:1102'],
  ['10.0.0.5', '10.0.0.5'],
])('%s is known as %s', (connection, address) => {
  expect(plcAddress(connection)).toBe(address);
});

function link(over: Partial<OverviewLinkView>): OverviewLinkView {
  return {
    id: 'link',
    appId: 'app',
    connection: 'Data Source=10.0.0.5:102,0,2',
    area: 'DB250',
    address: 'W188',
    state: 'online',
    since: iso(1_000),
    plc: null,
    value: 9,
    valueAt: iso(1_000),
    user: null,
    roundTripMs: 1,
    errorsLastHour: 0,
    pending: false,
    lastError: null,
    ...over,
  };
}

test('has a message for a known fault', () => {
  const lastError = { code: 'plc-unreachable', message: 'ECONNREFUSED', at: iso(500) };
  expect(linkTrouble(link({ state: 'backing-off', lastError }))?.key).toBe('plc.plc-unreachable');
});

test("leaves a fault it does not know in the host's words", () => {
  const lastError = { code: 'internal', message: 'Something else.', at: iso(500) };
  expect(linkTrouble(link({ state: 'backing-off', lastError }))).toEqual({
    key: null,
    message: 'Something else.',
    at: iso(500),
  });
});

test('does not tell of a fault from before the link came online', () => {
  const lastError = { code: 'plc-unreachable', message: '', at: iso(500) };
  expect(linkTrouble(link({ lastError }))).toBeNull();
});

test('tells of a fault of the link that is online', () => {
  const lastError = { code: 'plc-write-unverified', message: '', at: iso(1_500) };
  expect(linkTrouble(link({ lastError }))?.key).toBe('plc.plc-write-unverified');
});
