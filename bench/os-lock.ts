/** The lock: how soon the plant knows that nobody is at the station any more, after the operating system has told the desktop. */
import { openConnection, openConnections } from './client.ts';
import { startDesktop, type DesktopHost } from './desktop-host.ts';
import { median, percentile, startLoad, type Bench, type Row } from './harness.ts';
import { addUser, prepareDataFolder, signInRequest } from './host.ts';
import { openAdministrator } from './plant.ts';
import { openSubscribers } from './subscribers-client.ts';

const ADMINISTRATOR = 'administrator';
const LOCKS = 50;
/** Who signs in elsewhere meanwhile, without pause. */
const CLIENTS = 20;

export const osLock: Bench = {
  title: `the operating system locks its screen, ${LOCKS} times, until a screen of the plant knows`,
  async run() {
    const folder = await prepareDataFolder();
    await addUser(folder, ADMINISTRATOR, ['--type', 'Admin']);
    await using host = await startDesktop(folder);
    const calm = await locks(host);
    const connections = await openConnections(host, CLIENTS);
    const load = startLoad(connections, signInRequest(host));
    const busy = await locks(host);
    await load.stop();
    for (const connection of connections) connection.close();
    return [...rows('nobody signing in', calm), ...rows(`${CLIENTS} clients signing in`, busy)];
  },
};

function rows(when: string, tookMs: readonly number[]): Row[] {
  const row = (what: string, figure: number): Row => ({
    what: `${when}: ${what}`,
    unit: 'ms',
    rounds: [figure],
    target: { kind: 'below', limit: 100 },
  });
  return [
    row('half of the locks within', median(tookMs)),
    row('95 of 100 within', percentile(tookMs, 95)),
    row('the slowest', percentile(tookMs, 100)),
  ];
}

/** From the moment at which Electron's event is emitted in the main process to the message at the other end of `/ws`. */
async function locks(host: DesktopHost): Promise<number[]> {
  const { ask } = await openAdministrator(host, ADMINISTRATOR);
  const apps = await ask<{ id: string; station: boolean }[]>('/api/v1/apps');
  const appId = apps.find(({ station }) => station)?.id ?? '';
  const screen = await openSubscribers(host, { forms: ['native'], count: 1, appId });
  const connection = await openConnection(host);
  const tookMs: number[] = [];
  for (let lock = 0; lock < LOCKS; lock++) {
    const signedIn = screen.next();
    await connection.exchange(signInRequest(host, { appId }));
    await signedIn;
    const told = screen.next();
    const lockedAt = await host.desktop.inMain(({ powerMonitor }) => {
      const at = process.hrtime.bigint();
      powerMonitor.emit('lock-screen');
      return String(at);
    });
    const { lastAt } = await told;
    if (!screen.lastMessage().includes('"authenticated":false')) throw new Error('somebody is still there');
    tookMs.push(lastAt - asOfHere(BigInt(lockedAt)));
  }
  screen.close();
  connection.close();
  return tookMs;
}

/** All processes of a machine share the clock of `hrtime`; that of `performance.now` begins with each of them. */
function asOfHere(hrtime: bigint): number {
  return performance.now() - Number(process.hrtime.bigint() - hrtime) / 1e6;
}
