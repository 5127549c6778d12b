/** Links as the host tells of them, for the tests of this page. */
import type { LinkStatus } from '../../clients/js/src/messages.ts';
import type { LinkTestView, LinkView } from '../../server/http/contract.ts';
import { APP_ID, iso } from '../shared/testing.ts';

export function createLink(over: Partial<LinkView> = {}): LinkView {
  return {
    id: 'link-1',
    appId: APP_ID,
    connection: 'Data Source=10.0.0.5:102,0,2',
    area: 'DB250',
    address: 'W188',
    defaultValue: 0,
    onConnect: 'host',
    allowAdmin: false,
    lifeBit: null,
    userName: null,
    signInTime: null,
    request: null,
    acknowledge: null,
    ...over,
  };
}

export function createStatus(over: Partial<LinkStatus> = {}): LinkStatus {
  return {
    id: 'link-1',
    appId: APP_ID,
    connection: 'Data Source=10.0.0.5:102,0,2',
    area: 'DB250',
    address: 'W188',
    state: 'online',
    since: iso(0),
    plc: { type: 'CPU 315-2 PN/DP', name: 'Press 4' },
    value: 9,
    valueAt: iso(0),
    user: 'Sam Supervisor',
    roundTripMs: 1.2,
    roundTripsMs: [null, 1, 2],
    errorsLastHour: 0,
    pending: false,
    lastError: null,
    ...over,
  };
}

/** A test that found all that it looked for. */
export function createTest(over: Partial<LinkTestView> = {}): LinkTestView {
  return {
    steps: [
      { step: 'reach', outcome: 'ok', tookMs: 1 },
      { step: 'connect', outcome: 'ok', tookMs: 2 },
      { step: 'negotiate', outcome: 'ok', tookMs: 1 },
      { step: 'read', outcome: 'ok', tookMs: 1 },
    ],
    plc: { type: 'CPU 315-2 PN/DP', name: 'Press 4' },
    pduBytes: 480,
    found: [{ field: 'address', address: 'W188', value: 9, problem: null }],
    user: 'Sam Supervisor',
    advice: 'none',
    message: null,
    ...over,
  };
}
