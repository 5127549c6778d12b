/** The set of PLC links: their definitions, one connection a PLC, and their status. */
import type { Apps } from '../apps/apps.ts';
import type { Actor, Audit } from '../audit/audit.ts';
import { invalidInput, KeyswitchError, messageOf } from '../errors.ts';
import type { Bus } from '../events.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../store/store.ts';
import { fits, itemAt, parseAddress, parseArea } from './address.ts';
import { createConnection, type PlcConnection } from './connection.ts';
import { formatConnectionString, parseConnectionString } from './connection-string.ts';
import { createLink, type Link, type LinkDefinition, type LinkStatus, type PlcDoor } from './link.ts';
import { insertLink, selectLinks } from './link-store.ts';

export type NewLink = Omit<LinkDefinition, 'id'>;

export interface Links {
  /** Adds a link and, where links run, starts it; `invalid-input` names the part that is wrong. */
  add(input: NewLink, actor: Actor): Promise<LinkDefinition>;
  list(): Promise<LinkDefinition[]>;
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

export function createLinks(needs: LinksNeeds, options: LinksOptions): Links {
  const { store, audit, bus, apps, door, clock, random, log } = needs;
  const running = new Map<string, Link>();
  const connections = new Map<string, PlcConnection>();
  let isStarted = false;

  function check(input: NewLink): NewLink {
    const connection = formatConnectionString(parseConnectionString(input.connection));
    const item = itemAt(parseArea(input.area), parseAddress(input.address));
    if (!fits(item, input.defaultValue)) {
      throw invalidInput(
        'defaultValue',
        `${input.defaultValue} does not fit ${input.address} (0 to ${item.max}).`,
      );
    }
    const app = apps.byId(input.appId);
    if (app === null) throw new KeyswitchError('not-found', `No app has the id ${input.appId}.`);
    return { ...input, connection, appId: app.id };
  }

  function run(definition: LinkDefinition): void {
    // One that is added while the links start is found by both.
    if (running.has(definition.id)) return;
    const { connection: key } = definition;
    const endpoint = parseConnectionString(key);
    const connection =
      connections.get(key) ?? createConnection({ ...endpoint, ...options }, { clock, random, log });
    connections.set(key, connection);
    const link = createLink(definition, door, connection, { clock, log });
    link.onStatus(() => bus.publish('LinkChanged', { linkId: definition.id }));
    running.set(definition.id, link);
  }

  return {
    async add(input, actor) {
      const definition: LinkDefinition = { id: random.uuid(), ...check(input) };
      await store.write(async (writer) => {
        await insertLink(writer, definition, clock.now());
        const { id, appId, ...detail } = definition;
        const app = apps.byId(appId)?.name ?? null;
        await audit.append(writer, { action: 'link-added', actor, subject: id, app, detail });
      });
      if (isStarted) run(definition);
      bus.publish('LinkChanged', { linkId: definition.id });
      return definition;
    },
    list: () => selectLinks(store.read),
    async start() {
      isStarted = true;
      for (const definition of await selectLinks(store.read)) {
        try {
          run(definition);
        } catch (error) {
          log.error({ link: definition.id, reason: messageOf(error) }, 'a link could not be started');
        }
      }
    },
    status: () => [...running.values()].map((link) => link.status),
    close() {
      for (const link of running.values()) link.close();
      for (const connection of connections.values()) connection.close();
      running.clear();
      connections.clear();
    },
  };
}
