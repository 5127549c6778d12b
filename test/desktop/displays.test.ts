/** Where the built desktop puts its window, on displays that a test plugs and unplugs: only the stand-in has such. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rectangle } from 'electron';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readyUrl, until, type Desktop } from '../electron/desktop.ts';
import { argumentsFor, type WorkplaceOptions } from '../electron/workplace.ts';
import { openStandIn, type StandInModule } from '../electron-stand-in/desktop.ts';
import { newFolder } from '../host.ts';

const MIDDLE = { x: 320, y: 120, width: 1280, height: 800 };
const ON_THE_LEFT = { x: -1500, y: 60, width: 1000, height: 700 };
const LEFT_DISPLAY = { x: -1920, y: 0, width: 1920, height: 1080 };

describe('the window', () => {
  let dataFolder: string;
  let desktop: Desktop;

  beforeEach(() => {
    dataFolder = newFolder();
  });
  afterEach(async () => {
    await desktop.end();
    rmSync(dataFolder, { recursive: true, force: true });
  });

  async function start(options: WorkplaceOptions = {}): Promise<void> {
    desktop = openStandIn(argumentsFor(dataFolder, options));
    await readyUrl(desktop);
  }

  const window = () =>
    desktop.inMain((electron) => {
      const [shown] = (electron as unknown as StandInModule).standIn.windows;
      return {
        bounds: shown?.getBounds(),
        isVisible: shown?.isVisible(),
        isMaximized: shown?.isMaximized(),
        isKiosk: shown?.isKiosk(),
        ground: shown?.options.backgroundColor,
      };
    });
  const move = (bounds: Rectangle): Promise<void> =>
    desktop.inMain(({ BrowserWindow }, to) => BrowserWindow.getAllWindows()[0]?.setBounds(to), bounds);
  const plug = (bounds: Rectangle): Promise<number> =>
    desktop.inMain(
      (electron, where) => (electron as unknown as StandInModule).standIn.plug(where).id,
      bounds,
    );
  const unplug = (id: number): Promise<void> =>
    desktop.inMain((electron, which) => (electron as unknown as StandInModule).standIn.unplug(which), id);
  const remember = (content: object | string): void => {
    const folder = join(dataFolder, 'desktop');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'window.json'),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  };
  const remembered = (): unknown =>
    JSON.parse(readFileSync(join(dataFolder, 'desktop', 'window.json'), 'utf8'));

  it('stands where it stood, at the next start', async () => {
    await start();
    await move({ ...MIDDLE, x: 40, y: 30 });
    desktop.process.kill('SIGTERM');
    expect(await desktop.ended).toBe(0);
    await start();
    expect((await window()).bounds).toEqual({ ...MIDDLE, x: 40, y: 30 });
  });

  it('fills its display again where it did, once it is shown', async () => {
    remember({ view: 'window', maximised: true, window: { ...MIDDLE, x: 10 } });
    await start();
    await until('it is shown', async () => (await window()).isVisible);
    expect(await window()).toMatchObject({ isMaximized: true });
    expect(remembered()).toMatchObject({ maximised: true, window: { x: 10 } });
  });

  it('goes to the primary display where its own is not there any more', async () => {
    remember({ view: 'window', window: ON_THE_LEFT });
    await start();
    expect((await window()).bounds).toEqual(MIDDLE);
  });

  it('stands in the middle at first, stays on another display while that is there, and comes back when it is not', async () => {
    await start();
    await until('it is shown', async () => (await window()).isVisible);
    expect(await window()).toMatchObject({ bounds: MIDDLE, isMaximized: false });
    expect((await window()).ground).toMatch(/^#(eef0f2|15181c|000000)$/);
    const display = await plug(LEFT_DISPLAY);
    await move(ON_THE_LEFT);
    expect((await window()).bounds).toEqual(ON_THE_LEFT);
    await unplug(display);
    expect((await window()).bounds).toEqual(MIDDLE);
  });

  it('fills the primary display where that of the kiosk is unplugged', async () => {
    await start({ config: { 'desktop.kiosk': 'true' } });
    const display = await plug(LEFT_DISPLAY);
    await move(LEFT_DISPLAY);
    expect((await window()).bounds).toEqual(LEFT_DISPLAY);
    await unplug(display);
    expect(await window()).toMatchObject({
      bounds: { x: 0, y: 0, width: 1920, height: 1080 },
      isKiosk: true,
    });
  });

  it('stands in the middle where the file about it is broken', async () => {
    remember('{"window":{"x":"far"}');
    await start();
    expect((await window()).bounds).toEqual(MIDDLE);
  });

  it('stays hidden where the bar was shown last, and the bar stands at the top right', async () => {
    remember({ view: 'bar', window: null });
    await start();
    const windows = await until('the bar is shown', () =>
      desktop.inMain((electron) => {
        const [window, bar] = (electron as unknown as StandInModule).standIn.windows;
        if (bar?.isVisible() !== true) return false;
        return { isWindowVisible: window?.isVisible(), bar: bar.getBounds(), options: bar.switched };
      }),
    );
    expect(windows).toMatchObject({
      isWindowVisible: false,
      bar: { x: 1920 - 420 - 16, y: 16, width: 420, height: 64 },
      options: { frame: false, resizable: false, skipTaskbar: true, alwaysOnTop: true },
    });
  });
});
