/** The built desktop in real Electron, driven by Playwright. */
import { spawn } from 'node:child_process';
import type { Menu } from 'electron';
import { _electron } from 'playwright-core';
import { electronBinary } from '../../build/electron.ts';
import { readyUrl, ROOT, watch, type Desktop, type Watched } from './desktop.ts';
import { describeDesktop } from './scenarios.ts';

/** Chromium refuses to run as root with its sandbox, as containers do. */
const SWITCHES = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

/** Where the main process keeps the tray's menu, which Electron itself does not give back. */
type Noted = typeof globalThis & { trayMenu: Menu };

async function startReal(given: readonly string[]): Promise<Desktop> {
  // Playwright lets the app become ready only when it is connected: the host and the tray come after that.
  const electron = await _electron.launch({
    executablePath: electronBinary(),
    args: [...SWITCHES, ROOT, ...given],
  });
  const running = watch(electron.process());
  await electron.evaluate(({ Tray }) => {
    const { setContextMenu } = Tray.prototype;
    Tray.prototype.setContextMenu = function (menu) {
      if (menu !== null) (globalThis as Noted).trayMenu = menu;
      setContextMenu.call(this, menu);
    };
  });
  return {
    ...running,
    url: await readyUrl(running),
    inMain: (work, argument) => electron.evaluate(work as never, argument) as never,
    inPage: async (expression) => (await electron.firstWindow()).evaluate(expression),
    trayLabels: () =>
      electron.evaluate(() =>
        (globalThis as Noted).trayMenu.items
          .filter(({ type }) => type !== 'separator')
          .map(({ label, enabled }) => (enabled ? label : `(${label})`)),
      ),
    clickTray: (label) =>
      electron.evaluate((_, text) => {
        (globalThis as Noted).trayMenu.items.find((item) => item.label === text)?.click();
      }, label),
  };
}

function launchReal(given: readonly string[]): Watched {
  return watch(spawn(electronBinary(), [...SWITCHES, ROOT, ...given], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

describeDesktop(startReal, launchReal);
