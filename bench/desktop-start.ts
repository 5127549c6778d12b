/** How soon the desktop shows something, and then the sign-in page, in the stand-in for Electron. */
import { pageOf } from '../test/electron/desktop.ts';
import { openStandIn } from '../test/electron-stand-in/desktop.ts';
import type { Bench } from './harness.ts';
import { prepareDataFolder } from './host.ts';

const STARTS = 7;

/** In the page: resolves with the time of day of the frame that has the form. */
const FORM_SHOWN = `new Promise((resolve) => {
  const look = () =>
    requestAnimationFrame(() =>
      document.querySelector('form input') === null ? look() : resolve(performance.timeOrigin + performance.now()),
    );
  look();
})`;

export const desktopStart: Bench = {
  title: "start of the desktop, in Electron's stand-in, on an existing store",
  async run() {
    const folder = await prepareDataFolder();
    // The first start makes keys and certificates; an installation has that once.
    await startDesktop(folder);
    const rounds: number[] = [];
    for (let start = 0; start < STARTS; start += 1) rounds.push(await startDesktop(folder));
    return [
      {
        what: 'from the start of the process to the sign-in page in the window',
        unit: 'ms',
        rounds,
        target: { kind: 'below', limit: 1500 },
      },
    ];
  },
};

async function startDesktop(folder: string): Promise<number> {
  const startedAt = Date.now();
  const desktop = openStandIn(['--lang=en', '--data', folder, '--port', '0']);
  try {
    const page = await pageOf(desktop, 'window');
    return ((await page.evaluate(FORM_SHOWN)) as number) - startedAt;
  } finally {
    await desktop.end();
  }
}
