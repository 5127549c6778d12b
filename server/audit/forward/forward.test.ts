import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openHouse, temporaryFolder, type House } from '../../../test/house.ts';
import { makeCertificate, startSyslogReceiver, type SyslogReceiver } from '../../../test/syslog-receiver.ts';
import { createFixedRandom } from '../../ports/random.ts';
import { HOST_ACTOR } from '../audit.ts';
import { createFileTarget } from './file-target.ts';
import { createForwarder, retryDelayMs, type Forwarder } from './forward.ts';
import { createSyslogTarget, type SyslogOptions } from './syslog-target.ts';
import type { Target } from './target.ts';

async function openReceiver(
  options: Parameters<typeof startSyslogReceiver>[0] = {},
): Promise<SyslogReceiver> {
  const receiver = await startSyslogReceiver(options);
  onTestFinished(() => receiver.close());
  return receiver;
}

function forwarderOf(house: House, ...targets: Target[]): Forwarder {
  const { store, audit } = house.features;
  const { clock, random, log } = house;
  const forwarder = createForwarder({ store, audit, clock, random, log }, targets);
  onTestFinished(() => forwarder.close());
  return forwarder;
}

function syslogTo(house: House, receiver: SyslogReceiver, options: Partial<SyslogOptions> = {}): Target {
  const { port, fingerprint } = receiver;
  return createSyslogTarget(
    { host: '127.0.0.1', port, fingerprint, ownName: 'station-1', ...options },
    house.clock,
  );
}

async function append(house: House, ...subjects: string[]): Promise<void> {
  const { store, audit } = house.features;
  await store.write(async (writer) => {
    for (const subject of subjects) {
      await audit.append(writer, { action: 'sign-in', actor: HOST_ACTOR, subject });
    }
  });
}

/** Lets the clock go on, a second at a time, while what the machine does takes its own time, until `isDone`. */
async function until(house: House, isDone: () => boolean): Promise<void> {
  await vi.waitFor(
    async () => {
      await house.clock.advance(1000);
      if (!isDone()) throw new Error('not yet');
    },
    { timeout: 30_000, interval: 5 },
  );
}

const isCurrent = (forwarder: Forwarder) => (): boolean =>
  forwarder.status().every(({ state }) => state === 'current');
const isFailing = (forwarder: Forwarder) => (): boolean => forwarder.status()[0]?.state === 'failing';
const seqsOf = ({ messages }: SyslogReceiver): number[] =>
  messages.filter(({ msgId }) => msgId !== 'checkpoint').map(({ parameters }) => Number(parameters['seq']));
const subjectsOf = ({ messages }: SyslogReceiver): (string | undefined)[] =>
  messages.map(({ parameters }) => parameters['subject']);

