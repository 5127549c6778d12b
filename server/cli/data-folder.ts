/** Administration of a data folder: by its running host where there is one, else by opening it for a moment. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createStream } from 'rotating-file-stream';
import type { AppChange } from '../apps/apps.ts';
import type { Actor } from '../audit/audit.ts';
import { defaultDataFolder, prepareDataFolder } from '../config/data-folder.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { readControl } from '../control.ts';
import { isKeyswitchError, KeyswitchError } from '../errors.ts';
import { openFeatures, type Features, type Ports, type Settings } from '../features.ts';
import { firstRun } from '../first-run.ts';
import {
  appChangeSchema,
  guidSchema,
  newAppSchema,
  newBadgeSchema,
  newEmergencyAccountSchema,
  newLinkSchema,
  newUserSchema,
} from '../http/contract.ts';
import { parse } from '../http/route.ts';
import {
  viewBackup,
  viewBackupStatus,
  viewBadge,
  viewEmergencyAccount,
  viewLinkTest,
  viewNewUser,
  viewOneTimeSecret,
  viewSealed,
  viewUserListItem,
} from '../http/views.ts';
import { createSystemClock, type Clock } from '../ports/clock.ts';
import { createLog, type Log } from '../ports/log.ts';
import { createSystemRandom } from '../ports/random.ts';
import type { KeyStore } from '../secrets/sealing.ts';
import { keepSealed } from '../secrets/move.ts';
import { loadSecrets } from '../secrets/secrets.ts';
import { lockFolder } from '../store/folder-lock.ts';
import type { Administration } from './administration.ts';
import { administrationOf } from './running-host.ts';

export interface DataFolderOptions {
  readonly dataFolder: string | undefined;
  /** Settings by path, from flags. */
  readonly flags?: Readonly<Record<string, string>>;
  /** That of the operating system, null where it offers none; left out on the command line, which never has one. */
  readonly keyStore?: KeyStore | null;
}

export interface Prepared {
  readonly settings: Settings;
  readonly ports: Ports;
  /** For a process that goes on although its start has failed: nothing is logged any more. */
  closeLog(): void;
}

/** Reads everything a start needs from the data folder, making what is missing. */
export function prepare(options: DataFolderOptions): Prepared {
  const { dataFolder, flags = {}, keyStore } = options;
  const folder = resolveDataFolder(dataFolder);
  prepareDataFolder(folder);
  const config = loadConfig({ dataFolder: folder, env: process.env, flags });
  const clock = createSystemClock();
  const random = createSystemRandom();
  const { log, closeLog } = openLog(folder, config.log, clock);
  try {
    const secrets = loadSecrets({
      dataFolder: folder,
      env: process.env,
      random,
      log,
      keyStore: keyStore ?? null,
    });
    if (keyStore !== undefined && config.desktop.keyStore === 'auto') keepSealed(folder, keyStore, log);
    return { settings: { dataFolder: folder, config, secrets }, ports: { clock, random, log }, closeLog };
  } catch (error) {
    closeLog();
    throw error;
  }
}

export function resolveDataFolder(given: string | undefined): string {
  return (
    given ?? process.env['KEYSWITCH_DATA'] ?? defaultDataFolder(process.env, process.platform, homedir())
  );
}

function openLog(
  folder: string,
  options: Config['log'],
  clock: Clock,
): { readonly log: Log; closeLog(): void } {
  const stream = createStream('keyswitch.log', {
    path: join(folder, 'logs'),
    size: `${options.maxFileMiB}M`,
    maxFiles: options.files,
    mode: 0o600,
  });
  // A full disk must not end the host: what cannot be logged is told once where a service keeps it.
  stream.on('error', (error: Error) =>
    process.stderr.write(`keyswitch: the log cannot be written: ${error.message}\n`),
  );
  const log = createLog({ level: options.level, streams: [stream], now: clock.now });
  return { log, closeLog: () => void stream.end() };
}

