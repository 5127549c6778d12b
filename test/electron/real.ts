/** The built desktop in real Electron, driven by Playwright. */
import { spawn } from 'node:child_process';
import type { Menu, MenuItem } from 'electron';
import { _electron } from 'playwright-core';
import { electronBinary } from '../../build/electron.ts';
import { ROOT, watch, type Desktop, type Starter, type Watched } from './desktop.ts';
import { describeDesktop } from './scenarios/index.ts';

/** Chromium refuses to run as root with its sandbox, as containers do. */
const SWITCHES = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

/** Where the main process keeps the tray's menu, which Electron itself does not give back. */
type Noted = typeof globalThis & { trayMenu: Menu };

async function openReal(given: readonly string[]): Promise<Desktop> {
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
    inMain: (work, argument) => electron.evaluate(work as never, argument) as never,
    pages: () => Promise.resolve(electron.windows()),
    trayLabels: () =>
      electron.evaluate(() => {
        const labelsOf = (items: readonly MenuItem[]): string[] =>
          items
            .filter(({ type }) => type !== 'separator')
            .flatMap(({ label, enabled, submenu }) => [
              enabled ? label : `(${label})`,
              ...labelsOf(submenu?.items ?? []),
            ]);
        return labelsOf((globalThis as Noted).trayMenu.items);
      }),
    clickTray: (label) =>
      electron.evaluate((_, text) => {
        const allOf = (items: readonly MenuItem[]): MenuItem[] =>
          items.flatMap((item) => [item, ...allOf(item.submenu?.items ?? [])]);
        allOf((globalThis as Noted).trayMenu.items)
          .find((item) => item.label === text)
          ?.click();
      }, label),
    async end() {
      running.process.kill('SIGKILL');
      await running.ended;
    },
  };
}

function launchReal(given: readonly string[]): Watched {
  return watch(spawn(electronBinary(), [...SWITCHES, ROOT, ...given], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

const inElectron: Starter = { open: openReal, launch: launchReal };

describeDesktop(inElectron);