describe('a syslog receiver', () => {
  test('gets the whole trail, in order, then what is added to it', async () => {
    const house = await openHouse();
    await append(house, 'a', 'b');
    const receiver = await openReceiver();
    const forwarder = forwarderOf(house, syslogTo(house, receiver));
    await until(house, isCurrent(forwarder));
    await append(house, 'c');
    await until(house, isCurrent(forwarder));
    const trail = await house.audit();
    expect(seqsOf(receiver)).toEqual(trail.map(({ seq }) => seq));
    expect(subjectsOf(receiver).slice(-3)).toEqual(['a', 'b', 'c']);
    expect(receiver.faults).toEqual([]);
    expect(forwarder.status()).toEqual([
      { target: 'syslog', state: 'current', behind: 0, since: null, lastError: null },
    ]);
    expect(forwarder.copiedTo()).toBe(trail.at(-1)?.seq);
  });

  test('gets many entries in several deliveries', async () => {
    const house = await openHouse();
    const subjects = Array.from({ length: 1200 }, (_, i) => `ü${i}`);
    await append(house, ...subjects);
    const receiver = await openReceiver();
    const forwarder = forwarderOf(house, syslogTo(house, receiver));
    await until(house, isCurrent(forwarder));
    expect(subjectsOf(receiver).filter((subject) => subject?.startsWith('ü'))).toEqual(subjects);
    expect(receiver.connections()).toBe(3);
  });

  test('gets together what comes within a second', async () => {
    const house = await openHouse();
    const receiver = await openReceiver();
    const forwarder = forwarderOf(house, syslogTo(house, receiver));
    await append(house, 'a');
    await until(house, isCurrent(forwarder));
    const before = receiver.connections();
    for (const subject of ['b', 'c', 'd']) await append(house, subject);
    await until(house, isCurrent(forwarder));
    expect(receiver.connections()).toBe(before + 1);
  });

  test('gets checkpoints after the entries that they sign', async () => {
    const house = await openHouse({ config: { audit: { checkpointRows: 10 } } });
    await append(house, ...Array.from({ length: 25 }, (_, i) => `${i}`));
    await house.settle();
    const receiver = await openReceiver();
    const forwarder = forwarderOf(house, syslogTo(house, receiver));
    const checkpoints = () => receiver.messages.filter(({ msgId }) => msgId === 'checkpoint');
    await until(house, () => isCurrent(forwarder)() && checkpoints().length > 0);
    const parameters: Record<string, string> = checkpoints()[0]?.parameters ?? {};
    const signed = receiver.messages.find((message) => message.parameters['seq'] === parameters['seq']);
    expect(parameters['hash']).toBe(signed?.parameters['hash']);
    expect(parameters['signature']).toMatch(/^[\w+/]+=*$/);
    await append(house, 'later');
    await until(house, isCurrent(forwarder));
    expect(new Set(checkpoints().map((message) => message.parameters['seq'])).size).toBe(
      checkpoints().length,
    );
  });

  test.each([1, 40, 363, 364, 5000])(
    'that crashes after %d octets gets the rest of it again, and loses nothing',
    async (octets) => {
      const house = await openHouse();
      await append(house, ...Array.from({ length: 30 }, (_, i) => `${i}`));
      const receiver = await openReceiver();
      receiver.cutAfter(octets);
      const forwarder = forwarderOf(house, syslogTo(house, receiver));
      await until(house, isFailing(forwarder));
      expect(forwarder.status()[0]).toMatchObject({ since: expect.any(Number) as number });
      await until(house, isCurrent(forwarder));
      const all = (await house.audit()).map(({ seq }) => seq);
      expect([...new Set(seqsOf(receiver))].sort((a, b) => a - b)).toEqual(all);
      expect(receiver.faults).toEqual([]);
    },
  );

  test('that is stopped in the middle gets all of it again', async () => {
    const house = await openHouse();
    await append(house, ...Array.from({ length: 400 }, (_, i) => `${i}`));
    const receiver = await openReceiver();
    receiver.closeAfter(700);
    const forwarder = forwarderOf(house, syslogTo(house, receiver));
    await until(house, () => receiver.connections() > 1 && isCurrent(forwarder)());
    const all = (await house.audit()).map(({ seq }) => seq);
    expect([...new Set(seqsOf(receiver))].sort((a, b) => a - b)).toEqual(all);
  });

  test('that is away is tried again ever more rarely, with one warning, and loses nothing', async () => {
    const house = await openHouse();
    const own = makeCertificate();
    const gone = await startSyslogReceiver({ own });
    await gone.close();
    const forwarder = forwarderOf(house, syslogTo(house, gone));
    await append(house, 'a');
    await until(house, isFailing(forwarder));
    const [status] = forwarder.status();
    expect(status).toMatchObject({
      target: 'syslog',
      lastError: expect.stringContaining('ECONNREFUSED') as string,
    });
    expect(status?.behind).toBeGreaterThan(0);
    for (let i = 0; i < 30; i += 1) {
      await house.clock.advance(1000);
      await append(house, `${i}`);
    }
    const warnings = house.log.lines.filter(({ msg }) => msg === 'the audit trail cannot be copied');
    expect(warnings).toHaveLength(1);
    const receiver = await openReceiver({ own, port: gone.port });
    await until(house, isCurrent(forwarder));
    expect(seqsOf(receiver)).toEqual((await house.audit()).map(({ seq }) => seq));
    expect(house.log.lines.at(-1)).toMatchObject({ msg: 'the audit trail is copied again' });
  });

  test('goes on after a restart where it was', async () => {
    const house = await openHouse();
    const receiver = await openReceiver();
    const first = forwarderOf(house, syslogTo(house, receiver));
    await append(house, 'a');
    await until(house, isCurrent(first));
    await first.close();
    await house.restart();
    await append(house, 'b');
    const second = forwarderOf(house, syslogTo(house, receiver));
    await until(house, isCurrent(second));
    expect(seqsOf(receiver)).toEqual((await house.audit()).map(({ seq }) => seq));
  });

  test('gets the last words when the host stops', async () => {
    const house = await openHouse();
    const receiver = await openReceiver();
    const forwarder = forwarderOf(house, syslogTo(house, receiver));
    await append(house, 'a');
    await until(house, isCurrent(forwarder));
    await append(house, 'the last');
    await forwarder.close();
    expect(subjectsOf(receiver).at(-1)).toBe('the last');
  });
});

