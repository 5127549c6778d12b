/** `keyswitch audit`: verifies the audit trail, whether the host runs or not, and moves old rows to archives. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { deriveKeys, readKeyFile } from '../audit/keys.ts';
import { KEY_FILE } from '../audit/signatures.ts';
import { runVerification } from '../audit/verify-run.ts';
import type { Breach, Problem, Verdict } from '../audit/verify.ts';
import { loadConfig } from '../config/load.ts';
import { KeyswitchError, messageOf } from '../errors.ts';
import { parseEnvFile } from '../secrets/env-file.ts';
import { isSealed } from '../secrets/sealing.ts';
import { readEnvText, SECRETS_FILE } from '../secrets/secrets.ts';
import type { ChainHead } from '../store/chain.ts';
import { STORE_FILE } from '../store/store.ts';
import { administer, resolveDataFolder } from './data-folder.ts';
import { print, printJson, reportFailure } from './output.ts';

interface VerifyOptions {
  readonly data?: string;
  readonly key?: string;
  readonly archives?: string;
  readonly expect?: ChainHead;
  readonly json: boolean;
}

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('the audit trail');
  audit
    .command('verify')
    .description('verify the trail; exit code 0: intact, 1: broken, 2: it cannot be checked')
    .option('--data <folder>', 'data folder')
    .option('--key <file>', `public keys to believe (default: ${KEY_FILE} in the data folder)`)
    .option('--archives <folder>', 'where the archive files are (default: audit.archiveFolder)')
    .option(
      '--expect <seq:hash>',
      'a checkpoint noted elsewhere that the trail must agree with',
      parseExpected,
    )
    .option('--json', 'print JSON', false)
    .action(verify);
  audit
    .command('archive')
    .description('move the rows that are older than audit.retentionDays to archive files')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(async ({ data, json }: { data?: string; json: boolean }) => {
      const done = await administer({ dataFolder: data }, (it) => it.archiveAudit());
      if (json) printJson(done);
      else print(done.rows === 0 ? 'No row is old enough.' : `${done.rows} rows were archived.`);
    });
}

function parseExpected(text: string): ChainHead {
  const [, seq, hash] = /^(\d+):([0-9a-f]{64})$/i.exec(text) ?? [];
  if (seq === undefined || hash === undefined) throw new InvalidArgumentError('Give <row>:<64 hex digits>.');
  return { seq: Number(seq), hash: hash.toLowerCase() };
}

function verify(options: VerifyOptions): void {
  let verdict: Verdict;
  try {
    verdict = check(options);
  } catch (error) {
    // Whatever stopped it: 1 is kept for a trail that was read and found broken.
    reportFailure(error);
    process.exitCode = 2;
    return;
  }
  tell(verdict, options.json);
  process.exitCode = verdict.breach === null ? 0 : 1;
}

/** Reads what is there and writes nothing, so that it may run beside the host. */
function check({ data, key, archives, expect }: VerifyOptions): Verdict {
  const folder = resolve(resolveDataFolder(data));
  const file = join(folder, STORE_FILE);
  if (!existsSync(file)) throw cannot(`${file} is not there. Give the data folder with --data.`);
  const { audit } = loadConfig({ dataFolder: folder, env: process.env, flags: {} });
  const keyFile = key ?? join(folder, KEY_FILE);
  try {
    return runVerification({
      file,
      archiveFolder: resolve(folder, archives ?? audit.archiveFolder),
      keys: readFileSync(keyFile, 'utf8'),
      sealKey: sealKeyOf(folder),
      expected: expect ?? null,
    });
  } catch (error) {
    throw cannot(`The audit trail cannot be checked: ${messageOf(error)}.`, error);
  }
}

function cannot(message: string, cause?: unknown): KeyswitchError {
  return new KeyswitchError('data-folder-unusable', message, { cause });
}

/** The key of the seal, where SECRET_PWD_KEY can be read and is the one with which the end was sealed. */
function sealKeyOf(folder: string): Uint8Array | null {
  const name = 'SECRET_PWD_KEY';
  const file = parseEnvFile(readEnvText(join(folder, SECRETS_FILE), SECRETS_FILE) ?? '', SECRETS_FILE);
  const secret = process.env[name] ?? file.values.get(name)?.value;
  if (secret === undefined || isSealed(secret)) return null;
  const { seal, check: own } = deriveKeys(Buffer.from(secret));
  const known = readKeyFile(folder)?.check ?? own;
  return known === own ? seal : null;
}

function tell(verdict: Verdict, json: boolean): void {
  const { breach, checked, archived, lastSeq, checkpoints, lastCheckpoint, isEndSealed } = verdict;
  if (json) {
    const last = lastCheckpoint === null ? null : { seq: lastCheckpoint.seq, hash: lastCheckpoint.hash };
    const state = breach === null ? 'intact' : 'broken';
    printJson({ state, breach, checked, archived, lastSeq, checkpoints, lastCheckpoint: last, isEndSealed });
    return;
  }
  if (breach !== null) {
    print(`The audit trail is broken at row ${breach.seq}: ${SENTENCES[breach.problem]}.`);
    print(provenTo(breach));
    return;
  }
  print(`The audit trail is intact: ${checked} rows, ${archived} of them in archives, up to row ${lastSeq}.`);
  if (lastCheckpoint !== null) {
    print(`${checkpoints} checkpoints; the last is ${lastCheckpoint.seq}:${lastCheckpoint.hash}`);
  }
  if (!isEndSealed) {
    print(
      `The end was not checked: without SECRET_PWD_KEY nothing vouches for what follows row ${lastCheckpoint?.seq ?? 0}.`,
    );
  }
}

function provenTo({ provenTo: seq }: Breach): string {
  return seq === 0 ? 'No checkpoint before it holds.' : `Rows 1 to ${seq} are as a signed checkpoint says.`;
}

const SENTENCES: Readonly<Record<Problem, string>> = {
  edited: 'it was changed after it was written',
  missing: 'it is not there, and later ones are',
  inserted: 'it was not written by Keyswitch',
  reordered: 'another row stands in its place',
  're-hashed': 'it or one after it was changed, and the hashes were computed anew',
  'cut-off': 'the trail ends before it',
  'added-at-the-end': 'it was added after the end',
  'seal-broken': 'the seal of the end does not belong to it or what follows',
  'checkpoint-forged': 'its checkpoint is not signed with a key that counts',
  'archive-missing': 'the archive that holds it cannot be read',
  'archive-changed': 'the archive that holds it is not as it was signed',
  'not-as-expected': 'it is not the one that was noted',
};
