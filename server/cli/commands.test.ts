/** The commands that administer, on a data folder that no host holds and through one that does. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority, createServerCertificate } from '../http/certificates.ts';
import { createSystemClock } from '../ports/clock.ts';
import { createSystemRandom } from '../ports/random.ts';
import { keyswitch, serve, type Ended } from '../../test/command-line.ts';
import { newFolder, PASSWORD, send } from '../../test/host.ts';
import { ENVELOPE_CODE, GUID, INSTANT, ONE_TIME_SECRET } from '../../test/scenario.ts';

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DAY_MS = 86_400_000;
const KEY: unknown = expect.stringMatching(/^[\w-]{43}$/);

const run = (command: string, ...rest: string[]) =>
  keyswitch([...command.split(' '), ...rest, '--data', folder]);
const addUser = (name: string, password: string, ...rest: string[]) =>
  keyswitch(['user', 'add', name, '--password-stdin', ...rest, '--data', folder], { input: `${password}\n` });

/** What a command printed for a script; it said nothing else. */
function json({ code, stdout, stderr }: Ended): unknown {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^[[{].*[\]}]\n$/);
  return JSON.parse(stdout) as unknown;
}

/** What a command printed for a person, in a line each; it complained of nothing. */
function words({ code, stdout, stderr }: Ended): string[] {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trimEnd().split('\n');
}

/** What a command complained of, in a line each; it did nothing else. */
function complaint({ code, stdout, stderr }: Ended): string[] {
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).not.toMatch(/\n\s+at |Error:/);
  return stderr.trimEnd().split('\n');
}

interface FirstRunJson {
  readonly administrator: { username: string; oneTimeSecret: string } | null;
  readonly sample: {
    users: { username: string; oneTimeSecret: string }[];
    app: { id: string; name: string };
  };
}

/** What the list says of how somebody signs in who has a password of their own. */
const withPassword = {
  emergency: false,
  password: 'set',
  passwordExpiresAt: null,
  lock: null,
  lastSignInAt: null,
};

/** Whether a one-time secret that ends at this time is good for a day from now. */
function expectADayLeft(expiresAt: string): void {
  expect(Math.abs(Date.parse(expiresAt) - Date.now() - DAY_MS)).toBeLessThan(60_000);
}

/** How people get in: secrets that are told once, whether a host runs or not. */
async function letPeopleIn(state: 'stopped' | 'running'): Promise<void> {
  const name = `nora ${state}`;
  const added = json(await run('user add --json', name)) as Record<string, string>;
  expect(added).toEqual({
    ...{ id: GUID, name, displayName: name, type: 'Active', enabled: true, logoutTimeInMin: null },
    oneTimeSecret: ONE_TIME_SECRET,
    oneTimeSecretExpiresAt: INSTANT,
  });
  expectADayLeft(added['oneTimeSecretExpiresAt']!);
  const reset = json(await run('user reset --json', name)) as Record<string, string>;
  expect(reset).toEqual({ username: name, oneTimeSecret: ONE_TIME_SECRET, expiresAt: INSTANT });
  expectADayLeft(reset['expiresAt']!);
  expect(reset['oneTimeSecret']).not.toBe(added['oneTimeSecret']);

  const account = `Envelope ${state}`;
  const sealed = json(await run('emergency add --json', account)) as { secret: string };
  expect(sealed).toEqual({ username: account, secret: ENVELOPE_CODE, sealedAt: INSTANT });
  const anew = json(await run('emergency seal --json', account)) as { secret: string };
  expect(anew).toEqual({ username: account, secret: ENVELOPE_CODE, sealedAt: INSTANT });
  expect(anew.secret).not.toBe(sealed.secret);
  const accounts = await run('emergency list --json');
  expect(json(accounts)).toContainEqual({
    username: account,
    enabled: true,
    sealedAt: INSTANT,
    usedAt: null,
  });
  expect(accounts.stdout).not.toMatch(/ecret|hash/);

  expect(complaint(await run('user unlock', 'Nobody'))).toEqual(['keyswitch: No user is named Nobody.']);
  expect(complaint(await run('emergency seal', name))).toEqual([
    `keyswitch: No emergency account is named ${name}.`,
  ]);
  expect(complaint(await run('user reset', account))).toEqual([
    `keyswitch: ${account} is an emergency account. Seal it anew instead.`,
  ]);
  const secrets = [added['oneTimeSecret']!, reset['oneTimeSecret']!, sealed.secret, anew.secret];
  for (const secret of secrets) expect(keptIn(folder)).not.toContain(secret);
}

