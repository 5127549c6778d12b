/** What the tray shows: from who is where and how the PLCs are, to icon, tooltip and menu, as data. */
import type { LinkStatus } from '../../server/plc/link.ts';
import type { Session } from '../../server/sessions/session.ts';
import { isTroubled, nameOf } from './links.ts';
import type { Text } from '../text.ts';

export interface TrayState {
  readonly stationId: string;
  /** The station among them. */
  readonly apps: readonly AppAtTray[];
  /** Emergency accounts that are signed in, wherever. */
  readonly emergencies: readonly Session[];
  readonly links: readonly LinkStatus[];
  readonly mayQuit: boolean;
  /** A version that is staged; null where there is none. */
  readonly update: UpdateAtTray | null;
  /** The window fills the screen: nothing can take its place. */
  readonly isKiosk: boolean;
}

export interface UpdateAtTray {
  readonly version: string;
  /** `waits`: others are signed in. `offered`: an administrator may have it installed now. `installing`: or about to be. */
  readonly stands: 'waits' | 'offered' | 'installing';
}

export interface AppAtTray {
  readonly id: string;
  readonly name: string;
  /** Of its current user. */
  readonly session: Session | null;
  /** Until their time is up, whatever the wall clock says; 0 where nobody is. */
  readonly leftMs: number;
}

/** Whether somebody is at the controls of the station, and whether a PLC link is in trouble. */
export type TrayIcon = 'signed-in' | 'signed-out' | 'signed-in-trouble' | 'signed-out-trouble';

export type TrayAction =
  /** These sessions alone: an open menu names them although others have come by the time of the click. */
  | { readonly do: 'sign-out'; readonly sessionIds: readonly string[] }
  | { readonly do: 'lock'; readonly sessionId: string }
  | { readonly do: 'switch-user' | 'open' | 'bar' | 'update' | 'quit' };

/** A line that does nothing and opens nothing can only be read. */
export interface TrayItem {
  readonly label: string;
  readonly action?: TrayAction;
  readonly items?: readonly TrayItem[];
}

export interface TrayView {
  readonly icon: TrayIcon;
  readonly tooltip: string;
  /** In groups, with a line between two. */
  readonly groups: readonly (readonly TrayItem[])[];
  /** When a time left will be another one; null: never. */
  readonly changesInMs: number | null;
}

const MINUTE_MS = 60_000;
/** Windows cuts what is longer (NOTIFYICONDATA holds 128 units with the one that ends it). */
const TOOLTIP_UNITS = 127;
/** A longer name would leave no room for what alarms. */
const NAME_UNITS = 48;
/** More lines than this are hard to find one in, and leave small screens. */
const LINES = 20;

export function viewTray(state: TrayState, text: Text): TrayView {
  const { apps, stationId, emergencies, links, mayQuit, isKiosk } = state;
  const { session = null, leftMs = 0 } = apps.find(({ id }) => id === stationId) ?? {};
  const troubled = links.filter(isTroubled);
  const alarms = emergencies.map((emergency) => alarmOf(emergency, text));
  const linksLine =
    troubled.length === 0
      ? text.tray.linksWell(links.length)
      : text.tray.linksTroubled(troubled.length, links.length);
  const groups: TrayItem[][] = [
    [
      { label: session === null ? text.nobody : whoOf(session, leftMs, text) },
      ...alarms.map((label) => ({ label })),
      {
        label: text.signOut,
        ...(session !== null && { action: { do: 'sign-out', sessionIds: [session.id] } }),
      },
      { label: text.tray.lock, ...(session !== null && { action: { do: 'lock', sessionId: session.id } }) },
      { label: text.tray.switchUser, action: { do: 'switch-user' } },
    ],
    [...appsMenu(state, text), ...linksMenu(state, linksLine, text)],
    [
      { label: text.open, action: { do: 'open' } },
      ...(isKiosk ? [] : [{ label: text.tray.bar, action: { do: 'bar' as const } }]),
      ...updateLine(state, text),
      only(mayQuit, { label: text.quit, action: { do: 'quit' } }),
    ],
  ];
  return {
    icon: `signed-${session === null ? 'out' : 'in'}${troubled.length === 0 ? '' : '-trouble'}`,
    tooltip: tooltipOf(session?.user.displayName ?? text.nobody, session && timeLeft(leftMs, text), [
      ...alarms,
      ...(troubled.length === 0 ? [] : [linksLine]),
    ]),
    groups: groups.filter((group) => group.length > 0),
    changesInMs: nextChange(apps),
  };
}

