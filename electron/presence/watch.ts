/** The watch over the station: idle time and tidings of the operating system come in, the end of the session and a countdown go out. */
import type { Host } from '../../server/host.ts';
import type { CancelTimer, Clock } from '../../server/ports/clock.ts';
import type { Log } from '../../server/ports/log.ts';
import type { Session } from '../../server/sessions/session.ts';
import {
  countdownOf,
  judge,
  reasonOf,
  sleptBetween,
  type Look,
  type Moment,
  type Policy,
  type Seen,
  type Tiding,
} from './presence-rules.ts';
import { ANYONE, type Station } from '../station.ts';
import type { Views } from '../windows/views.ts';

export interface WatchNeeds {
  readonly host: Pick<Host, 'features'>;
  readonly station: Station;
  readonly views: Pick<Views, 'tellIdleLeft'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Asks the operating system. */
  readonly look: () => Look;
}

export interface Watch {
  heard(tiding: Tiding): void;
  suspended(): void;
  resumed(): void;
  close(): void;
}

const LOOK_MS = 1000;
/** During the countdown: whoever touches the PC in its last moment is still seen in time. */
const COUNTING_LOOK_MS = 250;

/** Looks while somebody is at the controls. */
export function createWatch(needs: WatchNeeds, policy: Policy): Watch {
  const { station, views, clock, log } = needs;
  const { sessions } = needs.host.features;
  let seen: Seen = { tellsIdleTime: false, isLocked: false };
  /** Whole seconds, as last told; null while nothing is counted down. */
  let toldSec: number | null = null;
  let stopLooking: CancelTimer = () => {};
  let suspendedAt: Moment | null = null;

  const moment = (): Moment => ({ wall: clock.now(), monotonic: clock.monotonic() });

  function heard(tiding: Tiding): void {
    const reason = reasonOf(tiding, policy);
    log.info({ tiding, reason }, 'the operating system tells of the station');
    if (reason !== null) station.end(reason, ANYONE, { event: tiding });
  }

  function lookAgain(session: Session): void {
    stopLooking = clock.after(toldSec === null ? LOOK_MS : COUNTING_LOOK_MS, () => {
      look(session);
      lookAgain(session);
    });
  }

  function look(session: Session): void {
    const judged = judge(seen, needs.look());
    seen = judged.seen;
    if (judged.hasLocked) heard('lock-screen');
    if (judged.isActive) sessions.touch(session.id);
    count(countdownOf(sessions.idleOf(session.id)));
  }

  function count(leftMs: number | null): void {
    const sec = leftMs === null ? null : Math.ceil(leftMs / 1000);
    if (sec === toldSec) return;
    toldSec = sec;
    views.tellIdleLeft(leftMs);
  }

  function follow(session: Session | null): void {
    stopLooking();
    count(null);
    if (session === null) return;
    // A screen that was locked before says nothing about this user, who came in from elsewhere.
    seen = judge(seen, needs.look()).seen;
    lookAgain(session);
  }

  station.follow(follow);
  return {
    heard,
    suspended() {
      suspendedAt = moment();
      heard('suspend');
    },
    resumed() {
      if (suspendedAt === null) return;
      const sleptMs = sleptBetween(suspendedAt, moment());
      suspendedAt = null;
      sessions.slept(sleptMs);
    },
    close: () => stopLooking(),
  };
}
