/** The set of PLC links: their definitions, one connection a PLC, and their status. */
import type { Apps } from '../apps/apps.ts';
import type { Actor, Audit } from '../audit/audit.ts';
import { KeyswitchError, messageOf } from '../errors.ts';
import type { Bus } from '../events.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../store/store.ts';
import { createConnection, type PlcConnection } from './connection.ts';
import { parseConnectionString } from './connection-string.ts';
import type { PlcDoor } from './door.ts';
import { createLink, type Link, type LinkStatus, type Succession } from './link.ts';
import { checkLink, type LinkDefinition, type NewLink } from './link-definition.ts';
import { deleteLink, insertLink, selectLinks, updateLink, updateRequestTaken } from './link-store.ts';
import { testLink, type LinkTest } from './link-test.ts';

export type { LinkDefinition, NewLink } from './link-definition.ts';

export interface Links {
  /** Adds a link and, where links run, starts it; `invalid-input` names all that is wrong. */
  add(input: NewLink, actor: Actor): Promise<LinkDefinition>;
  /**
   * Makes a link another one. At the same word it goes on from what it knew, so that no change of the PLC is lost;
   * elsewhere it begins as if it were new. The app it leaves, and its word, stay as they are.
   */
  change(id: string, input: NewLink, actor: Actor): Promise<LinkDefinition>;
  /** Stops a link; its app, and its word, stay as they are. */
  remove(id: string, actor: Actor): Promise<void>;
  list(): Promise<LinkDefinition[]>;
  /** Connects for a link that need not exist, reads what it would read, and tells what was found. */
  test(input: NewLink): Promise<LinkTest>;
  /**
   * Ends the session at the link's app, writes the default value, and resolves when the PLC has confirmed it; rejects
   * with the `plc-` error that kept it from that, and it is written as soon as it can be.
   */
  writeDefault(id: string, actor: Actor): Promise<void>;
  /** Starts every link that is defined; a PLC that is away does not hold this up. */
  start(): Promise<void>;
  status(): LinkStatus[];
  /** Releases every PLC. */
  close(): void;
}

export interface LinksNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly bus: Bus;
  readonly apps: Apps;
  readonly door: PlcDoor;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface LinksOptions {
  readonly pollIntervalMs: number;
  readonly timeoutMs: number;
}

interface Running {
  readonly link: Link;
  readonly definition: LinkDefinition;
}

