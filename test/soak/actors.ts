/** Whoever acts at the site: operators who sign in and out, and PLC programs that set their word; and what must come of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PASSWORD } from '../host.ts';
import type { Dice } from './dice.ts';
import type { LinkWatch } from './links.ts';
import { USERS, WORD, type Place, type Site } from './site.ts';
import type { Tally } from './tally.ts';

export interface Actors {
  /** Lets them act until the returned function is called, which resolves when all is answered. */
  start(isCalm: (place: Place) => boolean): () => Promise<void>;
  /** Who is signed in, as the host tells. */
  userAt(place: Place): Promise<string | null>;
  /** Who must be signed in by what was answered; undefined where nothing certain follows from it. */
  expectedAt(place: Place): string | null | undefined;
  valueOf(user: string | null): number;
  /** The text in the PLC. */
  nameIn(place: Place): Promise<string>;
  close(): Promise<{ signIns: { asked: number; answered: number } }>;
}

/** One action each so often, on the whole site. */
const ACT_EVERY_MS = 400;
/** A word that the PLC sets so soon after the host has written it may be overtaken by that. */
const SETTLED_MS = 2000;
const NAME_AT = 200;

export function createActors(site: Site, links: LinkWatch, tally: Tally, dice: Dice): Actors {
  const names = Object.keys(USERS);
  const expected = new Map<Place, string | null>();
  const actedAt = new Map<Place, number>();
  const busy = new Set<Place>();
  const signIns = { asked: 0, answered: 0 };

  async function act(place: Place, isCalm: boolean): Promise<void> {
    busy.add(place);
    const isSettled = performance.now() - (actedAt.get(place) ?? 0) > SETTLED_MS && links.isSettled(place);
    // In a PLC that has precedence an outage may undo what the host answered: then nothing certain follows.
    const isCertain = isCalm || place.onConnect === 'host';
    const chance = dice.below(10);
    try {
      if (chance < 3 && isCalm && isSettled) await setWord(place);
      else if (chance < 7) await signIn(place, isCertain);
      else await signOut(place, isCertain);
    } catch {
      // The host is down: what was asked last may have been done or not.
      tally.count('actions without an answer');
    }
    actedAt.set(place, performance.now());
    busy.delete(place);
  }

  async function signIn(place: Place, isCertain: boolean): Promise<void> {
    const username = dice.pick(names);
    expected.delete(place);
    signIns.asked += 1;
    const beganAt = performance.now();
    const { status, text } = await site.ask('POST', '/api/v1/sign-in', {
      json: { username, password: PASSWORD, appId: place.appId },
    });
    if (status !== 200) return refused('sign-in', status, text);
    signIns.answered += 1;
    tally.count('sign-ins');
    tally.measure('sign-in', performance.now() - beganAt);
    if (isCertain) expected.set(place, username);
  }

  async function signOut(place: Place, isCertain: boolean): Promise<void> {
    expected.delete(place);
    const beganAt = performance.now();
    const { status, text } = await site.ask('POST', `/api/v1/apps/${place.appId}/sign-out`);
    if (status !== 204) return refused('sign-out', status, text);
    tally.count('sign-outs');
    tally.measure('sign-out', performance.now() - beganAt);
    if (isCertain) expected.set(place, null);
  }

  /** A value of somebody, of nobody, or the default; it is given time, so that what the host does next is after it. */
  async function setWord(place: Place): Promise<void> {
    const user = dice.pick([...names, null, undefined]);
    const before = await userAt(place);
    const target = user === undefined ? before : user;
    expected.delete(place);
    const beganAt = performance.now();
    await place.plc.setWord(WORD, user === undefined ? 77 : valueOf(user));
    tally.count('words set by PLCs');
    while ((await userAt(place)) !== target && performance.now() - beganAt < SETTLED_MS) await sleep(20);
    if (target !== before)
      tally.measure('from a word of the PLC to the state of the app', performance.now() - beganAt);
    expected.set(place, target);
  }

  function refused(what: string, status: number, text: string): void {
    tally.count(`${what} refused with ${status}`);
    if (status !== 503) tally.complain(`${what} was refused with ${status}: ${text}`);
  }

  async function userAt({ appId }: Place): Promise<string | null> {
    const { body } = await site.ask('GET', `/api/v1/apps/${appId}/state`);
    return (body as { user: string | null }).user;
  }

  const valueOf = (user: string | null): number => (user === null ? 0 : (USERS[user] ?? NaN));

  return {
    start(isCalm) {
      const acting = new Set<Promise<void>>();
      // Certainty about a PLC that has precedence ends with the calm.
      for (const place of site.places)
        if (place.onConnect === 'plc' && !isCalm(place)) expected.delete(place);
      const timer = setInterval(() => {
        const place = dice.pick(site.places);
        if (busy.has(place) || site.pid === null) return;
        const action = act(place, isCalm(place)).finally(() => acting.delete(action));
        acting.add(action);
      }, ACT_EVERY_MS);
      return async () => {
        clearInterval(timer);
        await Promise.all(acting);
      };
    },
    userAt,
    expectedAt: (place) => expected.get(place),
    valueOf,
    async nameIn({ plc }) {
      const length = await plc.getByte(NAME_AT + 1);
      const letters = await Promise.all(Array.from({ length }, (_, at) => plc.getByte(NAME_AT + 2 + at)));
      return String.fromCharCode(...letters);
    },
    close: () => Promise.resolve({ signIns }),
  };
}
