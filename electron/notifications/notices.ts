/** What whoever is near the station has to know although they look elsewhere, and when it is said. */
import type { Features } from '../../server/features.ts';
import type { BackupFault, BackupStatus } from '../../server/backups/backups.ts';
import { every, type Clock } from '../../server/ports/clock.ts';
import type { Session } from '../../server/sessions/session.ts';
import { isTroubled, nameOf } from '../tray/links.ts';
import type { Station } from '../station.ts';
import { settle, type Known } from './steady.ts';
import type { Text } from '../text.ts';
import { IDLE, type UpdateState } from '../updates/update-state.ts';
import { COUNTDOWN_MS, type Updates } from '../updates/updates.ts';

export interface Notice {
  readonly title: string;
  readonly body: string;
  /** It must not go away by itself. */
  readonly isUrgent: boolean;
}

export interface NoticesNeeds {
  readonly features: Pick<
    Features,
    'bus' | 'apps' | 'sessions' | 'links' | 'audit' | 'capacity' | 'forwarder'
  >;
  readonly station: Pick<Station, 'session'>;
  readonly updates: Pick<Updates, 'follow'>;
  readonly clock: Clock;
  readonly text: Text;
  show(notice: Notice): void;
}

const LOOK_MS = 1000;
const ENDING_MS = 120_000;
const LINK_HOLD_MS = 5000;
/** A receiver that is started anew is no trouble yet: nothing is lost meanwhile. */
const COPY_HOLD_MS = 60_000;
/** So many links are named. */
const NAMED = 3;

/** Says at once what is wrong already, and looks every second from then on. */
export function startNotices({ features, station, updates, clock, text, show }: NoticesNeeds): void {
  const { bus, apps, sessions, links, audit, capacity, forwarder } = features;
  const { notices } = text;
  let knownLinks: Known = new Map();
  let knownCopies: Known = new Map();
  let knownTrail: Known = new Map();
  /** The session whose end was told. */
  let ending: string | null = null;
  let knownUpdate: UpdateState = IDLE;
  /** Why the last backup failed, which is told once. */
  let knownFault: BackupFault | null = null;

  function tellEmergency({ app, emergencyReason }: Session): void {
    if (emergencyReason === null) return;
    // No more than every screen shows: neither who, nor why.
    show({ title: notices.emergency, body: app?.name ?? 'Keyswitch', isUrgent: true });
  }

  function tellStorage({ state, freeMiB }: typeof capacity.status): void {
    if (state === 'low') {
      const body = notices.storageLowWhy(freeMiB === null ? '?' : String(freeMiB));
      show({ title: notices.storageLow, body, isUrgent: false });
    }
    if (state === 'reserve') {
      show({ title: notices.storageFull, body: notices.storageFullWhy, isUrgent: true });
    }
  }

  function tellBackup({ failure }: BackupStatus): void {
    const fault = failure?.fault ?? null;
    if (fault !== null && fault !== knownFault) {
      show({ title: notices.backupFailed, body: notices.backupFailedWhy[fault], isUrgent: false });
    }
    knownFault = fault;
  }

  function tellEnding(): void {
    const session = station.session();
    if (session === null || session.id === ending) return;
    const { id, openedAt, expiresAt, user } = session;
    const isSoon = (sessions.leftOf(id) ?? 0) <= ENDING_MS;
    // One that is not longer than that is known to be short.
    if (!isSoon || expiresAt - openedAt <= ENDING_MS) return;
    ending = id;
    show({ title: notices.ending, body: notices.endingWhy(user.displayName), isUrgent: false });
  }

  function tellLinks(): void {
    const present = links.status();
    const states = new Map(present.map((link) => [link.id, isTroubled(link)]));
    const { known, begun, over } = settle(knownLinks, states, clock.monotonic(), LINK_HOLD_MS);
    knownLinks = known;
    const linesOf = (ids: readonly string[], withState: boolean): string => {
      const lines = present
        .filter(({ id }) => ids.includes(id))
        .map((link) => {
          const name = nameOf(link, apps.byId(link.appId)?.name ?? '?');
          return withState ? text.tray.link(name, text.linkStates[link.state]) : name;
        });
      const more = lines.length - NAMED;
      return [...lines.slice(0, NAMED), ...(more > 0 ? [notices.more(more)] : [])].join('\n');
    };
    if (begun.length > 0) {
      const title = begun.length === 1 ? notices.linkLost : notices.linksLost(begun.length);
      show({ title, body: linesOf(begun, true), isUrgent: true });
    }
    if (over.length > 0) {
      const title = over.length === 1 ? notices.linkBack : notices.linksBack(over.length);
      show({ title, body: linesOf(over, false), isUrgent: false });
    }
  }

  function tellCopies(): void {
    const copies = forwarder.status();
    const states = new Map(copies.map(({ target, state }) => [target, state === 'failing']));
    const { known, begun, over } = settle(knownCopies, states, clock.monotonic(), COPY_HOLD_MS);
    knownCopies = known;
    if (begun.length > 0) {
      const behind = Math.max(...copies.map((copy) => copy.behind));
      show({ title: notices.copyFailing, body: notices.copyFailingWhy(behind), isUrgent: false });
    }
    if (over.length > 0) show({ title: notices.copyBack, body: '', isUrgent: false });
  }

  function tellTrail(): void {
    const states = new Map([['trail', audit.status().verification.state === 'broken']]);
    const { known, begun } = settle(knownTrail, states, clock.monotonic(), 0);
    knownTrail = known;
    if (begun.length > 0) show({ title: notices.trailBroken, body: notices.trailBrokenWhy, isUrgent: true });
  }

  function tellUpdate(update: UpdateState): void {
    const { doing, staged, failure } = update;
    const former = knownUpdate;
    knownUpdate = update;
    if (failure !== null && failure.code !== former.failure?.code) {
      const isRefused = failure.of === 'installing' && staged !== null;
      const why = text.noUpdate[failure.code as keyof Text['noUpdate']] ?? text.noUpdate.internal;
      const [title, body] = isRefused
        ? [notices.updateRefused(staged.version), notices.updateRefusedWhy]
        : [notices.updateFailed, why];
      show({ title, body, isUrgent: false });
    } else if (doing === 'counting' && staged !== null) {
      const isEmpty = sessions.list().length === 0;
      const body = isEmpty ? notices.updateSoonWhy : notices.updateSoonAllowedWhy;
      show({ title: notices.updateSoon(staged.version, COUNTDOWN_MS / 1000), body, isUrgent: false });
    } else if (staged !== null && staged.version !== former.staged?.version) {
      show({ title: notices.updateReady(staged.version), body: notices.updateReadyWhy, isUrgent: false });
    }
  }

  function look(): void {
    tellEnding();
    tellLinks();
    tellCopies();
    tellTrail();
  }

  bus.on('SessionOpened', ({ session }) => tellEmergency(session));
  bus.on('StorageChanged', tellStorage);
  bus.on('BackupChanged', tellBackup);
  sessions.list().forEach(tellEmergency);
  updates.follow(tellUpdate);
  tellStorage(capacity.status);
  look();
  every(clock, LOOK_MS, look);
}
