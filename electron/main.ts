/** The desktop, as a table of contents: the host in this process, windows on it, and what the operating system is told. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { app } from 'electron';
import { z } from 'zod';
import { prepare } from '../server/cli/data-folder.ts';
import { reportFailure } from '../server/cli/output.ts';
import { announce } from '../server/cli/serve.ts';
import { startHost } from '../server/host.ts';
import { createSystemClock, type Clock } from '../server/ports/clock.ts';
import { keepYoungGenerationSmall } from '../server/young-generation.ts';
import { readCommandLine, type CommandLine } from './command-line.ts';
import { showFirstSignIn } from './dialogs.ts';
import { onFault, outliveReaders } from './faults.ts';
import { setupGuards, type Guards } from './guards.ts';
import { readCommand, runCommand } from './headless.ts';
import { createIpc } from './ipc/handle.ts';
import { openKeyStore } from './key-store.ts';
import { openMemory } from './windows/memory.ts';
import { setupNotifications } from './notifications/notifications.ts';
import { restart } from './program.ts';
import { setupMenu, setupQuit } from './quit.ts';
import { endWithSecrets } from './secrets.ts';
import { setupPresence } from './presence/presence.ts';
import { setupSingleInstance } from './single-instance.ts';
import { setupStartWithSystem } from './start-with-system.ts';
import { startUp } from './windows/startup.ts';
import { createStation } from './station.ts';
import { setupTray } from './tray/tray.ts';
import { setupUpdates } from './updates/setup.ts';
import { setupViews, type Frame } from './windows/views.ts';

setupThreadPool();
keepYoungGenerationSmall();
const command = readCommand(process.argv);
if (command !== null) await runCommand(command);
outliveReaders();
onFault(reportFailure);
// Not awaited: Electron is not ready before this module has been evaluated.
start().catch((error: unknown) => app.exit(reportFailure(error)));

async function start(): Promise<void> {
  setupName();
  const commandLine = readCommandLine(process.argv);
  const instance = setupSingleInstance(commandLine.dataFolder);
  if (commandLine.secrets !== null) return endWithSecrets(commandLine.secrets, commandLine.dataFolder);
  if (instance === 'second') return app.exit();
  await app.whenReady();

  const clock = createSystemClock();
  const guards = setupGuards();
  // Before there is a window, which would have Electron's own: with reload, and links to elsewhere.
  setupMenu(() => false);
  const views = setupViews(openMemory(join(commandLine.dataFolder, 'desktop', 'window.json'), clock), clock);
  const startup = startUp({
    views,
    start: () => startOn(commandLine),
    // Where Electron keeps its own files is decided once a process.
    ...(instance === 'unknown' && { restart: restartProcess }),
  });
  setupQuit({ startup, views, clock });
  await startup.started
    .then((started) => setUp(started, { commandLine, clock, guards, views }))
    .catch((error: unknown) => startup.giveUp(error, restartProcess));
}

interface Desktop {
  readonly commandLine: CommandLine;
  readonly clock: Clock;
  readonly guards: Guards;
  readonly views: Frame;
}

/** Once there is a host. */
async function setUp(
  { host, config, random, log }: Awaited<ReturnType<typeof startOn>>,
  { commandLine, clock, guards, views }: Desktop,
): Promise<void> {
  const { desktop } = config;
  const { url } = host;
  onFault((err) => log.error({ err }, 'a failure that nobody has caught'));
  const station = createStation(host, log);
  guards.admit(host, () => !views.isKiosk());
  const { handle, handleInvoke } = createIpc({ origin: new URL(url).origin, viewOf: views.viewOf, log });
  handle('desktop', z.tuple([]), (view) => ({
    stationAppId: station.app.id,
    view,
    kiosk: views.isKiosk(),
  }));
  handleInvoke('show', z.tuple([z.enum(['window', 'bar'])]), (_from, view) => views.show(view));
  handleInvoke('leave-kiosk', z.tuple([]), () => views.leaveKiosk());
  views.enter(url, station, desktop.kiosk);
  setupMenu(station.isAdministrator);
  const updates = setupUpdates({ host, station, clock, random, log }, config, commandLine);
  setupTray({ host, station, views, updates, clock, log });
  setupPresence({ host, station, views, clock, log }, desktop);
  setupNotifications({ host, station, views, updates, clock }, desktop);
  setupStartWithSystem(desktop.startWithSystem, commandLine.dataFolder, log);
  announce(host);
  await showFirstSignIn(host);
}

/** Windows notifies for programs that it knows by the name in their shortcut: `appId` in `electron-builder.yml`. */
function setupName(): void {
  if (process.platform === 'win32') app.setAppUserModelId('app.keyswitch.desktop');
}

/** A hash holds a thread of libuv's pool for its whole time; files and signatures must find one free. */
function setupThreadPool(): void {
  process.env['UV_THREADPOOL_SIZE'] ??= String(availableParallelism() + 4);
}

async function startOn({ dataFolder, flags }: CommandLine) {
  const keyStore = openKeyStore(join(dataFolder, 'desktop'));
  const { settings, ports, closeLog } = prepare({ dataFolder, flags, keyStore });
  const { random, log } = ports;
  try {
    return { host: await startHost(settings, ports), config: settings.config, random, log };
  } catch (err) {
    // Where there is no console, nobody sees what is printed.
    log.error({ err }, 'the host could not be started');
    // The next try opens it again.
    closeLog();
    throw err;
  }
}

function restartProcess(): void {
  restart(app, process);
}