/** All that stands in the files of a data folder. */
function keptIn(dataFolder: string): string {
  const files = readdirSync(dataFolder, { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
    .join();
}

/** Badges, whose numbers come from standard input and go nowhere. */
async function enrolBadges(state: 'stopped' | 'running'): Promise<void> {
  const name = `bo ${state}`;
  const number = state === 'stopped' ? '0004918337' : '0004918338';
  json(await run('user add --json', name));
  const badgeAdd = (...rest: string[]) =>
    keyswitch(['badge', 'add', name, ...rest, '--data', folder], {
      input: `;${number}\r\n`,
      env: { KEYSWITCH_BADGES_PREFIX: ';' },
    });
  const badge = json(await badgeAdd('--label', 'blue card 17', '--json')) as { id: string };
  const row = { userName: name, displayName: name, label: 'blue card 17', enrolledAt: INSTANT };
  expect(badge).toEqual({ ...row, id: GUID, revokedAt: null });
  expect(json(await run('badge list --json'))).toContainEqual({ ...badge, revokedAt: null });
  expect(complaint(await badgeAdd())).toEqual(['keyswitch: This badge is enrolled. Revoke it first.']);

  expect(words(await run('badge revoke', badge.id))).toEqual([`Badge ${badge.id} is revoked.`]);
  expect(complaint(await run('badge revoke', badge.id))).toEqual([
    `keyswitch: No badge in use has the id ${badge.id}.`,
  ]);
  expect(words(await badgeAdd())).toEqual([expect.stringMatching(`^${name}: badge \\S+ enrolled\\.$`)]);
  expect(words(await run('badge list'))).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^USER +LABEL +ID +ENROLLED +REVOKED$/),
      expect.stringMatching(`^${name} +- +\\S+ +20\\S+Z +no$`),
      expect.stringMatching(`^${name} +blue card 17 +${badge.id} +20\\S+Z +20\\S+Z$`),
    ]),
  );
  expect(keptIn(folder)).not.toContain(number);
}

