import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TYPE, type HubMessage } from './messages.ts';
import { Replay } from './replay.ts';

const call: HubMessage = { type: TYPE.invocation, target: 'x', arguments: [] };
const goOnWith = (sequenceId: number): HubMessage => ({ type: TYPE.sequence, sequenceId });

describe('what is sent', () => {
  test('is kept until it is acknowledged', () => {
    const replay = new Replay(100);
    for (const payload of ['a', 'b', 'c']) replay.keep(payload);
    replay.acknowledged(2);
    expect(replay.resume()).toEqual({ firstId: 3, payloads: ['c'] });
    replay.acknowledged(3);
    expect(replay.resume()).toEqual({ firstId: 4, payloads: [] });
  });

  test('is full at its limit, and no more when enough is acknowledged', () => {
    const replay = new Replay(4);
    replay.keep('abc');
    expect(replay.isFull).toBe(false);
    replay.keep(Buffer.from('d'));
    expect(replay.isFull).toBe(true);
    replay.acknowledged(1);
    expect(replay.isFull).toBe(false);
  });

  test('is never lost and never comes before what was sent first, whatever is acknowledged', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant('send' as const), fc.nat(30))), (steps) => {
        const replay = new Replay(1e9);
        let sent = 0;
        let known = 0;
        for (const step of steps) {
          if (step === 'send') replay.keep(String((sent += 1)));
          else {
            replay.acknowledged(step);
            known = Math.max(known, Math.min(step, sent));
          }
          const expected = Array.from({ length: sent - known }, (_, at) => String(known + 1 + at));
          expect(replay.resume()).toEqual({ firstId: known + 1, payloads: expected });
        }
      }),
    );
  });
});

describe('what comes', () => {
  test('is taken once, although it comes again after a reconnect', () => {
    const replay = new Replay(100);
    expect([replay.takes(call), replay.takes(call)]).toEqual([true, true]);
    replay.resume();
    expect(replay.takes(goOnWith(2))).toBe(false);
    expect([replay.takes(call), replay.takes(call)]).toEqual([false, true]);
  });

  test('is passed over after a reconnect until it is said where it goes on', () => {
    const replay = new Replay(100);
    replay.resume();
    expect([replay.takes(call), replay.takes({ type: TYPE.ping })]).toEqual([false, false]);
    replay.takes(goOnWith(1));
    expect([replay.takes(call), replay.takes({ type: TYPE.ping })]).toEqual([true, true]);
  });

  test('is refused where something is missing before it', () => {
    const replay = new Replay(100);
    replay.takes(call);
    expect(() => replay.takes(goOnWith(3))).toThrow(expect.objectContaining({ code: 'hub-protocol' }));
  });

  test('is acknowledged once', () => {
    const replay = new Replay(100);
    expect(replay.acknowledgement()).toBeNull();
    replay.takes(call);
    replay.takes({ type: TYPE.ping });
    replay.takes({ type: TYPE.completion, invocationId: '1' });
    expect([replay.acknowledgement(), replay.acknowledgement()]).toEqual([2, null]);
  });
});
