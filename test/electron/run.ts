/** `npm run test:electron`: the desktop's tests in real Electron, or in one line why they cannot run here. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { missingForDesktop } from '../../build/electron.ts';
import { ROOT } from './desktop.ts';

const missing = missingForDesktop();
if (missing === null) {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(import.meta.dirname, 'vitest.config.ts');
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', config], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} else {
  console.error(`${missing}: the tests in real Electron have not run.`);
  process.exitCode = 1;
}
