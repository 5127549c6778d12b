/** What every bench shares: children that surely end, load, rounds that take turns, and the arithmetic of samples. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { openConnections, type Connection, type Endpoint } from './client.ts';

/** What a bench found: printed as a line, written as JSON. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  /** One figure a round; their median counts. */
  readonly rounds: readonly number[];
  /** What took turns with it in the same rounds. */
  readonly against?: Row;
  readonly target?: Target;
}

/**
 * `times`: that many times the figure of `against` at least. `within`: at most that many times. `beyond`: less than so
 * much more than it. `below`: less.
 */
export interface Target {
  readonly kind: 'times' | 'within' | 'beyond' | 'below';
  readonly limit: number;
}

export interface Bench {
  readonly title: string;
  run(): Promise<readonly Row[]>;
}

/** How long a child may take to say that it is ready, and a short one to finish. */
const CHILD_TIMEOUT_MS = 60_000;
const children = new Set<ChildProcess>();
const folders = new Set<string>();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** Makes a folder that goes with this process. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyswitch-bench-'));
  folders.add(folder);
  return folder;
}

export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** What `pattern` caught in the line that said it was ready. */
  readonly ready: string;
  /** From its start to that line, in milliseconds. */
  readonly readyAfterMs: number;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** How long one that runs to its end may take. */
  readonly timeoutMs?: number;
}

/** Starts Node on `args` and resolves with the first line that `pattern` matches; it is killed when disposed of. */
export async function startChild(
  args: readonly string[],
  pattern: RegExp,
  options: ChildOptions = {},
): Promise<Child> {
  const startedAt = performance.now();
  const { child, gone } = spawnNode(args, options);
  const timeout = setTimeout(() => child.kill('SIGKILL'), CHILD_TIMEOUT_MS);
  const ready = Promise.withResolvers<{ match: string; at: number }>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const match = pattern.exec(line)?.[1];
    if (match !== undefined) ready.resolve({ match, at: performance.now() });
  });
  gone.then((end) => ready.reject(new Error(`${args[0]} ended before it was ready (${end})`)), ready.reject);
  const { match, at } = await ready.promise.finally(() => clearTimeout(timeout));
  return {
    pid: child.pid ?? 0,
    ready: match,
    readyAfterMs: at - startedAt,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await Promise.race([gone, sleep(5000, undefined, { ref: false })]);
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Runs Node on `args` to its end and resolves with what it printed. */
export async function runChild(args: readonly string[], options: ChildOptions = {}): Promise<string> {
  const { child, gone } = spawnNode(args, options);
  const timeout = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? CHILD_TIMEOUT_MS);
  const [printed, end] = await Promise.all([text(child.stdout), gone]);
  clearTimeout(timeout);
  if (end !== 'code 0') throw new Error(`${args.join(' ')} failed (${end})`);
  return printed;
}

function spawnNode(args: readonly string[], { env = {}, input = '' }: ChildOptions) {
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production', ...env },
  });
  children.add(child);
  child.stdin.on('error', () => undefined); // It ended before it read: its end tells.
  child.stdin.end(input);
  const gone = once(child, 'exit').then(([code, signal]) => {
    children.delete(child);
    return signal === null ? `code ${code}` : String(signal);
  });
  return { child, gone };
}

/** Runs the sides in turn, `count` times each: what drifts on the machine drifts for all of them. */
export async function takeTurns<Side extends string, Figure>(
  count: number,
  sides: Readonly<Record<Side, () => Promise<Figure>>>,
): Promise<Record<Side, Figure[]>> {
  const names = Object.keys(sides) as Side[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as Figure[]])) as Record<Side, Figure[]>;
  for (let round = 0; round < count; round++) {
    for (const name of names) figures[name].push(await sides[name]());
  }
  return figures;
}

export interface Throughput {
  /** Answers a second. */
  readonly rate: number;
  /** How many cores the server kept busy meanwhile. */
  readonly cores: number;
}

/** Keeps `count` connections to `server` busy with `request` for `seconds`, after a second that does not count. */
export async function measureThroughput(
  server: Endpoint & Pick<Child, 'pid'>,
  request: Buffer,
  { count, seconds }: { count: number; seconds: number },
): Promise<Throughput> {
  const connections = await openConnections(server, count);
  const load = startLoad(connections, request);
  const look = () => ({ answers: load.answers(), busy: processorSeconds(server.pid), at: performance.now() });
  await Promise.race([sleep(1000), load.ended]);
  const before = look();
  await Promise.race([sleep(seconds * 1000), load.ended]);
  const after = look();
  await load.stop();
  for (const connection of connections) connection.close();
  const elapsed = (after.at - before.at) / 1000;
  return { rate: (after.answers - before.answers) / elapsed, cores: (after.busy - before.busy) / elapsed };
}

export interface Load {
  answers(): number;
  /** Rejects when a request failed. */
  readonly ended: Promise<void>;
  /** Sends no more, and waits for the answers under way. */
  stop(): Promise<void>;
}

export function startLoad(connections: readonly Connection[], request: Buffer): Load {
  let answers = 0;
  let isStopped = false;
  const repeat = async (connection: Connection): Promise<void> => {
    for (; !isStopped; answers++) await connection.exchange(request);
  };
  const ended = Promise.all(connections.map(repeat)).then(() => undefined);
  return {
    answers: () => answers,
    ended,
    stop: () => {
      isStopped = true;
      return ended;
    },
  };
}

/** How much processor time the process has had, in seconds (Linux; NaN elsewhere). */
export function processorSeconds(pid: number): number {
  const ticks = readProcess(pid, 'stat').replace(/.*\) /, '').split(' ').slice(11, 13);
  return ticks.reduce((sum, each) => sum + Number(each) / TICKS_A_SECOND, 0);
}

/** The memory the process holds now, in MiB (Linux; NaN elsewhere). */
export function residentMib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readProcess(pid, 'status'))?.[1]) / 1024;
}

const TICKS_A_SECOND = 100;

function readProcess(pid: number, file: string): string {
  return process.platform === 'linux' ? readFileSync(`/proc/${pid}/${file}`, 'utf8') : '';
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

/** The smallest sample that `percent` of all do not exceed (nearest rank). */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? NaN;
}
