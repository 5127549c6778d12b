/** `keyswitch serve`: runs the host without a window until it is told to stop. */
import type { Command } from 'commander';
import { startHost, type Host } from '../host.ts';
import { keepYoungGenerationSmall } from '../young-generation.ts';
import { prepare } from './data-folder.ts';
import { print } from './output.ts';

interface ServeOptions {
  readonly data?: string;
  readonly port?: string;
  readonly host?: string;
  readonly set: Readonly<Record<string, string>>;
}

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('run the host without a window, until Ctrl-C or SIGTERM')
    .option('--data <folder>', 'data folder')
    .option('--port <number>', 'port to listen on; 0 picks a free one')
    .option('--host <address>', 'address to listen on')
    .option('--set <path=value>', 'any setting, such as log.level=debug; repeatable', collect, {})
    .action(serve);
}

function collect(text: string, former: Record<string, string>): Record<string, string> {
  const [path = '', ...value] = text.split('=');
  return { ...former, [path]: value.join('=') };
}

async function serve({ data, port, host, set }: ServeOptions): Promise<void> {
  keepYoungGenerationSmall();
  const flags = {
    ...set,
    ...(port !== undefined && { 'http.port': port }),
    ...(host !== undefined && { 'http.host': host }),
  };
  const { settings, ports } = prepare({ dataFolder: data, flags });
  const running = await startHost(settings, ports);
  // First: who reads that it is ready may stop it at once.
  const ended = closeOnSignal(running);
  announce(running);
  await ended;
}

/** Prints where it is and, at a first start, the way in: the one time that secret is shown. */
export function announce({ url, firstRun: { administrator } }: Host): void {
  if (administrator !== null) {
    print(`First sign-in: user ${administrator.username}, one-time secret ${administrator.oneTimeSecret}`);
    print('It is shown this once, good for 24 hours, and asks for a password of your own.');
    print(`Lost it? \`keyswitch user reset ${administrator.username}\` makes another one.`);
  }
  print(`Keyswitch ready: ${url}`);
}

/** Closes the host when the process is told to stop, and ends the process: nothing comes after the promise. */
export function closeOnSignal(host: Host): Promise<never> {
  const stop = (): void => {
    host.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`keyswitch: stopped with a fault: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  // Told twice, as Ctrl-C is by a terminal and again by npx, it must not end before it has closed.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return new Promise(() => {});
}
