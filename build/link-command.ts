/** Puts the command where `npx keyswitch` looks first: npm links the commands of dependencies, not a project's own. */
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', 'node_modules', '.bin');
const command = join(folder, 'keyswitch');

if (process.platform === 'win32') {
  writeFileSync(`${command}.cmd`, '@node "%~dp0\\..\\..\\server\\keyswitch.js" %*\r\n');
} else {
  rmSync(command, { force: true });
  symlinkSync('../../server/keyswitch.js', command);
}
