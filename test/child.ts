/** Runs a piece of the house in a process of its own, so that a test can kill it as a power cut would. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

export interface Child {
  /** Ends it at once, without letting it do anything (SIGKILL); resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts `script`, an ES module that finds `args` in `process.argv` from index 1 on and imports the house by its
 * absolute address; resolves when it has printed `ready`. Killed after the test at the latest.
 */
export async function startChild(script: string, ...args: string[]): Promise<Child> {
  // Its kind is left for Node to see: with --input-type the house's worker thread would not start.
  const child = spawn(process.execPath, ['--eval', script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  onTestFinished(kill);
  for await (const line of createInterface(child.stdout)) if (line === 'ready') return { kill };
  throw new Error('the child ended before it was ready');
}

/** The address of a module of the house, for a child's script: `server/store/store.ts`. */
export function moduleUrl(path: string): string {
  return new URL(`../${path}`, import.meta.url).href;
}
