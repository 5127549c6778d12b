/** Debian's Chromium, started with the app as Electron's own is: one browser, whose pages all windows share. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { BrowserContext, CDPSession } from 'playwright-core';
import { locale } from './app.ts';

/** Debian's, or the one that CHROMIUM names. */
export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

const SWITCHES = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--no-startup-window',
  '--hide-scrollbars',
  '--mute-audio',
  '--password-store=basic',
  '--force-color-profile=srgb',
  '--disable-background-networking',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-extensions',
  '--disable-popup-blocking',
  '--disable-renderer-backgrounding',
  '--disable-sync',
  // Every certificate passes Chromium, for the app is to judge: see `page.ts`.
  '--ignore-certificate-errors',
  // A camera and a microphone, for a page to be refused.
  '--use-fake-device-for-media-stream',
  '--remote-debugging-port=0',
  // Carries nothing: Chromium ends when its other end has gone, however this process ends.
  '--remote-debugging-pipe',
];

export interface Chromium {
  /** Where a test finds the same pages. */
  readonly endpoint: string;
  readonly context: BrowserContext;
  readonly session: CDPSession;
}

/** Starts at once, while the app does too. */
export const chromium: Promise<Chromium> = start();
// Whoever opens a window is told; an app that opens none needs no browser.
chromium.catch(() => {});

async function start(): Promise<Chromium> {
  if (!existsSync(CHROMIUM)) {
    throw new Error('A browser is missing: apt-get install chromium, or set CHROMIUM to the path of one.');
  }
  const profile = mkdtempSync(join(tmpdir(), 'electron-stand-in-'));
  const child = spawn(
    CHROMIUM,
    [...SWITCHES, `--user-data-dir=${profile}`, `--lang=${locale}`, `--accept-lang=${locale}`],
    // A group of its own, to end all its processes at once, and only then.
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], detached: true },
  );
  process.on('exit', () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
  });
  const [endpoint, { chromium: playwright }] = await Promise.all([
    listening(child.stderr as Readable),
    import('playwright-core'),
  ]);
  const browser = await playwright.connectOverCDP(endpoint, { noDefaults: true });
  const [context] = browser.contexts();
  if (context === undefined) throw new Error('electron stand-in: Chromium has no pages to share');
  return { endpoint, context, session: await browser.newBrowserCDPSession() };
}

function listening(stderr: Readable): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const endpoint = /DevTools listening on (\S+)/.exec(text)?.[1];
      if (endpoint !== undefined) resolve(endpoint);
    });
    stderr.once('close', () => reject(new Error(`electron stand-in: Chromium has ended: ${text}`)));
  });
}
