import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSyslog, readFrames } from '../../../test/syslog-receiver.ts';
import type { ForwardEntry } from './forward-store.ts';
import { checkpointMessage, entryMessage, frame } from './syslog-message.ts';

const ENTRY: ForwardEntry = {
  seq: 7,
  at: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  action: 'sign-in-refused',
  actor: 'anonymous',
  subject: 'olivia',
  app: 'HMI',
  door: 'api',
  address: '192.0.2.1',
  reason: 'wrong-password',
  detail: '{}',
  hash: 'ab'.repeat(32),
};

test('an entry is a message in the very octets of the standard', () => {
  expect(frame(entryMessage(ENTRY, 'station-1')).toString()).toBe(
    `363 <84>1 2026-01-02T03:04:05.006Z station-1 keyswitch - sign-in-refused [audit@32473 seq="7" outcome="refused" ` +
      `actor="anonymous" subject="olivia" app="HMI" door="api" address="192.0.2.1" reason="wrong-password" detail="{}" ` +
      `hash="${'ab'.repeat(32)}"] sign-in-refused by anonymous of olivia at HMI via api (wrong-password)`,
  );
});

describe('the severity', () => {
  test.each([
    ['sign-in-refused', 4],
    ['sign-in', 5],
  ])('of %s is %d, the facility authpriv', (action, severity) => {
    expect(parseSyslog(entryMessage({ ...ENTRY, action }, 'h'))).toMatchObject({ facility: 10, severity });
  });
});

test('what is not known is left out', () => {
  const nothing = { subject: null, app: null, address: null, reason: null };
  const { parameters, text } = parseSyslog(entryMessage({ ...ENTRY, ...nothing }, 'h'));
  expect(Object.keys(parameters)).toEqual(['seq', 'outcome', 'actor', 'door', 'detail', 'hash']);
  expect(text).toBe('sign-in-refused by anonymous via api');
});

test('a checkpoint carries its signature', () => {
  const checkpoint = { seq: 9, at: 0, keyId: 'k1', hash: 'cd', signature: 'a+/=' };
  const { msgId, sdId, parameters } = parseSyslog(checkpointMessage(checkpoint, 'h'));
  expect([msgId, sdId]).toEqual(['checkpoint', 'checkpoint@32473']);
  expect(parameters).toEqual({ seq: '9', hash: 'cd', keyId: 'k1', signature: 'a+/=' });
});

/** What a control character looks like to the receiver. */
const seen = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', ']', '[', '=', ' ', '\n', '\u0000', 'ü', '🔑', 'x'),
    maxLength: 40,
  }),
);

test('whatever an entry says, a strict receiver reads the very same', () => {
  fc.assert(
    fc.property(nasty, nasty, nasty, fc.string({ unit: 'binary' }), (actor, reason, app, host) => {
      const entry = { ...ENTRY, actor, reason, app, detail: JSON.stringify({ actor }) };
      const { parameters } = parseSyslog(entryMessage(entry, host));
      expect(parameters).toMatchObject({
        actor: seen(actor),
        reason: seen(reason),
        app: seen(app),
        detail: seen(entry.detail),
      });
    }),
  );
});

test('frames are found in a stream that is cut anywhere', () => {
  fc.assert(
    fc.property(
      fc.array(nasty, { maxLength: 5 }),
      fc.array(fc.nat(400), { maxLength: 9 }),
      (actors, cuts) => {
        const messages = actors.map((actor) => entryMessage({ ...ENTRY, actor }, 'h'));
        const stream = Buffer.concat(messages.map(frame));
        const found: Buffer[] = [];
        let pending: Buffer = Buffer.alloc(0);
        let at = 0;
        for (const size of [...cuts, stream.length]) {
          pending = Buffer.concat([pending, stream.subarray(at, at + size)]);
          at += size;
          pending = readFrames(pending, (one) => found.push(one), expect.unreachable);
        }
        expect(found.map(String)).toEqual(messages.map(String));
      },
    ),
  );
});

test('a detail that no receiver would take is cut, and says so, and the message stays whole', () => {
  const detail = JSON.stringify({ text: '"ü]'.repeat(20_000) });
  const bytes = entryMessage({ ...ENTRY, detail }, 'h');
  expect(bytes.length).toBeLessThanOrEqual(8192);
  expect(bytes.length).toBeGreaterThan(6000);
  const { parameters } = parseSyslog(bytes);
  expect(parameters).not.toHaveProperty('detail');
  expect(detail.startsWith(parameters['detailBeginning'] ?? 'x')).toBe(true);
  expect(parameters['hash']).toBe(ENTRY.hash);
});
