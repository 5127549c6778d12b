/** `npm run demo`: the sample plant with a real S7 server as its PLC, all on this machine, gone when it ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { closeOnSignal } from '../server/cli/serve.ts';
import { prepare } from '../server/cli/data-folder.ts';
import { reportFailure } from '../server/cli/output.ts';
import { firstRun, type FirstCredential } from '../server/first-run.ts';
import { startHost } from '../server/host.ts';
import { HOST_ACTOR } from '../server/audit/audit.ts';
import { startS7Server } from './s7-server.ts';

const DATA_BLOCK = 250;
const WORD = 188;

async function demo(): Promise<void> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'keyswitch-demo-'));
  process.once('exit', () => rmSync(dataFolder, { recursive: true, force: true }));

  const plc = await startS7Server({ db: DATA_BLOCK });
  const { settings, ports } = prepare({ dataFolder, flags: {} });
  const host = await startHost(settings, ports);
  const { sample } = await firstRun(host.features, {
    sample: true,
    ...settings.config.sessions,
  });
  if (sample === null) throw new Error('the sample was not made');
  await host.features.links.add(
    {
      connection: `Data Source=127.0.0.1:${plc.port},0,2`,
      area: `DB${DATA_BLOCK}`,
      address: `W${WORD}`,
      appId: sample.app.id,
      defaultValue: 0,
      onConnect: 'host',
      allowAdmin: false,
    },
    HOST_ACTOR,
  );

  const users: FirstCredential[] = [...sample.users];
  if (host.firstRun.administrator !== null) users.push(host.firstRun.administrator);
  console.log('\nA plant to play with. Its certificate is its own: the browser will ask once.\n');
  for (const { username, oneTimeSecret } of users) console.log(`  ${username.padEnd(14)} ${oneTimeSecret}`);
  console.log('\nEach is asked for a password of their own at the first sign-in (15 characters or more).');
  console.log(
    `The PLC word DB${DATA_BLOCK}.DBW${WORD} is 5 for the operator, 9 for the supervisor, 0 for nobody.`,
  );
  console.log('Type a number to set it as the PLC would, or Enter to read it. Ctrl-C ends.\n');
  console.log(`The HMI:         ${host.url}/?app=${sample.app.id}`);
  console.log(`Keyswitch ready: ${host.url}`);

  const lines = createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    if (/^\d+$/.test(line.trim())) await plc.setWord(WORD, Number(line));
    console.log(`DB${DATA_BLOCK}.DBW${WORD} = ${await plc.getWord(WORD)}`);
  });
  process.once('exit', () => plc.kill());
  void closeOnSignal(host);
}

demo().catch((error: unknown) => process.exit(reportFailure(error)));
