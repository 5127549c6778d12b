/** Starts an S7 PLC for a test or the demo, and breaks it on demand. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { S7ServerAnswer, S7ServerRequest } from './s7-server-process.ts';

export interface S7ServerOptions {
  /** The port on 127.0.0.1; a free one by default. */
  readonly port?: number;
  /** Number of its one data block, 250 by default. */
  readonly db?: number;
  /** Bytes of the data block, 512 by default; all are 0 at the start. */
  readonly size?: number;
}

/** A running PLC; offsets are bytes within its data block, values unsigned. */
export interface S7Server extends AsyncDisposable {
  readonly port: number;
  getByte(offset: number): Promise<number>;
  setByte(offset: number, value: number): Promise<void>;
  getWord(offset: number): Promise<number>;
  setWord(offset: number, value: number): Promise<void>;
  getDoubleWord(offset: number): Promise<number>;
  setDoubleWord(offset: number, value: number): Promise<void>;
  /** Pulls the power plug; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Stops it without closing anything (SIGSTOP), as a hung CPU would; resolves when it stands still. Not on Windows. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Ends it, frozen or not; also when disposed of. */
  close(): Promise<void>;
}

const GONE = 'the S7 server is gone';

/** Starts one and resolves when it listens. Rejects when its port is taken, or node-snap7 is not compiled (`node build/snap7.ts`). */
export async function startS7Server(options: S7ServerOptions = {}): Promise<S7Server> {
  const { port = 0, db = 250, size = 512 } = options;
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 's7-server-process.ts'), `--port=${port}`, `--db=${db}`, `--size=${size}`],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const gone = once(child, 'exit');
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  void gone.then(() => process.off('exit', killWithUs));
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), gone.then(() => undefined)]);
  if (first === undefined) throw new Error('the S7 server did not start: its reason stands above');

  const waiting = new Map<number, PromiseWithResolvers<number>>();
  let requests = 0;
  lines.on('line', (line) => {
    const { id, value } = JSON.parse(line) as S7ServerAnswer;
    waiting.get(id)?.resolve(value);
    waiting.delete(id);
  });
  void gone.then(() => waiting.forEach(({ reject }) => reject(new Error(GONE))));
  child.stdin.on('error', () => undefined); // It was killed while we asked: `gone` tells.

  function ask(request: Omit<S7ServerRequest, 'id'>): Promise<number> {
    if (child.exitCode !== null || child.signalCode !== null) return Promise.reject(new Error(GONE));
    const answer = Promise.withResolvers<number>();
    const id = ++requests;
    waiting.set(id, answer);
    child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    return answer.promise;
  }

  async function end(): Promise<void> {
    child.kill('SIGKILL');
    await gone;
  }

  return {
    port: (JSON.parse(String(first[0])) as { port: number }).port,
    getByte: (offset) => ask({ offset, bytes: 1 }),
    setByte: async (offset, value) => void (await ask({ offset, bytes: 1, value })),
    getWord: (offset) => ask({ offset, bytes: 2 }),
    setWord: async (offset, value) => void (await ask({ offset, bytes: 2, value })),
    getDoubleWord: (offset) => ask({ offset, bytes: 4 }),
    setDoubleWord: async (offset, value) => void (await ask({ offset, bytes: 4, value })),
    kill: end,
    async freeze() {
      child.kill('SIGSTOP');
      while (!standsStill(child.pid)) await new Promise((resolve) => setImmediate(resolve));
    },
    thaw: () => void child.kill('SIGCONT'),
    close: end,
    [Symbol.asyncDispose]: end,
  };
}

/** A signal is sent before every thread has obeyed it; Linux tells when they have. Elsewhere it is taken for done. */
function standsStill(pid: number | undefined): boolean {
  if (process.platform !== 'linux' || pid === undefined) return true;
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).every((task) => / T /.test(readFileSync(join(tasks, task, 'stat'), 'utf8')));
}
