/** A badge at the reader of a sign-in page: how soon after its last key somebody is signed in, as the page shows it. */
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../test/browser.ts';
import type { Bench } from './harness.ts';
import { keyswitch, prepareDataFolder, startHost, USER } from './host.ts';

const SCANS = 15;
/** No character twice: it would be pressed again before it was let go, as a held key is. */
const BADGE = '04A2B3C5D6';

/** In the page: when the last key was pressed, and when the frame was drawn that has the user's name. */
const WATCH = `
  addEventListener('keydown', ({ key }) => { if (key === 'Enter') window.pressedAt = performance.now(); }, true);
  window.signedInAfterMs = new Promise((resolve) => {
    const look = () =>
      requestAnimationFrame(() =>
        document.querySelector('nav') === null || document.querySelector('h1')?.textContent !== '${USER}'
          ? look()
          : resolve(performance.now() - window.pressedAt),
      );
    look();
  });
`;

export const badgePage: Bench = {
  title: `${SCANS} scans, each on a sign-in page of its own in Chromium; badge alone, readers as by default`,
  async run() {
    const folder = await prepareDataFolder();
    await keyswitch(['badge', 'add', USER, '--data', folder], BADGE);
    await using host = await startHost(folder, ['--set', 'badges.signIn=alone']);
    const browser = await launchBrowser();
    const rounds: number[] = [];
    try {
      for (let scan = 0; scan < SCANS; scan += 1) rounds.push(await scanOnce(browser, host.url));
    } finally {
      await browser.close();
    }
    return [
      {
        what: 'from the last key of a scan to the page of whom it signs in',
        unit: 'ms',
        rounds,
        target: { kind: 'below', limit: 300 },
      },
    ];
  },
};

async function scanOnce(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' });
  const page = await context.newPage();
  await page.addInitScript({ content: WATCH });
  await page.goto(url);
  await page.getByText('badge to the reader').waitFor();
  // All keys on their way at once: waiting for each would be slower than a reader.
  await Promise.all([...BADGE, 'Enter'].map((key) => page.keyboard.press(key)));
  // A machine too busy to type like a reader fails here, and does not hang.
  await page.getByRole('heading', { level: 1, name: USER }).waitFor();
  const afterMs = (await page.evaluate('window.signedInAfterMs')) as number;
  await context.close();
  return afterMs;
}
