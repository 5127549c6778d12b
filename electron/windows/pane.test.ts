import type { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createFixedClock, type FixedClock } from '../../server/ports/clock.ts';
import { createPane, type Pane } from './pane.ts';
import { startFailed, starting } from './status.ts';
import { text } from '../text.ts';

const PAGE = 'https://127.0.0.1:8443';

/** A window that remembers what it was to load, and a page that does what a test says. */
const fake = vi.hoisted(() => ({
  window: null as unknown as EventEmitter,
  loaded: [] as string[],
  crashes: 0,
  url: '',
}));

vi.mock('electron', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  class FakeWindow extends Emitter {
    webContents = Object.assign(new Emitter(), {
      getURL: () => fake.url,
      forcefullyCrashRenderer() {
        fake.crashes += 1;
        (this as unknown as EventEmitter).emit('render-process-gone', {}, {});
      },
    });
    constructor() {
      super();
      fake.window = this;
    }
    setBackgroundColor(): void {}
    async loadURL(url: string): Promise<void> {
      fake.loaded.push(url);
    }
  }
  return {
    BrowserWindow: FakeWindow,
    nativeTheme: new Emitter(),
    app: { getLocale: () => 'en' },
  };
});

let clock: FixedClock;
let pane: Pane;

beforeEach(() => {
  Object.assign(fake, { loaded: [], crashes: 0, url: '' });
  clock = createFixedClock();
  pane = createPane({}, clock);
});

const emit = (event: string, ...given: unknown[]): void =>
  void pane.window.webContents.emit(event as 'responsive', ...(given as []));
const failToLoad = (code = -102, isMainFrame = true): void =>
  emit('did-fail-load', {}, code, '', PAGE, isMainFrame);
const isStatus = (url: string | undefined): boolean => url?.startsWith('data:text/html') ?? false;

describe('a page that cannot be loaded', () => {
  test('gives way to one that says so, and is tried again by itself', async () => {
    pane.load(PAGE);
    failToLoad();
    expect(fake.loaded.map(isStatus)).toEqual([false, true]);
    await clock.advance(1000);
    expect(fake.loaded.at(-1)).toBe(PAGE);
  });

  test('is tried at once where somebody asks, and not once more then', async () => {
    pane.load(PAGE);
    failToLoad();
    emit('will-frame-navigate', { url: 'https://keyswitch.invalid/try-again', isMainFrame: true });
    expect(fake.loaded.at(-1)).toBe(PAGE);
    await clock.advance(60_000);
    expect(fake.loaded).toHaveLength(3);
  });

  test('was only overtaken, or is a frame within it: nothing is said', () => {
    pane.load(PAGE);
    failToLoad(-3);
    failToLoad(-102, false);
    expect(fake.loaded).toEqual([PAGE]);
  });
});

describe('a page that answers nothing', () => {
  test('is given up after ten seconds, and loaded again', async () => {
    pane.load(PAGE);
    emit('unresponsive');
    await clock.advance(9999);
    expect(fake.crashes).toBe(0);
    await clock.advance(1);
    expect(fake.crashes).toBe(1);
    await clock.advance(1000);
    expect(fake.loaded.at(-1)).toBe(PAGE);
  });

  test('is not crashed once more where its process has gone meanwhile', async () => {
    pane.load(PAGE);
    emit('unresponsive');
    await clock.advance(9000);
    emit('render-process-gone', {}, {});
    await clock.advance(60_000);
    expect(fake.crashes).toBe(0);
    expect(fake.loaded.at(-1)).toBe(PAGE);
  });

  test('is left alone where it has come to itself by then', async () => {
    pane.load(PAGE);
    emit('unresponsive');
    await clock.advance(9000);
    emit('responsive');
    await clock.advance(60_000);
    expect(fake.crashes).toBe(0);
  });
});

describe('a status page', () => {
  test('stays: what was to be loaded before is not, nor tried again', async () => {
    pane.load(PAGE);
    failToLoad();
    pane.say(starting(text()));
    failToLoad();
    await clock.advance(60_000);
    expect(isStatus(fake.loaded.at(-1))).toBe(true);
    expect(fake.loaded.filter((url) => url === PAGE)).toHaveLength(1);
  });

  test('is shown again where its process dies, with its ways, and ever later while that goes on', async () => {
    const quit = vi.fn();
    pane.say(starting(text()), { quit });
    const [status] = fake.loaded;
    emit('render-process-gone', {}, {});
    await clock.advance(1000);
    emit('render-process-gone', {}, {});
    await clock.advance(1999);
    expect(fake.loaded).toEqual([status, status]);
    await clock.advance(1);
    expect(fake.loaded).toEqual([status, status, status]);
    emit('will-frame-navigate', { url: 'https://keyswitch.invalid/quit', isMainFrame: true });
    expect(quit).toHaveBeenCalledOnce();
  });

  test('that has died does not come back over another one, or over a page', async () => {
    pane.say(starting(text()));
    emit('render-process-gone', {}, {});
    pane.say(startFailed(new Error('no port'), text(), []));
    await clock.advance(60_000);
    expect(fake.loaded).toHaveLength(2);
    emit('render-process-gone', {}, {});
    pane.load(PAGE);
    await clock.advance(60_000);
    expect(fake.loaded).toHaveLength(3);
    expect(fake.loaded.at(-1)).toBe(PAGE);
  });

  test('is not kept back by work on a page of the host, which nothing else takes away', () => {
    const isLeft = (): boolean => {
      let left = false;
      emit('will-prevent-unload', { preventDefault: () => (left = true) });
      return left;
    };
    pane.load(PAGE);
    expect(isLeft()).toBe(false);
    pane.say(starting(text()));
    expect(isLeft()).toBe(true);
  });

  test('has its own ways, which a page of the host does not have', () => {
    const quit = vi.fn();
    const follow = (isMainFrame: boolean): void =>
      emit('will-frame-navigate', { url: 'https://keyswitch.invalid/quit', isMainFrame });
    pane.say(starting(text()), { quit });
    follow(false);
    expect(quit).not.toHaveBeenCalled();
    follow(true);
    expect(quit).toHaveBeenCalledOnce();
    pane.load(PAGE);
    follow(true);
    expect(quit).toHaveBeenCalledOnce();
  });
});