/** What is most needed, the same whether a host runs or not. */
async function administer(state: 'stopped' | 'running'): Promise<void> {
  const user = `rita ${state}`;
  const panel = `Panel ${state}`;
  const connection = 'Data Source=127.0.0.1:1,0,2';
  const addLink = (...rest: string[]) =>
    run('link add --area DB250 --address W188 --json', '--app', panel, ...rest);

  const tooShort = await addUser('sue', 'fourteen chars');
  expect(complaint(tooShort)).toEqual(['keyswitch: The password must have at least 15 characters.']);

  const details = ['--type', 'Admin', '--display-name', 'Rita', '--logout-time-in-min', '5', '--json'];
  const rita = {
    id: GUID,
    name: user,
    displayName: 'Rita',
    type: 'Admin',
    enabled: true,
    logoutTimeInMin: 5,
  };
  expect(json(await addUser(user, PASSWORD, ...details))).toEqual(rita);
  // Through a running host a word would be no limit at all.
  expect(complaint(await run('user add --logout-time-in-min soon', `sam ${state}`))).toEqual([
    'keyswitch: --logout-time-in-min: must be whole minutes',
  ]);
  const users = await run('user list --json');
  expect(users.stdout).not.toContain(`sam ${state}`);
  expect(json(users)).toContainEqual({ ...rita, ...withPassword });
  expect(users.stdout).not.toMatch(/argon2|hash|ecret/);

  const app = json(await run('app add --json --logout-time-in-min 7 --idle-min 2', panel)) as { id: string };
  expect(app).toEqual({ id: GUID, key: KEY });
  const apps = await run('app list --json');
  const limits = { logoutTimeInMin: 7, idleLimitInMin: 2 };
  expect(json(apps)).toContainEqual({ id: app.id, name: panel, ...limits, station: false });
  expect(apps.stdout).not.toContain('"key"');
  const changedApp = await run('app change --idle-min none --json', app.id.toUpperCase());
  expect(json(changedApp)).toMatchObject({ name: panel, logoutTimeInMin: 7, idleLimitInMin: null });
  expect(words(await run('app change --logout-time-in-min 8 --idle-min 3', panel))).toEqual([
    `${panel}: limit 8 min, idle limit 3 min; from the next sign-in on.`,
  ]);
  expect(words(await run('app list'))).toContainEqual(
    expect.stringMatching(new RegExp(`^${panel} +${app.id} +8 +3 +no$`)),
  );
  expect(complaint(await run('app change --idle-min soon', panel))).toEqual([
    'keyswitch: --idle-min: must be whole minutes',
  ]);
  expect(complaint(await run('app change --idle-min 3', 'No such app'))).toEqual([
    'keyswitch: No app has the name or id No such app.',
  ]);

  const granted = await run('app grant', app.id.toUpperCase(), user, '7');
  expect(granted).toMatchObject({
    code: 0,
    stdout: `${user} may use ${app.id.toUpperCase()}; it is told 7.\n`,
    stderr: '',
  });

  const badLink = await addLink('--connection', '127.0.0.1');
  expect(complaint(badLink)).toEqual([
    'keyswitch: connection: must begin with "Data Source=". Example: Data Source=127.0.0.1:102,0,2',
  ]);
  const options = ['--on-connect', 'plc', '--allow-admin', '--default', '3'];
  const linked = {
    id: GUID,
    appId: app.id,
    connection,
    area: 'DB250',
    address: 'W188',
    defaultValue: 3,
    onConnect: 'plc',
    allowAdmin: true,
    ...{ lifeBit: 'X1920', userName: 'S190.32', signInTime: null, request: 'W236', acknowledge: 'W238' },
  };
  const extras = [
    '--life-bit',
    'X1920',
    '--user-name',
    's190.32',
    '--request',
    'W236',
    '--acknowledge',
    'W238',
  ];
  const { id } = json(await addLink('--connection', connection, ...options, ...extras)) as { id: string };
  expect(json(await run('link list --json'))).toContainEqual({ ...linked, id });

  const halved = await run('link change', id, '--no-request', '--json');
  expect(complaint(halved)).toEqual(['keyswitch: request: is needed with acknowledge: set both or neither']);
  const change = ['--no-life-bit', '--sign-in-time', 'DTL224', '--no-allow-admin', '--default', '0'];
  const changed = { ...linked, id, lifeBit: null, signInTime: 'DTL224', allowAdmin: false, defaultValue: 0 };
  expect(json(await run('link change', id, ...change, '--json'))).toEqual(changed);
  expect(json(await run('link list --json'))).toContainEqual(changed);

  // Nothing listens there.
  const tested = await run('link test', id, '--json');
  expect(tested).toMatchObject({ code: 1, stderr: '' });
  expect(JSON.parse(tested.stdout)).toMatchObject({ advice: 'connection-refused', plc: null });

  expect(await run('link remove', id)).toMatchObject({ code: 0, stdout: 'Removed.\n', stderr: '' });
  expect(json(await run('link list --json'))).toEqual([]);
  expect(complaint(await run('link remove', id))).toEqual([`keyswitch: No link has the id ${id}.`]);
}

