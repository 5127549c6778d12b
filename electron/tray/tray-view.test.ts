import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { LinkStatus } from '../../server/plc/link.ts';
import type { Session } from '../../server/sessions/session.ts';
import { text } from '../text.ts';
import { viewTray, type AppAtTray, type TrayItem, type TrayState, type TrayView } from './tray-view.ts';

const locale = vi.hoisted(() => ({ now: 'en' }));
vi.mock('electron', () => ({ app: { getLocale: () => locale.now } }));

const NOW = Date.UTC(2026, 0, 1, 6);
const MINUTE_MS = 60_000;
const STATION = { id: 'station', name: 'Desk' };

function sessionOf(name: string, emergencyReason: string | null = null): Session {
  return {
    id: `session of ${name}`,
    kind: 'app',
    user: { id: name, name, displayName: name, type: 'Active' },
    app: STATION,
    role: '9',
    openedAt: NOW,
    expiresAt: NOW + 12 * MINUTE_MS,
    origin: { door: 'page', address: null },
    emergencyReason,
  };
}

function linkOf(id: string, state: LinkStatus['state'], connection = '10.0.0.5:102'): LinkStatus {
  return {
    ...{ id, appId: 'hmi', connection: `Data Source=${connection},0,1`, area: 'DB250', address: 'W188' },
    ...{ state, since: NOW, plc: null, value: null, valueAt: null, user: null, pending: false },
    ...{ roundTripMs: null, roundTripsMs: [], errorsLastHour: 0, lastError: null },
  };
}

function view(state: Partial<TrayState> = {}, language = 'en'): TrayView {
  locale.now = language;
  const apps: AppAtTray[] = [at('station', null, 'Desk')];
  const defaults = { apps, emergencies: [], links: [], mayQuit: false, update: null, isKiosk: false };
  return viewTray({ stationId: STATION.id, ...defaults, ...state }, text());
}

/** As a person reads it: what can be clicked as it is, what cannot in parentheses, what opens with what is below. */
function lines(items: readonly TrayItem[]): unknown[] {
  return items.map(({ label, action, items: below }) =>
    below === undefined ? (action === undefined ? `(${label})` : label) : { [label]: lines(below) },
  );
}

const menu = ({ groups }: TrayView): unknown[] => groups.map(lines);
const at = (id: string, session: Session | null, name = id, leftMs = 12 * MINUTE_MS): AppAtTray => ({
  ...{ id, name, session, leftMs: session === null ? 0 : leftMs },
});

describe('the menu', () => {
  test('offers what makes sense while nobody is there', () => {
    const { icon, tooltip, changesInMs, ...rest } = view();
    expect({ icon, tooltip, changesInMs }).toEqual({
      ...{ icon: 'signed-out', tooltip: 'Nobody is signed in', changesInMs: null },
    });
    expect(menu({ icon, tooltip, changesInMs, ...rest })).toEqual([
      ['(Nobody is signed in)', '(Sign out)', '(Lock)', 'Switch user'],
      ['Open Keyswitch', 'Compact bar', '(Quit)'],
    ]);
  });

  test('names the user with the time left, and lets an administrator quit', () => {
    const apps = [at('station', sessionOf('Anna & Ben'), 'Desk', 12 * MINUTE_MS - 1)];
    const shown = view({ apps, mayQuit: true });
    expect(shown).toMatchObject({ icon: 'signed-in', tooltip: 'Anna & Ben, 12 min left' });
    expect(menu(shown)).toEqual([
      ['(Anna & Ben, 12 min left)', 'Sign out', 'Lock', 'Switch user'],
      ['Open Keyswitch', 'Compact bar', 'Quit'],
    ]);
  });

  test('speaks German', () => {
    const apps = [at('station', sessionOf('Anna'), 'Desk', 125 * MINUTE_MS), at('hmi', null, 'HMI 1')];
    const links = [linkOf('a', 'backing-off'), linkOf('b', 'online')];
    expect(menu(view({ apps, links }, 'de-AT'))).toEqual([
      ['(Anna, noch 2 h 5 min)', 'Abmelden', 'Sperren', 'Benutzer wechseln'],
      [
        { 'Apps: 0 von 1 in Benutzung': ['Überall abmelden', '(HMI 1: niemand)'] },
        {
          'SPS-Kopplungen: 1 von 2 gestört': [
            'HMI 1 (10.0.0.5, DB250.DBW188): Nicht erreichbar',
            'HMI 1 (10.0.0.5, DB250.DBW188): Online',
          ],
        },
      ],
      ['Keyswitch öffnen', 'Kompakte Leiste', '(Beenden)'],
    ]);
  });

  test('has the other apps below, those in use first, each with its own way out, and one for all', () => {
    const apps = [at('a', null, 'A'), at('station', sessionOf('Anna')), at('b', sessionOf('Ben'), 'B')];
    const [, [below] = []] = view({ apps }).groups;
    expect(lines([below!])).toEqual([
      {
        'Apps: 1 of 2 in use': [
          'Sign out everywhere',
          { 'B: Ben, 12 min left': ['Sign out'] },
          '(A: nobody)',
        ],
      },
    ]);
    expect(below?.items?.[0]?.action).toEqual({
      do: 'sign-out',
      sessionIds: ['session of Anna', 'session of Ben'],
    });
    expect(below?.items?.[1]?.items?.[0]?.action).toEqual({ do: 'sign-out', sessionIds: ['session of Ben'] });
  });

  test('stays usable with many apps and links', () => {
    const many = Array.from({ length: 50 }, (_, index) => String(index).padStart(2, '0'));
    const apps = [at('station', null), ...many.map((id) => at(id, null, `HMI ${id}`))];
    const links = many.map((id) =>
      linkOf(id, id === '30' ? 'degraded' : 'online', `10.0.1.${Number(id)}:1102`),
    );
    const [, [appsBelow, linksBelow] = []] = view({ apps, links }).groups;
    expect(appsBelow?.items?.map(({ label, items }) => [label, items?.length])).toEqual([
      ['Sign out everywhere', undefined],
      ['HMI 00: nobody … HMI 19: nobody', 20],
      ['HMI 20: nobody … HMI 39: nobody', 20],
      ['HMI 40: nobody … HMI 49: nobody', 10],
    ]);
    expect(linksBelow?.items?.map(({ items }) => items?.length)).toEqual([20, 20, 10]);
    expect(linksBelow?.items?.[0]?.items?.[0]?.label).toBe('? (10.0.1.30:1102, DB250.DBW188): Degraded');
  });

  test('has no bar where the window fills the screen', () => {
    expect(menu(view({ isKiosk: true })).at(-1)).toEqual(['Open Keyswitch', '(Quit)']);
  });
});

