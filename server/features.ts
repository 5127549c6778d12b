/** The rules of the house without its doors: what the host serves, and what the command line uses while none runs. */
import { createHmac } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { resolve } from 'node:path';
import { createAccounts, type Accounts } from './accounts/accounts.ts';
import { createApps, type Apps } from './apps/apps.ts';
import { openAudit, type Audit } from './audit/audit.ts';
import { freeBytesOf, openCapacity, type Capacity } from './audit/capacity.ts';
import { createFileTarget } from './audit/forward/file-target.ts';
import { createForwarder, type Forwarder } from './audit/forward/forward.ts';
import { createSyslogTarget } from './audit/forward/syslog-target.ts';
import type { Target } from './audit/forward/target.ts';
import { createAuditQuery, type AuditQuery } from './audit/query.ts';
import type { Config } from './config/schema.ts';
import { createBackups, type Backups } from './backups/backups.ts';
import { createBadges, type Badges } from './badges/badges.ts';
import { openPins, type Pins } from './badges/pins.ts';
import { createEmergency, type Emergency } from './emergency/emergency.ts';
import { createBus, type Bus } from './events.ts';
import { openLockout, type Lockout } from './lockout/lockout.ts';
import { lockoutRules } from './lockout/rules.ts';
import { wordsIn, type Words } from './passwords/blocklist.ts';
import { readCommonPasswords } from './passwords/common-passwords.ts';
import { createHasher } from './passwords/hasher.ts';
import { createPasswords, type Passwords } from './passwords/passwords.ts';
import { policyOf } from './passwords/presets.ts';
import { createPlcDoor } from './plc/door.ts';
import { createLinks, type Links } from './plc/links.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';
import type { Random } from './ports/random.ts';
import type { Secrets } from './secrets/secrets.ts';
import { createAppStates, type AppStates } from './sessions/app-states.ts';
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
  /** The room on the disk of the data folder, in bytes; the system's word where it is left out. */
  readonly freeBytes?: () => Promise<number>;
}

export interface Features {
  readonly store: Store;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly auditQuery: AuditQuery;
  readonly forwarder: Forwarder;
  readonly capacity: Capacity;
  readonly passwords: Passwords;
  readonly users: Users;
  readonly lockout: Lockout;
  readonly emergency: Emergency;
  readonly badges: Badges;
  readonly pins: Pins;
  readonly accounts: Accounts;
  readonly apps: Apps;
  readonly keys: KeyRing;
  readonly sessions: Sessions;
  readonly appStates: AppStates;
  readonly links: Links;
  readonly backups: Backups;
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
  ports: Ports,
  opened: Closer[],
): Promise<Omit<Features, 'close'>> {
  const { clock, random, log } = ports;
  const lock = lockFolder(dataFolder);
  opened.push(lock.release);
  const store = await openStore(dataFolder);
  opened.push(store.close);
  const bus = createBus(log);
  const audit = await openAudit(
    { store, clock, log, secret: secrets.secretPwdKey },
    { ...config.audit, folder: dataFolder, archiveFolder: resolve(dataFolder, config.audit.archiveFolder) },
  );
  opened.push(audit.close);
  const forwarder = createForwarder(
    { store, audit, clock, random, log },
    copyTargets(config, dataFolder, clock),
  );
  opened.push(forwarder.close);
  audit.holdArchive(forwarder.copiedTo);
  const auditQuery = createAuditQuery({ store, clock });
  const capacity = await openCapacity(
    { store, audit, bus, clock, log, freeBytes: ports.freeBytes ?? freeBytesOf(dataFolder) },
    config.audit,
  );
  opened.push(capacity.close);
  const hasher = createHasher(
    {
      ...config.passwords,
      maxConcurrent: config.passwords.maxConcurrent || availableParallelism(),
      pepper: secrets.passwordHashingKey,
    },
    clock,
  );
  const policy = policyOf(config.passwords);
  const blocklist = { common: readCommonPasswords(), site: siteWords(config) };
  const passwords = createPasswords({ store, hasher, policy, blocklist, clock, random });
  const pins = await openPins({ store, hasher, clock }, config.badges.pinMinLength);
  const users = createUsers({ store, audit, bus, passwords, pins, clock, random }, config.passwords);
  const lockout = await openLockout(
    { store, clock, log, secret: secrets.passwordHashingKey },
    lockoutRules(config.lockout),
  );
  opened.push(lockout.close);
  const emergency = createEmergency({ store, audit, users, clock, random });
  const badges = createBadges(
    { store, audit, users, emergency, clock, random, secret: secrets.passwordHashingKey },
    config.badges,
  );
  const apps = await createApps({ store, audit, bus, clock, random });
  const { keyRotationDays: rotationDays, keyOverlapDays: overlapDays, refreshTokenDays } = config.tokens;
  const keys = await openKeyRing(
    { store, audit, clock, log, secret: secrets.secretPwdKey },
    { rotationDays, overlapDays, longestTokenDays: Math.max(refreshTokenDays, LONGEST_APP_TOKEN_DAYS) },
  );
  opened.push(keys.close);
  const tokens = createTokens({ keys, clock }, { issuer: secrets.jwtIssuer, audience: secrets.jwtAudience });
  const sessions = await openSessions(
    {
      store,
      audit,
      bus,
      users,
      passwords,
      badges,
      pins,
      lockout,
      emergency,
      mayRecord: capacity.mayRecord,
      apps,
      tokens,
      clock,
      random,
      log,
    },
    { ...config.sessions, ...config.tokens },
  );
  opened.push(sessions.close);
  const appStates = createAppStates({ bus, sessions, random, log });
  opened.push(appStates.close);
  const accounts = createAccounts({
    store,
    audit,
    users,
    passwords,
    lockout,
    emergency,
    sessions,
    clock,
  });
  const door = createPlcDoor({ apps, users, sessions, appStates, bus, log });
  const links = createLinks({ store, audit, bus, apps, door, clock, random, log }, config.plc);
  opened.push(links.close);
  const backups = createBackups(
    { store, audit, bus, clock, log },
    {
      ...config.backups,
      dataFolder,
      id: createHmac('sha256', secrets.secretPwdKey).update('names of backups').digest('hex').slice(0, 6),
      station: config.plant.station || hostname(),
      reserveMiB: config.audit.reserveMiB,
    },
  );
  opened.push(backups.close);
  return {
    ...{ store, bus, audit, auditQuery, forwarder, capacity, passwords, users, lockout, emergency },
    ...{ badges, pins, accounts, apps, keys, sessions, appStates, links, backups },
  };
}

/** Where the audit trail is copied to. */
function copyTargets({ audit }: Config, dataFolder: string, clock: Clock): Target[] {
  const { syslogHost: host, syslogPort: port, syslogFingerprint: fingerprint, copyFile } = audit;
  const path = (file: string | undefined): string | undefined => file && resolve(dataFolder, file);
  const targets: Target[] = [];
  if (host !== undefined) {
    const files = {
      ca: path(audit.syslogCa),
      certificate: path(audit.syslogCertificate),
      certificateKey: path(audit.syslogCertificateKey),
    };
    targets.push(createSyslogTarget({ host, port, fingerprint, ...files, ownName: hostname() }, clock));
  }
  if (copyFile !== undefined) targets.push(createFileTarget(resolve(dataFolder, copyFile), clock));
  return targets;
}

/** What an attacker of this place would try first. */
function siteWords({ passwords, plant }: Config): Words {
  return wordsIn([...passwords.words, plant.name, plant.station || hostname(), 'Keyswitch']);
}