/** Does `work` on the data folder, whether its host runs or not. */
export async function administer<Result>(
  options: DataFolderOptions,
  work: (administration: Administration) => Promise<Result>,
): Promise<Result> {
  const dataFolder = resolveDataFolder(options.dataFolder);
  let features: Features;
  let settings: Settings;
  try {
    const prepared = prepare(options);
    settings = prepared.settings;
    features = await openFeatures(settings, prepared.ports);
  } catch (error) {
    if (!isHeld(dataFolder, error)) throw error;
    const control = readControl(dataFolder);
    if (control === null) {
      throw new KeyswitchError(
        'host-unreachable',
        `Another Keyswitch holds ${dataFolder}, but is not ready. Wait a moment, or stop it.`,
        { cause: error },
      );
    }
    return work(administrationOf(control));
  }
  try {
    return await work(administrationWith(features, settings));
  } finally {
    await features.close();
  }
}

/** Tells whether a host runs on the folder, which could not be opened: it may have opened what is sealed. */
function isHeld(dataFolder: string, error: unknown): boolean {
  if (!isKeyswitchError(error, 'secrets-sealed')) return isKeyswitchError(error, 'data-folder-in-use');
  try {
    lockFolder(dataFolder).release();
    return false;
  } catch (lockError) {
    return isKeyswitchError(lockError, 'data-folder-in-use');
  }
}

function administrationWith(features: Features, { config }: Settings): Administration {
  const { users, apps, links, accounts, emergency, badges, backups, sessions } = features;
  const actor: Actor = { name: 'command line', door: 'command-line', address: null };
  const { appLogoutTimeInMin } = config.sessions;
  return {
    firstRun: (options) => firstRun(features, { ...options, appLogoutTimeInMin }),
    async addUser(input) {
      const { password, ...user } = parse(newUserSchema, input, 'user');
      if (password !== undefined) return users.add({ ...user, password }, actor);
      return viewNewUser(await users.addWithOneTimeSecret(user, actor));
    },
    listUsers: async () => (await accounts.list()).map(viewUserListItem),
    resetPassword: async (userName) => viewOneTimeSecret(await sessions.resetPassword(userName, actor)),
    unlock: (userName) => accounts.unlock(userName, actor),
    async addEmergency(input) {
      return viewSealed(await emergency.add(parse(newEmergencyAccountSchema, input, 'account'), actor));
    },
    sealEmergency: async (userName) => viewSealed(await emergency.seal(userName, actor)),
    listEmergencies: async () => (await emergency.list()).map(viewEmergencyAccount),
    addBadge: async (input) => viewBadge(await badges.enrol(parse(newBadgeSchema, input, 'badge'), actor)),
    listBadges: async () => (await badges.list()).map(viewBadge),
    revokeBadge: (id) => sessions.revokeBadge(parse(guidSchema, id, 'badgeId'), actor),
    async addApp(input) {
      const { logoutTimeInMin = appLogoutTimeInMin, ...wanted } = parse(newAppSchema, input, 'app');
      const { app, key } = await apps.add({ ...wanted, logoutTimeInMin }, actor);
      return { id: app.id, key };
    },
    changeApp: async (id, input) => apps.change(id, parse(appChangeSchema, input, 'app') as AppChange, actor),
    listApps: async () => apps.list(),
    async grant(appId, userName, data) {
      const app = apps.byId(appId);
      const user = await users.byName(userName);
      if (app === null) throw new KeyswitchError('not-found', `No app has the id ${appId}.`);
      if (user === null) throw new KeyswitchError('not-found', `No user is named ${userName}.`);
      await apps.grant(app, user, data, actor);
    },
    addLink: async (input) => links.add(parse(newLinkSchema, input, 'link'), actor),
    changeLink: async (id, input) => links.change(id, parse(newLinkSchema, input, 'link'), actor),
    removeLink: (id) => links.remove(id, actor),
    testLink: async (input) => viewLinkTest(await links.test(parse(newLinkSchema, input, 'link'))),
    listLinks: () => links.list(),
    archiveAudit: async () => ({ rows: await features.audit.archive(actor) }),
    makeBackup: async () => viewBackup(await backups.make(actor)),
    backupStatus: async () => viewBackupStatus(await backups.look()),
  };
}

/** Finds the app that a command names by its name or its id. */
export async function findAppId(administration: Administration, nameOrId: string): Promise<string> {
  const apps = await administration.listApps();
  const app =
    apps.find(({ name }) => name === nameOrId) ?? apps.find(({ id }) => id === nameOrId.toLowerCase());
  if (app === undefined) throw new KeyswitchError('not-found', `No app has the name or id ${nameOrId}.`);
  return app.id;
}
