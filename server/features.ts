/** The rules of the house without its doors: what the host serves, and what the command line uses while none runs. */
import { availableParallelism } from 'node:os';
import { createApps, type Apps } from './apps/apps.ts';
import { createAudit, type Audit } from './audit/audit.ts';
import type { Config } from './config/schema.ts';
import { createBus, type Bus } from './events.ts';
import { createHasher } from './passwords/hasher.ts';
import { createPasswords, type Passwords } from './passwords/passwords.ts';
import { createPlcDoor } from './plc/door.ts';
import { createLinks, type Links } from './plc/links.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';
import type { Random } from './ports/random.ts';
import type { Secrets } from './secrets/secrets.ts';
import { openSessions, type Sessions } from './sessions/sessions.ts';
import { lockFolder } from './store/folder-lock.ts';
import { openStore, type Store } from './store/store.ts';
import { openKeyRing, type KeyRing } from './tokens/keys.ts';
import { createTokens } from './tokens/tokens.ts';
import { createUsers, type Users } from './users/users.ts';

/** What a host or a command is started with: everything read and checked. */
export interface Settings {
  readonly dataFolder: string;
  readonly config: Config;
  readonly secrets: Secrets;
}

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Features {
  readonly store: Store;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly users: Users;
  readonly apps: Apps;
  readonly keys: KeyRing;
  readonly sessions: Sessions;
  readonly links: Links;
  /** Keeps the sessions, finishes what is being written, and lets go of the data folder. */
  close(): Promise<void>;
}

/** The longest a token of any kind may live: an app session's limit is a week at most. */
const LONGEST_APP_TOKEN_DAYS = 7;

/** Closes one of the things that were opened. */
type Closer = () => void | Promise<void>;

/** Takes the data folder and opens everything in it; `data-folder-in-use`, `store-corrupt`, `store-newer`. */
export async function openFeatures(settings: Settings, ports: Ports): Promise<Features> {
  const opened: Closer[] = [];
  /** Closes what was opened, the last first; whatever fails, the data folder is let go of. */
  async function close(): Promise<void> {
    const closer = opened.pop();
    if (closer === undefined) return;
    try {
      await closer();
    } finally {
      await close();
    }
  }
  try {
    return { ...(await open(settings, ports, opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  { config, secrets, dataFolder }: Settings,
  { clock, random, log }: Ports,
  opened: Closer[],
): Promise<Omit<Features, 'close'>> {
  const lock = lockFolder(dataFolder);
  opened.push(lock.release);
  const store = await openStore(dataFolder);
  opened.push(store.close);
  const bus = createBus(log);
  const audit = createAudit({ read: store.read, clock });
  const hasher = createHasher({
    ...config.passwords,
    maxConcurrent: config.passwords.maxConcurrent || availableParallelism(),
    pepper: secrets.passwordHashingKey,
  });
  const passwords = createPasswords({ store, hasher, policy: config.passwords, clock, random });
  const users = createUsers({ store, audit, bus, passwords, clock, random });
  const apps = await createApps({ store, audit, bus, clock, random });
  const { keyRotationDays: rotationDays, keyOverlapDays: overlapDays, refreshTokenDays } = config.tokens;
  const keys = await openKeyRing(
    { store, audit, clock, log, secret: secrets.secretPwdKey },
    { rotationDays, overlapDays, longestTokenDays: Math.max(refreshTokenDays, LONGEST_APP_TOKEN_DAYS) },
  );
  opened.push(keys.close);
  const tokens = createTokens({ keys, clock }, { issuer: secrets.jwtIssuer, audience: secrets.jwtAudience });
  const sessions = await openSessions(
    { store, audit, bus, users, passwords, apps, tokens, clock, random, log },
    { ...config.sessions, ...config.tokens },
  );
  opened.push(sessions.close);
  const door = createPlcDoor({ apps, users, sessions, bus, log });
  const links = createLinks({ store, audit, bus, apps, door, clock, random, log }, config.plc);
  opened.push(links.close);
  return { store, bus, audit, passwords, users, apps, keys, sessions, links };
}