describe('nothing is sent', () => {
  const other = makeCertificate();
  test.each<[string, Partial<SyslogOptions>, RegExp]>([
    [
      'to a receiver with another certificate than the one pinned',
      { fingerprint: other.fingerprint },
      /fingerprint/,
    ],
    ['to a receiver whose CA nobody trusts', { fingerprint: undefined }, /certificate/],
    ['to a receiver of another CA', { fingerprint: undefined, ca: 'other.pem' }, /certificate/],
    [
      'to a receiver of another name',
      { fingerprint: undefined, ca: 'own.pem', host: '127.0.0.2' },
      /127\.0\.0\.2|refused/i,
    ],
    ['where the CA cannot be read', { fingerprint: undefined, ca: 'missing.pem' }, /ENOENT/],
  ])('%s', async (_name, options, why) => {
    const house = await openHouse();
    const receiver = await openReceiver();
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'other.pem'), other.ca);
    writeFileSync(join(folder, 'own.pem'), receiver.ca);
    const ca = options.ca === undefined ? undefined : join(folder, options.ca);
    const forwarder = forwarderOf(house, syslogTo(house, receiver, { ...options, ca }));
    await append(house, 'a');
    await until(house, isFailing(forwarder));
    expect(forwarder.status()[0]?.lastError).toMatch(why);
    expect([receiver.messages, receiver.faults]).toEqual([[], []]);
  });
});

describe('a receiver that asks who is there', () => {
  test('is shown nothing where there is nothing to show, and may refuse', async () => {
    const house = await openHouse();
    const receiver = await openReceiver({ requestCert: true, rejectUnauthorized: true });
    const forwarder = forwarderOf(house, syslogTo(house, receiver));
    await append(house, 'a');
    await until(house, isFailing(forwarder));
    expect([receiver.messages, forwarder.copiedTo()]).toEqual([[], 0]);
  });

  test('is shown the own certificate, and trusted by its CA', async () => {
    const house = await openHouse();
    const client = makeCertificate();
    const receiver = await openReceiver({ requestCert: true, rejectUnauthorized: false });
    const folder = temporaryFolder();
    const files = {
      ca: join(folder, 'ca'),
      certificate: join(folder, 'cert'),
      certificateKey: join(folder, 'key'),
    };
    writeFileSync(files.ca, receiver.ca);
    writeFileSync(files.certificate, client.certificate);
    writeFileSync(files.certificateKey, client.key);
    const forwarder = forwarderOf(house, syslogTo(house, receiver, { fingerprint: undefined, ...files }));
    await append(house, 'a');
    await until(house, isCurrent(forwarder));
    expect(subjectsOf(receiver)).toContain('a');
    expect(new Set(receiver.shown)).toEqual(new Set([client.fingerprint]));
  });
});