export function createLinks(needs: LinksNeeds, options: LinksOptions): Links {
  const { store, audit, bus, apps, door, clock, random, log } = needs;
  const running = new Map<string, Running>();
  const connections = new Map<string, PlcConnection>();
  let isStarted = false;
  let isClosed = false;
  let last: Promise<unknown> = Promise.resolve();

  /** Changes come one after the other: each is checked against what the one before it has left. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  }

  async function definitions(): Promise<LinkDefinition[]> {
    return (await selectLinks(store.read)).map(({ definition }) => definition);
  }

  async function byId(id: string): Promise<LinkDefinition> {
    const found = (await definitions()).find((definition) => definition.id === id);
    if (found === undefined) throw new KeyswitchError('not-found', `No link has the id ${id}.`);
    return found;
  }

  /** The link in its one form, whose faults are told; `id` is that of the link it is to become. */
  async function check(input: NewLink, id?: string): Promise<Omit<LinkDefinition, 'id'>> {
    const { link } = checkLink(
      input,
      (await definitions()).filter((other) => other.id !== id),
    );
    const app = apps.byId(input.appId);
    if (app === null) throw new KeyswitchError('not-found', `No app has the id ${input.appId}.`);
    return { ...link, appId: app.id };
  }

  function appName(appId: string): string | null {
    return apps.byId(appId)?.name ?? null;
  }

  function run(definition: LinkDefinition, requestTaken: number | null, former?: Succession): void {
    if (isClosed) return;
    const { id, connection: key } = definition;
    const connection =
      connections.get(key) ??
      createConnection({ ...parseConnectionString(key), ...options }, { clock, random, log });
    connections.set(key, connection);
    const link = createLink(definition, door, connection, {
      ...{ clock, log, lateMs: options.timeoutMs / 2 },
      memory: {
        taken: requestTaken,
        note: (value) => store.write((writer) => updateRequestTaken(writer, id, value)),
      },
      ...(former !== undefined && { former }),
    });
    link.onStatus(() => bus.publish('LinkChanged', { linkId: id }));
    running.set(id, { link, definition });
  }

  /** Lets go of a PLC that no link is at any more. */
  function release(key: string): void {
    if ([...running.values()].some(({ definition }) => definition.connection === key)) return;
    connections.get(key)?.close();
    connections.delete(key);
  }

  /** Puts the link as it is defined now in the place of the one that runs; there is no moment between the two. */
  async function replace(definition: LinkDefinition): Promise<void> {
    const former = running.get(definition.id);
    // What the PLC has asked for is done before: its answer belongs to the link as it was.
    await former?.link.settled();
    // Before the former one is closed: a connection that nobody needs any more ends.
    run(definition, null, former && goingOn(former, definition));
    former?.link.close();
    if (former !== undefined) release(former.definition.connection);
  }

  return {
    add: (input, actor) =>
      inTurn(async () => {
        const definition: LinkDefinition = { id: random.uuid(), ...(await check(input)) };
        await store.write(async (writer) => {
          await insertLink(writer, definition, clock.now());
          const { id, appId, ...detail } = definition;
          const app = appName(appId);
          await audit.append(writer, { action: 'link-added', actor, subject: id, app, detail });
        });
        // One that is added while the links start is found by both.
        if (isStarted && !running.has(definition.id)) run(definition, null);
        bus.publish('LinkChanged', { linkId: definition.id });
        return definition;
      }),
    change: (id, input, actor) =>
      inTurn(async () => {
        const before = await byId(id);
        const definition: LinkDefinition = { id, ...(await check(input, id)) };
        await store.write(async (writer) => {
          await updateLink(writer, definition);
          const detail = changesBetween(before, definition);
          const app = appName(definition.appId);
          await audit.append(writer, { action: 'link-changed', actor, subject: id, app, detail });
        });
        if (isStarted) await replace(definition);
        bus.publish('LinkChanged', { linkId: id });
        return definition;
      }),
    remove: (id, actor) =>
      inTurn(async () => {
        const before = await byId(id);
        await store.write(async (writer) => {
          await deleteLink(writer, id);
          const { id: subject, appId, ...detail } = before;
          await audit.append(writer, {
            ...{ action: 'link-removed', actor, subject, app: appName(appId), detail },
          });
        });
        running.get(id)?.link.close();
        running.delete(id);
        release(before.connection);
        bus.publish('LinkChanged', { linkId: id });
      }),
    list: definitions,
    test: (input) => testLink(checkLink(input), { door, clock, log }, options),
    async writeDefault(id, actor) {
      const { appId, defaultValue } = await byId(id);
      const link = running.get(id)?.link;
      if (link === undefined) throw new KeyswitchError('plc-unreachable', 'The link does not run.');
      await store.write((writer) =>
        audit.append(writer, {
          action: 'link-default-written',
          actor,
          subject: id,
          app: appName(appId),
          detail: { defaultValue },
        }),
      );
      await door.end(appId, 'ended-by-administrator', actor);
      await link.rewrite();
    },
    async start() {
      isStarted = true;
      for (const { definition, requestTaken } of await selectLinks(store.read)) {
        try {
          if (!running.has(definition.id)) run(definition, requestTaken);
        } catch (error) {
          log.error({ link: definition.id, reason: messageOf(error) }, 'a link could not be started');
        }
      }
    },
    status: () => [...running.values()].map(({ link }) => link.status),
    close() {
      isClosed = true;
      for (const { link } of running.values()) link.close();
      for (const connection of connections.values()) connection.close();
      running.clear();
      connections.clear();
    },
  };
}

/** What of a link goes on counting where it becomes another one: nothing that it knew of other words. */
function goingOn({ link, definition: before }: Running, after: LinkDefinition): Succession {
  const { word, request } = link.state;
  const isSame = (...fields: (keyof LinkDefinition)[]): boolean =>
    fields.every((field) => before[field] === after[field]);
  const isSameWord = isSame('connection', 'area', 'address', 'appId');
  return {
    word: isSameWord ? word : null,
    request: isSameWord && isSame('request', 'acknowledge') ? request : null,
  };
}

/** The fields that are not as they were, each as it was and as it is. */
function changesBetween(before: LinkDefinition, after: LinkDefinition): Record<'before' | 'after', object> {
  const fields = (Object.keys(after) as (keyof LinkDefinition)[]).filter(
    (field) => before[field] !== after[field],
  );
  const pick = (link: LinkDefinition): object =>
    Object.fromEntries(fields.map((field) => [field, link[field]]));
  return { before: pick(before), after: pick(after) };
}
