/** Data folders with many users, made in a moment: added at next to no cost a hash, then given one of the ordinary cost. */
import { HOST_ACTOR } from '../server/audit/audit.ts';
import { prepareDataFolder } from '../server/config/data-folder.ts';
import { loadConfig } from '../server/config/load.ts';
import { openFeatures, type Features } from '../server/features.ts';
import { createSystemClock } from '../server/ports/clock.ts';
import { createMemoryLog } from '../server/ports/log.ts';
import { createSystemRandom } from '../server/ports/random.ts';
import { loadSecrets } from '../server/secrets/secrets.ts';
import type { User } from '../server/users/user.ts';
import { loopback } from './refusals.ts';
import { scratchFolder } from './harness.ts';

export const PASSWORD = 'nobody needs to remember this';

/** Makes the folder, and does `then` with its features and users. */
export async function prepareAccounts(
  names: readonly string[],
  then: (features: Features, users: readonly User[]) => Promise<void> = async () => {},
): Promise<string> {
  const folder = scratchFolder();
  const cheap = { 'passwords.memoryKib': '8', 'passwords.iterations': '1' };
  const added: User[] = [];
  await withFeatures(folder, cheap, async ({ users }) => {
    const person = { type: 'Active', logoutTimeInMin: null, password: PASSWORD } as const;
    for (const name of names) added.push(await users.add({ name, ...person }, HOST_ACTOR));
  });
  await withFeatures(folder, {}, async (features) => {
    const { passwords, store } = features;
    const hash = await passwords.prepare(PASSWORD, { name: 'somebody', displayName: 'Some Body' });
    await Promise.all(
      added.map(({ id }) => store.write((writer) => passwords.set(writer, id, hash, { mustChange: false }))),
    );
    await then(features, added);
  });
  return folder;
}

async function withFeatures(
  folder: string,
  flags: Readonly<Record<string, string>>,
  work: (features: Features) => Promise<void>,
): Promise<void> {
  prepareDataFolder(folder);
  const clock = createSystemClock();
  const ports = { clock, random: createSystemRandom(), log: createMemoryLog(clock.now) };
  const sources = { dataFolder: folder, env: {} };
  const config = loadConfig({ ...sources, flags });
  const features = await openFeatures(
    { dataFolder: folder, config, secrets: loadSecrets({ ...sources, ...ports }) },
    ports,
  );
  try {
    await work(features);
  } finally {
    await features.close();
  }
}

/** As many failures as it takes, each from an address that the bench does not use. */
export async function lockAccount({ lockout: guard, users, store }: Features, name: string): Promise<void> {
  const user = await users.byName(name);
  if (user === null) throw new Error(`no user is named ${name}`);
  for (let i = 0; !guard.isLocked(user.id, null); i++) {
    const tried = { typedName: name, userId: user.id, address: loopback(100_000 + i) };
    guard.settle(tried, false);
    await store.write((writer, afterCommit) => guard.failed(writer, afterCommit, tried));
  }
}
