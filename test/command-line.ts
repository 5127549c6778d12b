/** The command line as a person or a script uses it: real processes, what they print and how they end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { Control } from '../server/control.ts';

const ROOT = join(import.meta.dirname, '..');
const ENTRY = join(ROOT, 'server', 'keyswitch.js');

/** Hashes that cost next to nothing, as settings in the environment. */
const CHEAP = { KEYSWITCH_PASSWORDS_MEMORY_KIB: '8', KEYSWITCH_PASSWORDS_ITERATIONS: '1' };

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** What stands on standard input. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another program than `node server/keyswitch.js`, with what stands before the arguments. */
  readonly program?: readonly [string, ...string[]];
}

/** Starts the process; nothing of the settings of whoever runs the tests gets into it. */
function start(
  args: readonly string[],
  { env, program = [process.execPath, ENTRY] }: RunOptions,
): ChildProcess {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('KEYSWITCH_') && name !== 'NODE_OPTIONS',
  );
  const [command, ...before] = program;
  const child = spawn(command, [...before, ...args], {
    cwd: ROOT,
    env: { ...Object.fromEntries(own), ...CHEAP, ...env },
  });
  // Whatever becomes of the test: nothing goes on behind it.
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Runs a command to its end. */
export async function keyswitch(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = start(args, options);
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  child.stdin?.end(options.input ?? '');
  const [[code, signal], stdout, stderr] = await Promise.all([
    exited,
    text(child.stdout!),
    text(child.stderr!),
  ]);
  return { code, signal, stdout, stderr };
}

export interface Serving {
  readonly url: string;
  /** What it has printed so far, a line each. */
  readonly lines: readonly string[];
  readonly control: Control;
  /** Sends the signal, and waits for nothing. */
  signal(name: NodeJS.Signals): void;
  /** Sends the signal (by default SIGTERM), and resolves when the process is gone. */
  stop(name?: NodeJS.Signals): Promise<Ended>;
}

/** Starts `serve` on a free port, and resolves when it says that it is ready. */
export async function serve(
  dataFolder: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Serving> {
  const child = start(['serve', '--data', dataFolder, '--port', '0', ...args], options);
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const stderr = text(child.stderr!);
  const lines: string[] = [];
  const printed = createInterface({ input: child.stdout! });
  const closed = once(printed, 'close');
  const ready = new Promise<string>((resolve) => {
    printed.on('line', (line) => {
      lines.push(line);
      const [, url] = /^Keyswitch ready: (\S+)$/.exec(line) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
  const url = await Promise.race([ready, exited.then(() => null)]);
  if (url === null) throw new Error(`serve ended before it was ready: ${await stderr}`);
  return {
    url,
    lines,
    control: JSON.parse(readFileSync(join(dataFolder, 'control.json'), 'utf8')) as Control,
    signal: (name) => void child.kill(name),
    async stop(name = 'SIGTERM') {
      child.kill(name);
      const [code, signal] = await exited;
      await closed;
      return { code, signal, stdout: lines.join('\n'), stderr: await stderr };
    },
  };
}
