/** The host dies with a write on its way to a PLC, and starts again: the word becomes what was answered. */
import { rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { expect, it, onTestFinished, vi } from 'vitest';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { newLinkSchema } from '../../server/http/contract.ts';
import { keyswitch, serve, type Serving } from '../command-line.ts';
import { newFolder, PASSWORD, send, startTestHost, type Answer } from '../host.ts';
import { proxyTo, SOON, startPlc, USERS, WORD, type User } from './rig.ts';

const FLAGS = ['--set', 'plc.pollIntervalMs=20', '--set', 'plc.timeoutMs=500'];

interface Running {
  readonly serving: Serving;
  signIn(user: User): Promise<Answer>;
  signOut(): Promise<Answer>;
  user(): Promise<string | null>;
}

/** A data folder with an app and its link, and what starts a host on it. */
async function prepare(
  plcPort: number,
  onConnect: 'host' | 'plc',
): Promise<{ start(): Promise<Running>; folder: string }> {
  const folder = newFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const appId = await populate(folder, plcPort, onConnect);
  const state = `/api/v1/apps/${appId}`;
  return {
    folder,
    async start() {
      const serving = await serve(folder, FLAGS);
      const agent = new Agent({ ca: serving.control.trust, keepAlive: true });
      onTestFinished(() => agent.destroy());
      return {
        serving,
        signIn: (username) =>
          send(serving.url, agent, 'POST', '/api/v1/sign-in', {
            json: { username, password: PASSWORD, appId },
          }),
        signOut: () => send(serving.url, agent, 'POST', `${state}/sign-out`),
        async user() {
          const { body } = await send(serving.url, agent, 'GET', `${state}/state`);
          return (body as { user: string | null }).user;
        },
      };
    },
  };
}

async function populate(dataFolder: string, plcPort: number, onConnect: 'host' | 'plc'): Promise<string> {
  await using host = await startTestHost({ dataFolder });
  for (const user of Object.keys(USERS)) await host.addUser(user);
  const { app } = await host.addApp('HMI', { users: USERS, logoutTimeInMin: 60 });
  const connection = `Data Source=127.0.0.1:${plcPort},0,2`;
  const place = { area: 'DB250', address: `W${WORD}`, onConnect };
  await host.features.links.add(newLinkSchema.parse({ connection, appId: app.id, ...place }), HOST_ACTOR);
  return app.id;
}

it('is killed and started again, and the PLC shows what was answered last', async () => {
  const plc = await startPlc();
  const proxy = await proxyTo(plc.port);
  const { start, folder } = await prepare(proxy.port, 'host');
  const shows = (value: number) => vi.waitFor(async () => expect(await plc.getWord(WORD)).toBe(value), SOON);

  let host = await start();
  expect((await host.signIn('olivia')).status).toBe(200);
  await shows(9);
  // The write of each change gets stuck; the change itself was answered.
  for (const [change, user, value] of [
    [() => host.signIn('sam'), 'sam', 5],
    [() => host.signOut(), null, 0],
    [() => host.signIn('tess'), 'tess', 7],
  ] as const) {
    proxy.impair({ do: 'hold' }, { direction: 'up' });
    expect((await change()).status).toBeLessThan(300);
    await host.serving.stop('SIGKILL');
    await proxy.heal();
    host = await start();
    expect(await host.user()).toBe(user);
    await shows(value);
    expect(await host.user()).toBe(user);
  }
  expect((await host.serving.stop()).code).toBe(0);
  expect(await keyswitch(['audit', 'verify', '--data', folder])).toMatchObject({ code: 0 });
});

it('obeys what the PLC said while no host was there, where the PLC has precedence', async () => {
  const plc = await startPlc();
  const { start } = await prepare(plc.port, 'plc');
  let host = await start();
  const becomes = (user: User | null) => vi.waitFor(async () => expect(await host.user()).toBe(user), SOON);
  await plc.setWord(WORD, 9);
  await becomes('olivia');
  await host.serving.stop('SIGKILL');
  await plc.setWord(WORD, 5);
  host = await start();
  await becomes('sam');
  await host.serving.stop('SIGKILL');
  await plc.setWord(WORD, 0);
  host = await start();
  await becomes(null);
});