describe('a file', () => {
  interface Line {
    readonly seq: number;
    readonly subject: string;
    readonly checkpoint?: { readonly seq: number };
  }
  const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const entriesOf = (path: string): Line[] =>
    linesOf(path)
      .map((line) => JSON.parse(line) as Line)
      .filter(({ checkpoint }) => checkpoint === undefined);

  test('gets a line for each entry, with all that its hash was made of', async () => {
    const house = await openHouse();
    await append(house, 'ü"\\');
    const path = join(house.folder, 'copy.jsonl');
    const forwarder = forwarderOf(house, createFileTarget(path, house.clock));
    await until(house, isCurrent(forwarder));
    await append(house, 'b');
    await until(house, isCurrent(forwarder));
    const rows = await house.features.store.read.selectFrom('audit').selectAll().orderBy('seq').execute();
    expect(entriesOf(path)).toEqual(
      rows.map((row) => ({ ...row, hash: Buffer.from(row.hash ?? []).toString('hex') })),
    );
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('that ends in the middle of a line keeps it, and gets what is next on a line of its own', async () => {
    const house = await openHouse();
    const path = join(house.folder, 'copy.jsonl');
    appendFileSync(path, '{"seq":1,"at":17');
    await append(house, 'a');
    const forwarder = forwarderOf(house, createFileTarget(path, house.clock));
    await until(house, isCurrent(forwarder));
    const [cut, ...others] = linesOf(path);
    expect(cut).toBe('{"seq":1,"at":17');
    expect(others.map((line) => JSON.parse(line) as Line).at(-1)).toMatchObject({ subject: 'a' });
  });

  test('on a share that is away gets everything when the share is back', async () => {
    const house = await openHouse();
    const share = join(house.folder, 'share');
    const path = join(share, 'copy.jsonl');
    const forwarder = forwarderOf(house, createFileTarget(path, house.clock));
    await append(house, 'a');
    await until(house, isFailing(forwarder));
    expect(forwarder.status()[0]).toMatchObject({
      target: 'file',
      lastError: expect.stringContaining('ENOENT') as string,
    });
    mkdirSync(share);
    await until(house, isCurrent(forwarder));
    expect(entriesOf(path).map(({ seq }) => seq)).toEqual((await house.audit()).map(({ seq }) => seq));
  });

  test('that somebody takes away is begun anew', async () => {
    const house = await openHouse();
    const path = join(house.folder, 'copy.jsonl');
    const forwarder = forwarderOf(house, createFileTarget(path, house.clock));
    await append(house, 'a');
    await until(house, () => isCurrent(forwarder)() && existsSync(path));
    rmSync(path);
    await append(house, 'b');
    await until(house, () => existsSync(path) && isCurrent(forwarder)());
    expect(entriesOf(path).map(({ subject }) => subject)).toEqual(['b']);
  });
});

describe('several targets', () => {
  test('go at their own pace, and what one lacks stays in the table', async () => {
    const house = await openHouse();
    const path = join(house.folder, 'copy.jsonl');
    const missing = join(house.folder, 'away', 'copy.jsonl');
    const forwarder = forwarderOf(
      house,
      createFileTarget(path, house.clock),
      createFileTarget(missing, house.clock),
    );
    await append(house, 'a');
    await until(
      house,
      () =>
        forwarder
          .status()
          .map(({ state }) => state)
          .join() === 'current,failing',
    );
    expect(forwarder.copiedTo()).toBe(0);
  });

  test('that are none hold nothing back', async () => {
    const house = await openHouse();
    expect(forwarderOf(house).copiedTo()).toBe(Infinity);
  });
});

test('the settings name the targets, and archives wait for them', async () => {
  const receiver = await openReceiver();
  const { port, fingerprint } = receiver;
  const syslog = { syslogHost: '127.0.0.1', syslogPort: port, syslogFingerprint: fingerprint };
  const house = await openHouse({
    config: { audit: { ...syslog, copyFile: 'copies/copy.jsonl', retentionDays: 1 } },
  });
  const { forwarder, audit } = house.features;
  await append(house, 'a');
  await until(
    house,
    () =>
      forwarder
        .status()
        .map(({ state }) => state)
        .join() === 'current,failing',
  );
  expect(subjectsOf(receiver)).toContain('a');
  await house.clock.advance(3 * 86_400_000);
  expect(await audit.archive()).toBe(0);
  mkdirSync(join(house.folder, 'copies'));
  await until(house, isCurrent(forwarder));
  expect(readFileSync(join(house.folder, 'copies', 'copy.jsonl'), 'utf8')).toContain('"subject":"a"');
  expect(await audit.archive()).toBeGreaterThan(0);
});

test('a copy that cannot be noted in the database goes on', async () => {
  const house = await openHouse();
  const { store, audit } = house.features;
  const { clock, random, log } = house;
  const write = () => Promise.reject(new Error('the disk is full'));
  const path = join(house.folder, 'copy.jsonl');
  const target = createFileTarget(path, clock);
  const needs = { store: { aside: store.aside, write }, audit, clock, random, log };
  const forwarder = createForwarder(needs, [target]);
  onTestFinished(() => forwarder.close());
  await append(house, 'a');
  await until(house, isCurrent(forwarder));
  await append(house, 'b');
  await until(house, isCurrent(forwarder));
  expect(readFileSync(path, 'utf8').match(/"subject":"a"/g)).toHaveLength(1);
});

test('the wait doubles from a second to five minutes, each shortened by up to half', () => {
  const random = createFixedRandom();
  for (const [failures, fullMs] of [
    [0, 1000],
    [1, 2000],
    [5, 32_000],
    [9, 300_000],
    [500, 300_000],
  ] as const) {
    const delayMs = retryDelayMs(failures, random);
    expect(delayMs).toBeGreaterThanOrEqual(fullMs / 2);
    expect(delayMs).toBeLessThan(fullMs);
  }
});