describe('on a folder that no host holds', () => {
  test('first-run makes what is missing, tells its secrets this once, and keeps them nowhere', async () => {
    const first = json(await run('first-run --sample --json')) as FirstRunJson;
    expect(first).toEqual({
      administrator: { username: 'Administrator', oneTimeSecret: ONE_TIME_SECRET },
      sample: {
        users: [
          { username: 'operator', oneTimeSecret: ONE_TIME_SECRET },
          { username: 'supervisor', oneTimeSecret: ONE_TIME_SECRET },
        ],
        app: { id: GUID, name: 'HMI' },
      },
    });
    const again = await run('first-run --sample --json');
    const inWords = await run('first-run');
    expect(json(again)).toEqual({ administrator: null, sample: { users: [], app: first.sample.app } });
    expect(inWords).toMatchObject({ code: 0, stdout: 'Nothing was missing.\n' });

    const kept = keptIn(folder);
    for (const { oneTimeSecret } of [first.administrator!, ...first.sample.users])
      expect(kept).not.toContain(oneTimeSecret);
  });

  test('users, apps and links can be administered', () => administer('stopped'));

  test('people are let in by secrets that are told once', () => letPeopleIn('stopped'));

  test('badges are enrolled, listed and revoked', () => enrolBadges('stopped'));

  test('what is told once is told in words, with what to do with it', async () => {
    const shownOnce =
      /^Shown this once, good until 20\S+Z; the first sign-in asks for a password of their own\.$/;
    const secretOf = (name: string): RegExp =>
      new RegExp(`^${name}: one-time secret ([a-z2-9]{5}-){3}[a-z2-9]{5}$`);
    expect(words(await run('user add Wanda'))).toEqual([
      'Added Wanda (Active).',
      expect.stringMatching(secretOf('Wanda')),
      expect.stringMatching(shownOnce),
    ]);
    expect(words(await run('user reset Wanda'))).toEqual([
      expect.stringMatching(secretOf('Wanda')),
      expect.stringMatching(shownOnce),
    ]);
    expect(words(await run('user unlock Wanda'))).toEqual(['Wanda may try again.']);
    expect(words(await run('emergency add Gate'))).toEqual([
      expect.stringMatching(/^Gate: code ([0-9A-Z]{5}-){4}[0-9A-Z]{5}$/),
      'Shown this once. Put it into an envelope, seal it, and keep it where it is found in an emergency.',
    ]);
    expect(words(await run('emergency list'))).toEqual([
      expect.stringMatching(/^NAME +ENABLED +SEALED +LAST USED$/),
      expect.stringMatching(/^Envelope stopped +yes +20\S+Z +never$/),
      expect.stringMatching(/^Gate +yes +20\S+Z +never$/),
    ]);
    const users = words(await run('user list'));
    expect(users).toContainEqual(expect.stringMatching(/^Wanda +Active +yes +no +one-time +- +Wanda$/));
    expect(users).toContainEqual(expect.stringMatching(/^Gate +Admin +yes +no +sealed +- +Gate$/));
  });

  test('faults are told in a line each, and lists in columns', async () => {
    const taken = await addUser('operator', PASSWORD);
    expect(complaint(taken)).toEqual(['keyswitch: A user named operator exists. Choose another name.']);
    const both = await addUser('sue', 'sue');
    expect(complaint(both)).toEqual([
      'keyswitch: The password must have at least 15 characters.',
      "keyswitch: The password must not be the user's name with digits and symbols around it.",
    ]);
    const number = await run('app add X --logout-time-in-min soon');
    expect(complaint(number)).toEqual(['keyswitch: --logout-time-in-min: must be whole minutes']);
    const unknown = await run('app grant Nowhere operator 1');
    expect(complaint(unknown)).toEqual(['keyswitch: No app has the name or id Nowhere.']);
    const table = await run('user list');
    expect(table.stdout).toMatch(/^NAME +TYPE +ENABLED +LOCKED +PASSWORD +LIMIT MIN +DISPLAY NAME\n/);
    expect(table.stdout).toMatch(/^rita stopped +Admin +yes +no +set +5 +Rita$/m);
  });
});

