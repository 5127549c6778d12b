import { describe, expect, test } from 'vitest';
import { readCommand } from './headless.ts';

describe('a start', () => {
  test.each([
    [['serve', '--port', '0']],
    [['user', 'add', 'anna']],
    [['--version']],
    [['-h']],
    // Not a command there is: the command line says so, and no window opens.
    [['sevre']],
  ])('with %j is for the command line, which gets all of it', (given) => {
    expect(readCommand(['/opt/Keyswitch/keyswitch', ...given])).toEqual(given);
    const switches = ['--no-sandbox', '--ozone-platform=headless'];
    expect(readCommand(['/opt/Keyswitch/keyswitch', ...switches, ...given])).toEqual(given);
  });

  test.each([
    [[]],
    [['--data', 'serve']],
    [['--no-sandbox']],
    [['--no-sandbox', '--port', '0']],
    [['--updated']],
    // How Electron itself is told which product to run.
    [['/work/keyswitch', 'serve']],
    [['.']],
    [['C:\\Program Files\\Keyswitch']],
  ])('with %j is for the desktop', (given) => {
    expect(readCommand(['Keyswitch.exe', ...given])).toBeNull();
  });
});
