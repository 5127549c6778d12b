/** Importing a Jube.environment, as a person does it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keyswitch } from '../../test/command-line.ts';
import { newFolder } from '../../test/host.ts';

const KEY = 'ExtraSuperDuperSecretKeyCreatedOnFirstStartup';

test('import jube-environment takes over, tells names only, and replaces nothing unasked', async () => {
  const folder = newFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'Jube.environment');
  const data = join(folder, 'data');
  const run = (...flags: string[]) =>
    keyswitch(['import', 'jube-environment', file, '--data', data, ...flags]);

  expect(await run()).toMatchObject({
    code: 2,
    stdout: '',
    stderr: 'keyswitch: Jube.environment: is not there\n',
  });
  expect(existsSync(join(data, 'keyswitch.env'))).toBe(false);

  writeFileSync(file, `# Jube\nJWTKey=${KEY}\nJWTValidIssuer=http://localhost:5001\n`);
  expect(await run()).toMatchObject({
    code: 0,
    stdout: 'Taken over: JWT_VALID_ISSUER, JWT_KEY.\nA running host takes them up at its next start.\n',
    stderr: '',
  });
  expect(await run()).toMatchObject({ code: 0, stdout: 'The same already: JWT_VALID_ISSUER, JWT_KEY.\n' });

  writeFileSync(file, `JWTKey=${KEY}${KEY}\n`);
  const refused = await run();
  expect(refused).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^keyswitch: keyswitch\.env:\d+ JWT_KEY: .*--force.*void\n$/) as string,
  });
  expect(await run('--force')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Replaced: JWT_KEY\.\n/) as string,
  });
  expect(readFileSync(join(data, 'keyswitch.env'), 'utf8')).toContain(`JWT_KEY=${KEY}${KEY}\n`);
  expect(refused.stderr).not.toContain(KEY);
});
