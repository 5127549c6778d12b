import type { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createFixedClock } from '../../server/ports/clock.ts';
import { openMemory } from './memory.ts';
import { startFailed, starting } from './status.ts';
import { text } from '../text.ts';
import { setupViews, type Frame } from './views.ts';

const PAGE = 'https://127.0.0.1:8443/';

/** The full window, and its page, whose loading a test begins and ends. */
const fake = vi.hoisted(() => ({
  ...{ isVisible: false, isLoading: false, url: '', told: [] as string[] },
  window: null as unknown as EventEmitter & { webContents: EventEmitter },
}));

vi.mock('electron', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  class FakeWindow extends Emitter {
    webContents = Object.assign(new Emitter(), {
      getURL: () => fake.url,
      isLoading: () => fake.isLoading,
      isDestroyed: () => false,
      send: (channel: string) => void fake.told.push(channel),
    });
    constructor() {
      super();
      fake.window = this;
      for (const silent of ['setKiosk', 'setClosable', 'setMinimizable', 'setMovable', 'focus', 'maximize']) {
        Object.assign(this, { [silent]: () => {} });
      }
    }
    isMinimized = (): boolean => false;
    isVisible = (): boolean => fake.isVisible;
    show = (): void => void (fake.isVisible = true);
    hide = (): void => void (fake.isVisible = false);
    async loadURL(url: string): Promise<void> {
      Object.assign(fake, { url, isLoading: true });
    }
  }
  const area = { x: 0, y: 0, width: 1920, height: 1080 };
  return {
    BrowserWindow: FakeWindow,
    app: { getLocale: () => 'en', on() {} },
    ipcMain: {},
    nativeTheme: new Emitter(),
    screen: Object.assign(new Emitter(), {
      getPrimaryDisplay: () => ({ workArea: area }),
      getAllDisplays: () => [{ bounds: area, workArea: area }],
    }),
  };
});

let views: Frame;

beforeEach(() => {
  Object.assign(fake, { isVisible: false, isLoading: false, url: '', told: [] });
  const clock = createFixedClock();
  views = setupViews(openMemory('/nowhere/window.json', clock), clock);
});

function come(url = fake.url): void {
  Object.assign(fake, { isLoading: false, url });
  fake.window.webContents.emit('did-stop-loading');
}

function close(): boolean {
  let isPrevented = false;
  fake.window.emit('close', { preventDefault: () => (isPrevented = true) });
  return isPrevented;
}

describe('another user is asked for', () => {
  test('at once where the page is there', () => {
    come(PAGE);
    views.switchUser();
    come();
    expect(fake.told).toEqual(['switch-user']);
  });

  test('once the page has come, past whatever stood there until then', () => {
    views.say(starting(text()));
    views.switchUser();
    come();
    expect(fake.told).toEqual([]);
    Object.assign(fake, { url: PAGE, isLoading: true });
    views.switchUser();
    expect(fake.told).toEqual([]);
    come();
    come();
    expect(fake.told).toEqual(['switch-user']);
  });
});

describe('closing the window', () => {
  test('hides it, and it does not come back by itself with a page that comes later', () => {
    views.say(starting(text()));
    fake.window.emit('ready-to-show');
    expect(fake.isVisible).toBe(true);
    views.say(starting(text()));
    expect(close()).toBe(true);
    fake.window.emit('ready-to-show');
    expect(fake.isVisible).toBe(false);
  });

  test('gives up where the start has failed, for nothing else could bring it back', () => {
    const quit = vi.fn();
    views.say(startFailed(new Error('x'), text(), ['try-again', 'quit']), { quit });
    expect(close()).toBe(true);
    expect(quit).toHaveBeenCalledOnce();
    views.say(starting(text()));
    close();
    expect(quit).toHaveBeenCalledOnce();
    expect(fake.isVisible).toBe(false);
  });
});
