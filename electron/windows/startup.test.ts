import { beforeEach, expect, test, vi } from 'vitest';
import { KeyswitchError } from '../../server/errors.ts';
import { startUp } from './startup.ts';
import type { Ways } from './pane.ts';
import type { StatusPage } from './status-page.ts';

vi.mock('electron', () => ({ app: { getLocale: () => 'en', quit() {} } }));

const TAKEN = new KeyswitchError('port-in-use', 'The port is used.');
const made = { host: { close: vi.fn(async () => {}) } };
const said: { page: StatusPage; ways: Ways | undefined }[] = [];
const views = {
  say: (page: StatusPage, ways?: Ways) => void said.push({ page, ways }),
  isKiosk: () => isKiosk,
};
let isKiosk = false;
/** How each start under way ends, the last one last. */
const starts: PromiseWithResolvers<typeof made>[] = [];
const start = (): Promise<typeof made> => {
  starts.push(Promise.withResolvers());
  return starts.at(-1)!.promise;
};
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  made.host.close.mockClear();
  isKiosk = false;
  said.length = 0;
  starts.length = 0;
});

test('a start that fails is said, and is made again when somebody asks', async () => {
  const startup = startUp({ views, start });
  starts[0]!.reject(TAKEN);
  await settled();
  expect(said.at(-1)!.page.title).toBe('The port is in use');
  said.at(-1)!.ways!['try-again']!();
  expect(said.at(-1)!.page.isWaiting).toBe(true);
  starts[1]!.resolve(made);
  expect(await startup.started).toBe(made);
  expect(await startup.close()).toBe(0);
  expect(made.host.close).toHaveBeenCalledOnce();
});

test('a start that fails in a full screen offers no way out of it', async () => {
  isKiosk = true;
  startUp({ views, start });
  starts[0]!.reject(TAKEN);
  await settled();
  const { page, ways } = said.at(-1)!;
  expect(page.ways.map(({ action }) => action)).toEqual(['try-again']);
  expect(Object.keys(ways!)).toEqual(['try-again']);
});

test('what fails once there is a host is said as well; the host closes, and trying again is another process', async () => {
  const startup = startUp({ views, start });
  starts[0]!.resolve(made);
  await startup.started;
  const restart = vi.fn();
  await startup.giveUp(new Error('no tray'), restart);
  expect(made.host.close).toHaveBeenCalledOnce();
  const { page, ways } = said.at(-1)!;
  expect(page).toMatchObject({ title: 'Keyswitch cannot start', details: ['no tray'] });
  ways!['try-again']!();
  expect(restart).toHaveBeenCalledOnce();
  expect(starts).toHaveLength(1);
  expect(await startup.close()).toBe(1);
});

test('a host that comes while the desktop ends is closed, and nothing is set up on it', async () => {
  const startup = startUp({ views, start });
  const isSetUp = vi.fn();
  void startup.started.then(isSetUp);
  const closed = startup.close();
  starts[0]!.resolve(made);
  expect(await closed).toBe(0);
  expect(made.host.close).toHaveBeenCalledOnce();
  await settled();
  expect(isSetUp).not.toHaveBeenCalled();
});

test('a start that fails while the desktop ends opens no window any more', async () => {
  const startup = startUp({ views, start });
  const closed = startup.close();
  starts[0]!.reject(TAKEN);
  expect(await closed).toBe(2);
  expect(said).toHaveLength(1);
});