describe('a version that is staged', () => {
  test.each([
    ['waits', true, '(Version 1.2.3 waits until nobody is signed in)'],
    ['offered', true, 'Install version 1.2.3'],
    ['offered', false, '(Install version 1.2.3)'],
    ['installing', true, '(Version 1.2.3 is being installed)'],
  ] as const)('%s, for an administrator: %s', (stands, mayQuit, line) => {
    const shown = view({ update: { version: '1.2.3', stands }, mayQuit });
    expect(menu(shown).at(-1)).toEqual(['Open Keyswitch', 'Compact bar', line, mayQuit ? 'Quit' : '(Quit)']);
  });
});

describe('trouble', () => {
  test.each<[LinkStatus['state'], TrayView['icon'], string]>([
    ['online', 'signed-out', 'PLC links: 1, no trouble'],
    ['connecting', 'signed-out', 'PLC links: 1, no trouble'],
    ['degraded', 'signed-out-trouble', 'PLC links: 1 of 1 in trouble'],
    ['backing-off', 'signed-out-trouble', 'PLC links: 1 of 1 in trouble'],
  ])('of a link that is %s', (state, icon, label) => {
    const shown = view({ links: [linkOf('a', state)] });
    expect({ icon: shown.icon, label: shown.groups[1]?.[0]?.label }).toEqual({ icon, label });
    expect(shown.tooltip.includes('PLC')).toBe(icon !== 'signed-out');
  });

  test('leaves it to be seen whether somebody is there', () => {
    const apps = [at('station', sessionOf('Anna'))];
    expect(view({ apps, links: [linkOf('a', 'backing-off')] }).icon).toBe('signed-in-trouble');
  });

  test('of emergency access is told with its place and time, and never with its reason', () => {
    const emergencies = [sessionOf('Emergency 1', 'the boiler'), { ...sessionOf('E', 'x'), app: null }];
    const shown = view({ emergencies });
    const [, first, second] = shown.groups[0] ?? [];
    expect(first?.label).toMatch(/^Emergency access in use: Desk, since \d\d:\d\d$/);
    expect(second?.label).toMatch(/^Emergency access in use: Keyswitch, since \d\d:\d\d$/);
    expect(shown.tooltip).toContain('Emergency access in use: Desk');
    expect(JSON.stringify(shown)).not.toMatch(/boiler|Emergency 1/);
  });
});

describe('time', () => {
  test.each([
    [119 * MINUTE_MS, '119 min left', MINUTE_MS],
    [119 * MINUTE_MS + 1, '2 h 0 min left', 1],
    [119 * MINUTE_MS + 0.5, '2 h 0 min left', 1],
    [MINUTE_MS, '1 min left', MINUTE_MS],
    [1, '1 min left', 1],
    [0, '0 min left', null],
    [-5, '0 min left', null],
  ])('%d ms before the end is "%s", for the next %j ms', (leftMs, words, changesInMs) => {
    const shown = view({ apps: [at('station', sessionOf('Anna'), 'Desk', leftMs)] });
    expect(shown).toMatchObject({ tooltip: `Anna, ${words}`, changesInMs });
  });

  test('passes for every app', () => {
    const apps = [at('station', sessionOf('Anna'), 'Desk', 90_000), at('b', sessionOf('Ben'), 'B', 70_000)];
    expect(view({ apps }).changesInMs).toBe(10_000);
  });
});

test('a tooltip is never cut by Windows, and keeps the time left', () => {
  const letter = fc.constantFrom('a', '😀');
  const names = fc
    .array(letter, { minLength: 1, maxLength: 200, size: 'max' })
    .map((letters) => letters.join(''));
  fc.assert(
    fc.property(names, fc.nat(3), fc.nat(3), (name, alarms, links) => {
      const { tooltip } = view({
        apps: [at('station', sessionOf(name))],
        emergencies: Array.from({ length: alarms }, () => sessionOf(name, 'why')),
        links: Array.from({ length: links }, (_, index) => linkOf(String(index), 'backing-off')),
      });
      expect(tooltip.length).toBeLessThanOrEqual(127);
      expect(tooltip).toContain(', 12 min left');
      expect(tooltip.includes('\n')).toBe(alarms + links > 0);
      expect(tooltip.isWellFormed()).toBe(true);
    }),
  );
});
