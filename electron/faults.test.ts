import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

/** Runs a module that has the functions at hand, and begins with `code`. */
function run(code: string) {
  const script = `import { onFault, outliveReaders } from '${new URL('faults.ts', import.meta.url).href}'; ${code}`;
  // As Electron runs Node.
  return spawn(process.execPath, ['--unhandled-rejections=warn', '--input-type=module', '-e', script]);
}

test('what nobody catches is told, and the process goes on', async () => {
  const child = run(`
    onFault((error) => console.log('told', error.message));
    void Promise.reject(new Error('of a promise'));
    setImmediate(() => setImmediate(() => console.log('alive')));
    setImmediate(() => { throw new Error('of a timer'); });
  `);
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect(output.trim().split('\n')).toEqual(['told of a promise', 'told of a timer', 'alive']);
  expect(child.exitCode).toBe(0);
});

test('a reader of what is printed may go away, even where that is told there', async () => {
  const child = run(`
    outliveReaders();
    let told = 0;
    onFault((error) => { process.stderr.write(error.message); if (++told > 3) process.exit(9); });
    process.stdin.once('end', () => {
      process.stdout.write('nobody'); process.stderr.write('reads');
      setImmediate(() => setImmediate(() => setImmediate(() => process.exit(0))));
    }).resume();
  `);
  child.stdout.destroy();
  child.stderr.destroy();
  child.stdin.end();
  await once(child, 'exit');
  expect(child.exitCode).toBe(0);
});
