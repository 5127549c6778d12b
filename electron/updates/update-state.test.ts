import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Session } from '../../server/sessions/session.ts';
import { IDLE, next, wayFor, type Staged, type UpdateEvent, type UpdateState } from './update-state.ts';

const stagedAs = (version: string): Staged => ({
  version,
  artefact: { name: `Keyswitch-${version}.AppImage`, bytes: 1, sha512: '' },
  file: `/updates/Keyswitch-${version}.AppImage`,
});

const play = (events: readonly UpdateEvent[], from = IDLE): UpdateState => events.reduce(next, from);

const found = (version: string): UpdateEvent => ({ type: 'found', version, own: '1.0.0' });
const STAGED: readonly UpdateEvent[] = [
  { type: 'look' },
  found('1.1.0'),
  { type: 'staged', staged: stagedAs('1.1.0') },
];
const CLEAR: UpdateEvent = { type: 'way', isClear: true };
const BARRED: UpdateEvent = { type: 'way', isClear: false };

describe('an update', () => {
  test('goes from looking to leaving', () => {
    const events: UpdateEvent[] = [...STAGED, CLEAR, { type: 'counted-down' }, { type: 'installed' }];
    const passed = events.map((_, index) => play(events.slice(0, index + 1)).doing);
    expect(passed).toEqual(['looking', 'staging', 'nothing', 'counting', 'installing', 'leaving']);
  });

  test('waits while somebody is in its way, and stops counting when somebody comes', () => {
    expect(play([...STAGED, BARRED]).doing).toBe('nothing');
    expect(play([...STAGED, CLEAR, BARRED]).doing).toBe('nothing');
    expect(play([...STAGED, CLEAR, BARRED, { type: 'counted-down' }]).doing).toBe('nothing');
    expect(play([...STAGED, CLEAR, BARRED, CLEAR]).doing).toBe('counting');
  });

  test('that the system refused is not tried by itself again, but by whoever asks, and when a newer one comes', () => {
    const refused = play([
      ...[...STAGED, CLEAR, { type: 'counted-down' } as const],
      { type: 'failed', code: 'update-not-installed' },
    ]);
    expect(refused).toMatchObject({
      doing: 'nothing',
      failure: { of: 'installing' },
      staged: { version: '1.1.0' },
    });
    expect(play([CLEAR], refused).doing).toBe('nothing');
    expect(play([{ type: 'look' }, found('1.1.0'), CLEAR], refused)).toEqual(refused);
    expect(play([{ type: 'look' }, { type: 'failed', code: 'update-unreachable' }, CLEAR], refused)).toEqual(
      refused,
    );
    expect(play([{ type: 'asked' }], refused).doing).toBe('installing');
    const newer = play(
      [{ type: 'look' }, found('1.2.0'), { type: 'staged', staged: stagedAs('1.2.0') }, CLEAR],
      refused,
    );
    expect(newer).toMatchObject({ doing: 'counting', failure: null, staged: { version: '1.2.0' } });
  });

  test('that is no longer what was signed is forgotten, so that it comes anew', () => {
    const events: UpdateEvent[] = [
      ...[...STAGED, CLEAR, { type: 'counted-down' } as const],
      { type: 'failed', code: 'update-mismatch' },
    ];
    expect(play(events)).toEqual({
      ...{ doing: 'nothing', staged: null, failure: { of: 'looking', code: 'update-mismatch' } },
    });
  });

  test('that its source has taken back is not installed', () => {
    expect(play([...STAGED, { type: 'look' }, found('1.0.0'), CLEAR])).toEqual(IDLE);
  });

  test('stays staged while its source cannot be read', () => {
    const state = play([...STAGED, { type: 'look' }, { type: 'failed', code: 'update-unreachable' }]);
    expect(state).toMatchObject({ staged: { version: '1.1.0' }, failure: { of: 'looking' } });
    expect(next(state, CLEAR).doing).toBe('counting');
  });

  test('of an older version, or of this one, is none', () => {
    for (const version of ['0.9.0', '1.0.0']) expect(play([{ type: 'look' }, found(version)])).toEqual(IDLE);
  });
});

test('whatever happens, nothing is installed that is not staged, and nothing unasked while the way is barred', () => {
  const event = fc.oneof(
    ...[{ type: 'look' }, { type: 'asked' }, { type: 'counted-down' }, { type: 'installed' }].map((one) =>
      fc.constant(one as UpdateEvent),
    ),
    fc.constantFrom('0.9.0', '1.0.0', '1.1.0', '1.2.0').map(found),
    fc
      .constantFrom('1.1.0', '1.2.0')
      .map((version): UpdateEvent => ({ type: 'staged', staged: stagedAs(version) })),
    fc
      .constantFrom('update-unreachable', 'update-mismatch', 'update-not-installed')
      .map((code): UpdateEvent => ({ type: 'failed', code: code as 'internal' })),
    fc.boolean().map((isClear): UpdateEvent => ({ type: 'way', isClear })),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let state = IDLE;
      for (const one of events) {
        const former = state;
        state = next(state, one);
        if (['counting', 'installing', 'leaving'].includes(state.doing)) expect(state.staged).not.toBeNull();
        if (state.doing === 'installing' && former.doing !== 'installing')
          expect(one.type === 'asked' || former.doing === 'counting').toBe(true);
        if (one.type === 'way' && !one.isClear) expect(state.doing).not.toBe('counting');
      }
    }),
    { numRuns: 1000 },
  );
});

describe('the way', () => {
  const session = (
    type: 'Admin' | 'Active',
    appId: string | null,
    emergencyReason: string | null = null,
  ): Session => ({ user: { type }, app: appId === null ? null : { id: appId }, emergencyReason }) as Session;
  const nobody: Session[] = [];

  test.each([
    ['nobody', nobody, false, true, true],
    ['somebody at the station', [session('Active', 'desk')], false, false, false],
    ['the administrator who asks', [session('Admin', 'desk')], false, false, true],
    ['an administrator elsewhere', [session('Admin', 'hmi')], false, false, false],
    ['an administrator in a browser', [session('Admin', null)], false, false, false],
    [
      'somebody else beside who asks',
      [session('Admin', 'desk'), session('Active', 'hmi')],
      false,
      false,
      false,
    ],
    ['somebody, where that is allowed', [session('Active', 'hmi')], true, true, true],
    ['an emergency, whatever is allowed', [session('Active', 'desk', 'fire')], true, false, false],
  ])('%s', (_who, sessions, whileSignedIn, byItself, asked) => {
    expect(wayFor(sessions, 'desk', whileSignedIn)).toEqual({ byItself, asked });
  });
});