test('a command line that is wrong is told what to do and ends with 2, help and version end with 0', async () => {
  const wrong: [args: string[], text: RegExp][] = [
    [[], /^Usage: keyswitch/],
    [['dance'], /^error: unknown command 'dance'\n/],
    [['user', 'add'], /^error: missing required argument 'name'\n/],
    [
      ['user', 'add', 'x', '--type', 'Root'],
      /^error: option '--type <type>' argument 'Root' is invalid\. Allowed choices are Passive, Active, Admin\.\n/,
    ],
    // A command line can be read by everyone on the machine.
    [['user', 'add', 'x', '--password', PASSWORD], /^error: unknown option '--password'\n/],
    [['user', 'reset'], /^error: missing required argument 'name'\n/],
    [['emergency'], /^Usage: keyswitch emergency/],
    [['emergency', 'seal'], /^error: missing required argument 'name'\n/],
    // Nor is a badge's number an argument.
    [['badge', 'add', 'x', '0004918337'], /^error: too many arguments for 'add'/],
  ];
  const ended = await Promise.all(wrong.map(([args]) => keyswitch(args)));
  for (const [at, { code, stdout, stderr }] of ended.entries()) {
    expect({ code, stdout, text: stderr }).toEqual({
      code: 2,
      stdout: '',
      text: expect.stringMatching(wrong[at]![1]),
    });
  }
  const [help, version] = await Promise.all([keyswitch(['--help']), keyswitch(['--version'])]);
  expect([help.code, version.code]).toEqual([0, 0]);
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe('on a folder that a host holds', () => {
  test('users, apps and links can be administered, through the host', async () => {
    const host = await serve(folder);
    await administer('running');
    const first = json(await run('first-run --sample --json')) as FirstRunJson;
    expect(first).toMatchObject({ administrator: null, sample: { users: [] } });
    const second = await run('serve --port 0');
    expect(complaint(second)).toEqual([
      `keyswitch: Another Keyswitch runs on ${folder}. Stop it, or choose another folder with --data.`,
    ]);
    expect(await host.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  test('people are let in by secrets that are told once, which the running host takes at once', async () => {
    const host = await serve(folder);
    await letPeopleIn('running');
    const agent = new Agent({ ca: host.control.trust });
    const post = async (path: string, body: unknown): Promise<unknown> =>
      (await send(host.url, agent, 'POST', path, { json: body })).body;
    const { oneTimeSecret } = json(await run('user reset operator --json')) as { oneTimeSecret: string };
    expect(await post('/api/v1/sign-in', { username: 'operator', password: oneTimeSecret })).toMatchObject({
      code: 'password-change-required',
      why: 'one-time-secret',
    });
    const { secret } = json(await run('emergency seal --json', 'Envelope running')) as { secret: string };
    const opened = await post('/api/v1/emergency/sign-in', { secret, reason: 'the boiler' });
    expect(opened).toMatchObject({ session: { user: { name: 'Envelope running' } } });
    const { sealed } = opened as { sealed: { sealedAt: string } };
    expect(json(await run('emergency list --json'))).toContainEqual({
      ...{ username: 'Envelope running', enabled: true },
      ...{ sealedAt: sealed.sealedAt, usedAt: sealed.sealedAt },
    });
    agent.destroy();
    expect(await host.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  test('badges are enrolled, listed and revoked, through the host', async () => {
    const host = await serve(folder);
    await enrolBadges('running');
    expect(await host.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    ['through the host', true],
    ['on the folder, whose locks outlive the host', false],
  ])('a user whom failures have locked is shown and unlocked: %s', async (_, isRunning) => {
    const own = newFolder();
    onTestFinished(() => rmSync(own, { recursive: true, force: true }));
    writeFileSync(join(own, 'keyswitch.yaml'), 'lockout:\n  preset: jube\n');
    const command = (line: string) => keyswitch([...line.split(' '), '--data', own]);
    let host = await serve(own);
    const signIn = async (password: string): Promise<number> => {
      const agent = new Agent({ ca: host.control.trust });
      const body = { username: 'operator', password };
      const { status } = await send(host.url, agent, 'POST', '/api/v1/sign-in', { json: body });
      agent.destroy();
      return status;
    };
    await keyswitch(['user', 'add', 'operator', '--password-stdin', '--data', own], { input: PASSWORD });
    for (let tries = 0; tries < 10; tries += 1) await signIn('a guess');
    expect(await signIn(PASSWORD)).toBe(401);
    if (!isRunning) await host.stop();
    const locked = await command('user list');
    expect(locked.stdout).toMatch(/^operator +Active +yes +until unlocked +set /m);
    expect(await command('user unlock operator')).toMatchObject({ code: 0, stderr: '' });
    expect((await command('user list')).stdout).toMatch(/^operator +Active +yes +no +set /m);
    if (!isRunning) host = await serve(own);
    expect(await signIn(PASSWORD)).toBe(200);
    await host.stop();
  });

  test("the host is reached whatever its address, and whatever its site's own certificate says", async () => {
    const own = newFolder();
    onTestFinished(() => rmSync(own, { recursive: true, force: true }));
    const making = { random: createSystemRandom(), clock: createSystemClock() };
    const authority = createAuthority('plant', making);
    const { certificate, key } = createServerCertificate(['hmi.plant.example'], authority, making);
    writeFileSync(join(own, 'own.crt'), certificate.toString() + authority.certificate.toString());
    writeFileSync(join(own, 'own.key'), key);
    const settings = ['--set', 'http.certificate=own.crt', '--set', 'http.certificateKey=own.key'];
    const host = await serve(own, ['--host', '0.0.0.0', ...settings]);
    expect(host.control.trust).toBe(certificate.toString());
    const users = await keyswitch(['user', 'list', '--json', '--data', own]);
    expect(json(users)).toEqual([expect.objectContaining({ name: 'Administrator' })]);
    await host.stop();
  });

  test('another program on its port is not told the key', async () => {
    const held = newFolder();
    onTestFinished(() => rmSync(held, { recursive: true, force: true }));
    const [host, other] = await Promise.all([serve(held), serve(folder)]);
    writeFileSync(join(held, 'control.json'), JSON.stringify({ ...host.control, url: other.url }));
    const refused = await keyswitch(['user', 'list', '--data', held]);
    expect(complaint(refused)).toEqual([
      expect.stringMatching(
        /^keyswitch: A Keyswitch holds the data folder, but does not answer at https:\/\/127\.0\.0\.1:\d+ \(.+\)\.$/,
      ),
    ]);
    rmSync(join(held, 'control.json'));
    const early = await keyswitch(['user', 'list', '--data', held]);
    expect(complaint(early)).toEqual([
      `keyswitch: Another Keyswitch holds ${held}, but is not ready. Wait a moment, or stop it.`,
    ]);
    await Promise.all([host.stop(), other.stop()]);
  });
});

describe('config', () => {
  const file = join(folder, 'keyswitch.yaml');
  test('sets one setting without losing a comment, and checks them all', async () => {
    writeFileSync(file, '# Ours.\nhttp:\n  # The LAN.\n  port: 8443 # as ever\n');
    const set = await run('config set http.port 9443');
    expect(set).toMatchObject({
      code: 0,
      stdout: 'http.port is set. A running host takes it up at its next start.\n',
    });
    expect(readFileSync(file, 'utf8')).toBe('# Ours.\nhttp:\n  # The LAN.\n  port: 9443 # as ever\n');
    const [checked, refused] = await Promise.all([run('config check'), run('config set http.port 70000')]);
    expect(checked).toMatchObject({ code: 0, stdout: `The settings of ${folder} are good.\n` });
    expect(complaint(refused)).toEqual([
      'keyswitch: http.port: expected whole number, 0 to 65535; given 70000',
    ]);
    expect(readFileSync(file, 'utf8')).toContain('port: 9443');
    rmSync(file);
  });
});