/** A line that cannot be clicked unless `isUsable`. */
function only(isUsable: boolean, { label, action }: TrayItem): TrayItem {
  return isUsable && action !== undefined ? { label, action } : { label };
}

function updateLine({ update, mayQuit }: TrayState, { tray }: Text): TrayItem[] {
  if (update === null) return [];
  const { version, stands } = update;
  if (stands === 'installing') return [{ label: tray.updating(version) }];
  if (stands === 'waits') return [{ label: tray.updateWaits(version) }];
  return [only(mayQuit, { label: tray.installUpdate(version), action: { do: 'update' } })];
}

/** The other apps, those in use first; everybody can be signed out at once from here. */
function appsMenu({ apps, stationId }: TrayState, text: Text): TrayItem[] {
  const others = apps.filter(({ id }) => id !== stationId);
  if (others.length === 0) return [];
  const used = apps.flatMap(({ session }) => (session === null ? [] : [session.id]));
  const lines = others.map(({ name, session, leftMs }): TrayItem => {
    if (session === null) return { label: text.tray.atApp(name, text.tray.nobody) };
    return {
      label: text.tray.atApp(name, whoOf(session, leftMs, text)),
      items: [{ label: text.signOut, action: { do: 'sign-out', sessionIds: [session.id] } }],
    };
  });
  const sorted = [...lines.filter(({ items }) => items), ...lines.filter(({ items }) => !items)];
  const everywhere = only(used.length > 0, {
    label: text.tray.signOutAll,
    action: { do: 'sign-out', sessionIds: used },
  });
  const usedOthers = others.filter(({ session }) => session !== null).length;
  return [{ label: text.tray.apps(usedOthers, others.length), items: [everywhere, ...fold(sorted)] }];
}

function linksMenu({ links, apps }: TrayState, label: string, text: Text): TrayItem[] {
  if (links.length === 0) return [];
  const ordered = [...links.filter(isTroubled), ...links.filter((link) => !isTroubled(link))];
  const items = ordered.map((link): TrayItem => {
    const name = nameOf(link, apps.find(({ id }) => id === link.appId)?.name ?? '?');
    // Only to be read, but where nothing can be clicked systems write grey on grey.
    return { label: text.tray.link(name, text.linkStates[link.state]), action: { do: 'open' } };
  });
  return [{ label, items: fold(items) }];
}

/** Many lines become menus of their own, each named by its first and last. */
function fold(items: readonly TrayItem[]): readonly TrayItem[] {
  if (items.length <= LINES) return items;
  const menus = Array.from({ length: Math.ceil(items.length / LINES) }, (_, index) =>
    items.slice(index * LINES, (index + 1) * LINES),
  );
  return menus.map((menu) => ({ label: `${menu[0]?.label} … ${menu.at(-1)?.label}`, items: menu }));
}

function whoOf({ user }: Session, leftMs: number, text: Text): string {
  return text.tray.signedIn(user.displayName, timeLeft(leftMs, text));
}

function timeLeft(leftMs: number, { tray }: Text): string {
  const minutes = Math.max(0, Math.ceil(leftMs / MINUTE_MS));
  return minutes < 120 ? tray.minutesLeft(minutes) : tray.hoursLeft(Math.floor(minutes / 60), minutes % 60);
}

/** Says no more than every screen does: neither who, nor why. */
function alarmOf({ app, openedAt }: Session, { tray, language }: Text): string {
  const format = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return tray.emergency(app?.name ?? 'Keyswitch', format.format(openedAt));
}

/** User and time left come first, then what alarms, as far as there is room. */
function tooltipOf(who: string, left: string | null, alarms: readonly string[]): string {
  const time = left === null ? '' : `, ${left}`;
  return cut([`${cut(who, NAME_UNITS)}${time}`, ...alarms].join('\n'), TOOLTIP_UNITS);
}

function cut(text: string, units: number): string {
  if (text.length <= units) return text;
  // Not within a character that takes two units.
  return `${text.slice(0, units - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function nextChange(apps: readonly AppAtTray[]): number | null {
  // The monotonic clock counts parts of a millisecond.
  const lefts = apps.map(({ leftMs }) => Math.ceil(leftMs));
  const changes = lefts.filter((left) => left > 0).map((left) => ((left - 1) % MINUTE_MS) + 1);
  return changes.length === 0 ? null : Math.min(...changes);
}
