/** What a link keeps in its PLC besides the word: life bit, name and sign-in time of the current user, answers to requests. */
import type { KeyswitchError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { PlcConnection } from './connection.ts';
import type { PlcDoor } from './door.ts';
import { formatItem, type Item } from './items.ts';
import { startLifeBit } from './life-bit.ts';
import type { LinkDefinition, LinkExtras, LinkItems } from './link-definition.ts';
import { createMirror } from './mirror.ts';
import type { RequestState } from './request-machine.ts';
import { serveRequests, type RequestMemory } from './requests.ts';
import { TIME_FORMS } from './s7-time.ts';

export interface Extras {
  /** No sign-in that the PLC asked for is under way. */
  readonly isIdle: boolean;
  /** What a link that takes the place of this one goes on from; null where it serves no requests. */
  readonly requestState: RequestState | null;
  close(): void;
}

export interface ExtrasNeeds {
  readonly door: PlcDoor;
  readonly connection: PlcConnection;
  readonly memory: RequestMemory;
  /** Of the link whose place this one takes, at the same words. */
  readonly former: RequestState | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of what keeps one of them from being read or written, and (null) that it is well again. */
  tellFault(field: keyof LinkExtras, fault: KeyswitchError | null): void;
  onIdle(): void;
}

export function startExtras(definition: LinkDefinition, items: LinkItems, needs: ExtrasNeeds): Extras {
  const { connection, door } = needs;
  const { appId } = definition;
  const tellFault = (field: keyof LinkExtras) => (fault: KeyswitchError | null) =>
    needs.tellFault(field, fault);
  const stops: (() => void)[] = [];
  const { lifeBit, userName, signInTime, request, acknowledge } = items;

  if (lifeBit !== null) {
    stops.push(startLifeBit(connection, lifeBit, { clock: needs.clock, tellFault: tellFault('lifeBit') }));
  }
  if (userName !== null) {
    const name = createMirror(connection, userName, tellFault('userName'));
    stops.push(
      door.follow(appId, (user) => name.set(user?.name ?? '')),
      name.close,
    );
  }
  if (signInTime !== null) {
    const time = createMirror(connection, signInTime, tellFault('signInTime'));
    const nobody = earliestOf(signInTime);
    stops.push(
      door.follow(appId, (user) => time.set(user?.signedInAt ?? nobody)),
      time.close,
    );
  }
  const requests =
    request === null || acknowledge === null
      ? null
      : serveRequests(definition, { request, acknowledge }, { ...needs, tellFault });

  return {
    get isIdle() {
      return requests === null || requests.state.serving === null;
    },
    get requestState() {
      return requests?.state ?? null;
    },
    close() {
      for (const stop of stops) stop();
      requests?.close();
    },
  };
}

/** What stands for "nobody": 1970-01-01 as DTL, 1990-01-01 as DATE_AND_TIME. */
function earliestOf(item: Item): number {
  return (formatItem(item).startsWith('DTL') ? TIME_FORMS.DTL : TIME_FORMS.DT).earliest;
}
