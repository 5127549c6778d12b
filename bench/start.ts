/** How soon the host is there after its start, and what it takes while nobody asks for anything. */
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMib, takeTurns, type Bench } from './harness.ts';
import { prepareDataFolder, startHello, startHost } from './host.ts';

const STARTS = 7;
const IDLE_MS = 5000;

export const start: Bench = {
  title: 'start without a display, on an existing store',
  async run() {
    const folder = await prepareDataFolder();
    // The first start makes keys and certificates; an installation has that once.
    const tls = await startHost(folder).then(async (host) => {
      await host[Symbol.asyncDispose]();
      return host;
    });
    const readyAfter = await takeTurns(STARTS, {
      async host() {
        await using host = await startHost(folder);
        return host.readyAfterMs;
      },
      async hello() {
        await using hello = await startHello(tls);
        return hello.readyAfterMs;
      },
    });
    await using host = await startHost(folder);
    await using hello = await startHello(tls);
    await sleep(IDLE_MS);
    return [
      {
        what: 'from the start of the process to the ready line',
        unit: 'ms',
        rounds: readyAfter.host,
        against: { what: 'bare Express and helmet', unit: 'ms', rounds: readyAfter.hello },
        target: { kind: 'below', limit: 1500 },
      },
      {
        what: `memory held after ${IDLE_MS / 1000} s of idleness`,
        unit: 'MiB',
        rounds: [residentMib(host.pid)],
        against: { what: 'bare Express and helmet', unit: 'MiB', rounds: [residentMib(hello.pid)] },
        target: { kind: 'below', limit: 130 },
      },
    ];
  },
};
