/** What can be set: one schema that is type, default, check and description of every key. */
import { z } from 'zod';
import type { PasswordPolicy } from '../passwords/policy.ts';
import {
  contradictionsOf,
  policyOf,
  PRESET_NAMES,
  PRESETS,
  type PolicySettings,
} from '../passwords/presets.ts';
import type { LogLevel } from '../ports/log.ts';

const LOG_LEVELS = [
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'trace',
  'silent',
] as const satisfies LogLevel[];

/** The cross-field checks run although another key of the section is wrong: all faults are told at once. */
const always = { when: () => true };

const hostName = z
  .string()
  .regex(/^[\w.:%-]+$/)
  .meta({ title: 'host name or IP address' });

/** An origin as browsers send it (RFC 6454 section 6.2): scheme, host and port, the default port left out. */
const origin = z.string().refine(isWebOrigin).meta({ title: 'origin such as https://hmi.example:8080' });

function isWebOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

const plant = z
  .strictObject({
    name: z.string().min(1).max(100).default('Control room').describe('Shown on the sign-in page.'),
    station: z
      .string()
      .max(64)
      .default('')
      .describe("The station's name on the sign-in page. Empty: the machine's host name."),
    banner: z
      .string()
      .max(4000)
      .default('')
      .describe('Text that everyone sees before signing in, such as a notice of use. Empty: none.'),
  })
  .describe('What the sign-in page says of this place.');

const http = z
  .strictObject({
    host: hostName
      .default('127.0.0.1')
      .describe(
        'Address to listen on. The default admits this machine alone; 0.0.0.0 or :: opens it to the LAN.',
      ),
    port: z.int().min(0).max(65535).default(8443).describe('Port to listen on. 0 picks a free one.'),
    certificate: z
      .string()
      .min(1)
      .optional()
      .describe(
        "PEM file with the site's own certificate and its chain; http.certificateKey goes with it. A relative " +
          'path starts at the data folder. Not set: Keyswitch makes a certificate.',
      ),
    certificateKey: z
      .string()
      .min(1)
      .optional()
      .describe(
        'PEM file with the private key of http.certificate. A relative path starts at the data folder.',
      ),
    names: z
      .array(hostName)
      .default([])
      .describe('Further host names and addresses that the generated certificate is good for.'),
    maxBodyBytes: z
      .int()
      .min(1024)
      .max(1_048_576)
      .default(16_384)
      .describe('Largest request body, in bytes.'),
    swagger: z.boolean().default(true).describe('Whether the interactive description of the API is served.'),
    trustedOrigins: z
      .array(origin)
      .default([])
      .describe(
        "Further origins whose pages may call the API from a browser, such as an HMI's https://hmi.example:8080.",
      ),
  })
  .refine((it) => it.certificateKey === undefined || it.certificate !== undefined, {
    path: ['certificate'],
    error: 'a path, because http.certificateKey is set',
    ...always,
  })
  .refine((it) => it.certificate === undefined || it.certificateKey !== undefined, {
    path: ['certificateKey'],
    error: 'a path, because http.certificate is set',
    ...always,
  })
  .describe('Where browsers, HMIs and programs reach the host; always HTTPS.');

const log = z
  .strictObject({
    level: z.enum(LOG_LEVELS).default('info').describe('The least severe lines that are written.'),
    files: z.int().min(1).max(1000).default(10).describe('How many rotated files are kept.'),
    maxFileMiB: z.int().min(1).max(1024).default(10).describe('Size at which a file is rotated, in MiB.'),
  })
  .describe('The log.');

const passwords = z
  .strictObject({
    memoryKib: z
      .int()
      .min(8)
      .max(4_194_304)
      .default(19_456)
      .describe(
        'Memory of one Argon2id hash, in KiB; at least 8 times passwords.parallelism (RFC 9106, section 3.1). ' +
          'The default is the minimum of the OWASP Password Storage Cheat Sheet.',
      ),
    iterations: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe(
        'Passes over that memory (RFC 9106, section 3.1). The default goes with 19456 KiB in the OWASP cheat sheet.',
      ),
    parallelism: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe(
        'Lanes of one hash (RFC 9106, section 3.1). The default is the one of the OWASP cheat sheet.',
      ),
    maxConcurrent: z
      .int()
      .min(0)
      .max(256)
      .default(0)
      .describe('Hashes computed at the same time. 0: as many as the processor has cores.'),
    maxWaiting: z
      .int()
      .min(0)
      .max(10_000)
      .default(200)
      .describe('Sign-ins that may wait for a hash; further ones are told to come back later.'),
    maxWaitingPerAddress: z
      .int()
      .min(1)
      .max(10_000)
      .default(100)
      .describe(
        'Sign-ins from one address that may wait for a hash; many people may sit behind one. Addresses are served in turn.',
      ),
    provisioning: z
      .boolean()
      .default(true)
      .describe('Whether scripts may set the password of a new user; it has to satisfy the policy.'),
    preset: z
      .enum(PRESET_NAMES)
      .default('nist')
      .describe(
        'The policy for new passwords: nist (NIST SP 800-63B-4), jube, ras (React Automation Studio) or part11 ' +
          '(21 CFR Part 11). What is set below goes before it.',
      ),
    minLength: rule(
      'minLength',
      z.int().min(1).max(128),
      'Shortest new password, in characters. NIST asks for 15 where the password stands alone.',
    ),
    maxLength: rule(
      'maxLength',
      z.int().min(8).max(4096),
      'Longest new password, in characters. NIST asks to admit at least 64.',
    ),
    minUppercase: rule(
      'minUppercase',
      z.int().min(0).max(16),
      'Uppercase letters that a password must have.',
    ),
    minLowercase: rule(
      'minLowercase',
      z.int().min(0).max(16),
      'Lowercase letters that a password must have.',
    ),
    minDigits: rule('minDigits', z.int().min(0).max(16), 'Digits that a password must have.'),
    minSymbols: rule('minSymbols', z.int().min(0).max(16), 'Symbols that a password must have.'),
    symbols: rule(
      'symbols',
      z
        .string()
        .max(64)
        .regex(/^[^\p{L}\p{N}]*$/u)
        .meta({ title: 'text without letters and digits, at most 64 characters' }),
      'The characters that count as symbols. Empty: all that are neither letter nor digit.',
    ),
    blocklist: rule(
      'blocklist',
      z.boolean(),
      'Whether the most common passwords and words of this place are refused. The name of the user always is.',
    ),
    words: z
      .array(z.string().min(3).max(64).meta({ title: 'text of 3 to 64 characters' }))
      .default([])
      .describe(
        'Further words of this place that are no passwords, such as names of products. The names of plant and ' +
          'station are known.',
      ),
    history: rule(
      'history',
      z.int().min(0).max(24),
      'Former passwords that must not come back. The present one never may.',
    ),
    minAgeHours: rule(
      'minAgeHours',
      z.int().min(0).max(8760),
      'Age below which users may not change their password again, in hours.',
    ),
    maxAgeDays: rule(
      'maxAgeDays',
      z.int().min(0).max(3650),
      'Age at which a password must be replaced, in days. 0: never.',
    ),
    warnDays: rule('warnDays', z.int().min(0).max(365), 'How long before that its user is warned, in days.'),
  })
  .refine((it) => !(it.memoryKib < 8 * it.parallelism), {
    path: ['memoryKib'],
    error: 'at least 8 times passwords.parallelism (RFC 9106, section 3.1)',
    ...always,
  })
  .superRefine(refuseContradictions, always)
  .transform((it) => ({ ...it, ...policyOf(it) }))
  .describe(
    'How passwords are checked, and which are accepted. Costs apply to the hashes made from then on.',
  );

/** A rule of the password policy: where it is not set, it is as the preset has it. */
function rule<Schema extends z.ZodType>(name: keyof PasswordPolicy, schema: Schema, text: string) {
  const values = PRESET_NAMES.map((preset) => `${preset} ${JSON.stringify(PRESETS[preset][name])}`);
  return schema.optional().describe(`${text} Not set: as passwords.preset has it (${values.join(', ')}).`);
}

/** Names a contradiction at a rule that was set, for the preset's own go together. */
function refuseContradictions(it: PolicySettings, context: z.RefinementCtx): void {
  // Runs although a value is wrong: only what could be read is compared.
  if (!PRESET_NAMES.includes(it.preset)) return;
  for (const { rules, expected } of contradictionsOf(policyOf(it))) {
    const name = rules.find((candidate) => it[candidate] !== undefined) ?? rules[0];
    context.addIssue({ code: 'custom', path: [name], message: expected });
  }
}

const lockout = z
  .strictObject({
    preset: z
      .enum(['standard', 'jube'])
      .default('standard')
      .describe(
        'With standard a name is slowed and locked where it was mistyped, and nowhere else. With jube the 10th ' +
          'consecutive failure locks the account everywhere until an administrator unlocks it. The other keys go ' +
          'before it.',
      ),
    delayAfter: z
      .int()
      .min(0)
      .max(100)
      .optional()
      .describe(
        'Failures of one name at one address from which on each further try has to wait: 1 s, 2 s, 4 s and so on. ' +
          '0: no wait. Not set: 3, with jube 0.',
      ),
    maxDelaySec: z
      .int()
      .min(1)
      .max(3600)
      .optional()
      .describe('The longest of these waits, in seconds. Not set: 30.'),
    tries: z
      .int()
      .min(0)
      .max(100)
      .optional()
      .describe(
        'Failures of one name at one address that lock it at this address. 0: no such lock. Not set: 10, with jube 0.',
      ),
    windowMin: z
      .int()
      .min(0)
      .max(1440)
      .optional()
      .describe(
        'How long failures count, from the first one on, in minutes. 0: until a success or an unlock. Not set: 15, ' +
          'with jube 0.',
      ),
    lockMin: z
      .int()
      .min(0)
      .max(1440)
      .optional()
      .describe(
        'How long a lock lasts, in minutes. 0: a locked account waits for an administrator, and a name locked at ' +
          'one address for 15 minutes. Not set: 15, with jube 0.',
      ),
    addressTries: z
      .int()
      .min(0)
      .max(10_000)
      .optional()
      .describe(
        'Failures from one address, whatever the names, from which on it has to wait between tries, and locks no ' +
          'account any more. 0: no such limit. Not set: 30, with jube 0.',
      ),
    accountTries: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe(
        'Failures at one account, from all addresses, that lock it wherever its user has not signed in lately ' +
          '(NIST SP 800-63B-4, section 3.2.2: 100 at most). Not set: 100, with jube 10.',
      ),
    knownDays: z
      .int()
      .min(0)
      .max(365)
      .optional()
      .describe(
        'How long an address is known after a sign-in, in days. There nothing that happens elsewhere locks the ' +
          'user out. 0: no address is known. Not set: 30, with jube 0.',
      ),
  })
  .describe('What happens where passwords are guessed (docs/decisions/013).');

const sessions = z
  .strictObject({
    browserIdleMin: z
      .int()
      .min(1)
      .max(1440)
      .default(15)
      .describe('Idle time after which a browser is signed out, in minutes.'),
    browserMaxHours: z
      .int()
      .min(1)
      .max(168)
      .default(12)
      .describe('Time after which a browser is signed out in any case, in hours.'),
    appLogoutTimeInMin: z
      .int()
      .min(1)
      .max(10_080)
      .default(10)
      .describe('Limit that a new app is given: how long a user stays signed in there, in minutes.'),
  })
  .describe('How long a user stays signed in.');

const tokens = z
  .strictObject({
    accessTokenSec: z
      .int()
      .min(30)
      .max(3600)
      .default(300)
      .describe('Life of an access token, in seconds. It dies with its session all the same.'),
    refreshTokenDays: z.int().min(1).max(90).default(7).describe('Life of a refresh token, in days.'),
    keyRotationDays: z
      .int()
      .min(1)
      .max(365)
      .default(30)
      .describe('Age at which the signing key is replaced, in days.'),
    keyOverlapDays: z
      .int()
      .min(1)
      .max(30)
      .default(1)
      .describe(
        'How long before it signs a new key is published, in days. A replaced key verifies until its last token is over.',
      ),
  })
  .describe('The tokens given to programs.');

const plc = z
  .strictObject({
    pollIntervalMs: z
      .int()
      .min(10)
      .max(60_000)
      .default(100)
      .describe('Time from the start of one read of a PLC to the next, in milliseconds.'),
    timeoutMs: z
      .int()
      .min(100)
      .max(60_000)
      .default(1500)
      .describe('Time in which a PLC must answer, in milliseconds; then its connection is made anew.'),
  })
  .describe('The links to PLCs.');

const badges = z
  .strictObject({
    signIn: z
      .enum(['off', 'alone', 'with-pin', 'with-password'])
      .default('with-pin')
      .describe(
        'What a badge signs in with. Administrators always need their password beside it, and so does whoever has ' +
          'set no PIN.',
      ),
    pinMinLength: z.int().min(4).max(12).default(6).describe('Shortest new PIN, in digits.'),
    prefix: z
      .string()
      .max(8)
      .regex(/^[\x20-\x7e]*$/)
      .meta({ title: 'text of at most 8 printable ASCII characters' })
      .default('')
      .describe('What the readers type before the number of a badge. Empty: nothing.'),
    suffix: z
      .enum(['enter', 'tab', 'none'])
      .default('enter')
      .describe('The key that the readers press after the number.'),
    minLength: z
      .int()
      .min(4)
      .max(64)
      .default(6)
      .describe('Shortest number of a badge, in characters; what is shorter was typed by hand.'),
    maxGapMs: z
      .int()
      .min(5)
      .max(500)
      .default(50)
      .describe(
        'Longest time between two characters of a reader, in milliseconds. From 80 on some people type as fast, and ' +
          'what they type is taken for a badge.',
      ),
  })
  .describe('Badges read by readers that type like a keyboard.');

const WHEN_LEFT = ['lock', 'end', 'ignore'] as const;

const desktop = z
  .strictObject({
    startWithSystem: z
      .boolean()
      .default(false)
      .describe('Whether the desktop starts when somebody signs in to the operating system.'),
    kiosk: z
      .boolean()
      .default(false)
      .describe(
        'Whether the window fills the screen, and only an administrator who is signed in may leave it.',
      ),
    onScreenLock: z
      .enum(WHEN_LEFT)
      .default('lock')
      .describe(
        'What becomes of the session at the station when the operating system locks its screen: lock and end both ' +
          'end it; with lock the page waits for the same user.',
      ),
    onSuspend: z
      .enum(WHEN_LEFT)
      .default('lock')
      .describe('What becomes of it when the computer is suspended. When it shuts down the session ends.'),
    onUserSwitch: z
      .enum(WHEN_LEFT)
      .default('end')
      .describe('What becomes of it when another user of the operating system takes the screen.'),
    notifications: z
      .boolean()
      .default(true)
      .describe(
        'Whether the desktop notifies of a session about to end, lost PLCs, emergencies and failures.',
      ),
    keyStore: z
      .enum(['auto', 'off'])
      .default('auto')
      .describe(
        'Whether the desktop seals the secrets of keyswitch.env with the key store of the operating system, where ' +
          'there is one. Sealed they are good for the account and the machine that sealed them alone.',
      ),
    updateSource: z
      .string()
      .max(1000)
      // A name and password in an address would stand in the log.
      .regex(/^$|^(\/|[A-Za-z]:[\\/]|\\\\)|^https:\/\/[^@]+$/)
      .meta({ title: 'empty, the absolute path of a folder, or an https address without a password' })
      .default('')
      .describe('Where the desktop finds updates: a folder, or an https address on the LAN. Empty: nowhere.'),
    updateWhileSignedIn: z
      .boolean()
      .default(false)
      .describe(
        'Whether an update is installed although somebody is signed in. Never during emergency access.',
      ),
  })
  .describe('The desktop: its windows, and what the operating system tells it.');

const audit = z
  .strictObject({
    checkpointRows: z
      .int()
      .min(10)
      .max(1_000_000)
      .default(1000)
      .describe('Rows after which the audit key signs a checkpoint; one is signed at every stop too.'),
    retentionDays: z
      .int()
      .min(0)
      .max(36_500)
      .default(0)
      .describe(
        'Age in days at which rows are moved from the database to signed archive files. 0: never. Nothing is deleted.',
      ),
    archiveFolder: z
      .string()
      .min(1)
      .default('audit-archive')
      .describe('Folder of the archive files. A relative path starts at the data folder.'),
    syslogHost: hostName
      .optional()
      .describe(
        'Syslog receiver that every entry is sent to (RFC 5424 over TLS, RFC 5425). Not set: none is.',
      ),
    syslogPort: z.int().min(1).max(65535).default(6514).describe('Port of the syslog receiver.'),
    syslogCa: z
      .string()
      .min(1)
      .optional()
      .describe(
        "PEM file with the CA of the receiver's certificate. A relative path starts at the data folder. Not set: " +
          'the CAs that Node.js trusts.',
      ),
    syslogFingerprint: z
      .string()
      .regex(/^([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/)
      .meta({ title: 'SHA-256 fingerprint: 32 pairs of hexadecimal digits with colons between them' })
      .optional()
      .describe(
        "The receiver's certificate itself, pinned by its SHA-256 fingerprint; then no CA is asked (RFC 5425, section 4.2.2).",
      ),
    syslogCertificate: z
      .string()
      .min(1)
      .optional()
      .describe(
        'PEM file with the certificate that the host shows to the receiver; audit.syslogCertificateKey goes with it. ' +
          'A relative path starts at the data folder.',
      ),
    syslogCertificateKey: z
      .string()
      .min(1)
      .optional()
      .describe(
        'PEM file with the private key of audit.syslogCertificate. A relative path starts at the data folder.',
      ),
    copyFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File that every entry is appended to, a line of JSON each, such as one on a share. A relative path starts ' +
          'at the data folder. Not set: none.',
      ),
    warnFreeMiB: z
      .int()
      .min(1)
      .max(1_048_576)
      .default(1024)
      .describe('Free room on the disk of the data folder below which is warned, in MiB.'),
    reserveMiB: z
      .int()
      .min(0)
      .max(1_048_576)
      .default(64)
      .describe(
        'Free room below which nobody new is signed in but for emergencies, in MiB; signing out and the PLC go on. ' +
          'Less than audit.warnFreeMiB.',
      ),
  })
  .refine((it) => !(it.reserveMiB >= it.warnFreeMiB), {
    path: ['reserveMiB'],
    error: 'less than audit.warnFreeMiB',
    ...always,
  })
  .refine((it) => it.syslogCertificateKey === undefined || it.syslogCertificate !== undefined, {
    path: ['syslogCertificate'],
    error: 'a path, because audit.syslogCertificateKey is set',
    ...always,
  })
  .refine((it) => it.syslogCertificate === undefined || it.syslogCertificateKey !== undefined, {
    path: ['syslogCertificateKey'],
    error: 'a path, because audit.syslogCertificate is set',
    ...always,
  })
  .describe('The audit trail.');

const backups = z
  .strictObject({
    folder: z
      .string()
      .max(1000)
      .regex(/^$|^(\/|[A-Za-z]:[\\/]|\\\\)/)
      .meta({ title: 'empty, or the absolute path of a folder' })
      .default('')
      .describe(
        'Folder that the database is copied to; it has to be there, and belongs on another disk or a share. Empty: no ' +
          'backups are made.',
      ),
    everyHours: z.int().min(1).max(168).default(24).describe('Time from one backup to the next, in hours.'),
    keep: z.int().min(1).max(1000).default(14).describe('How many backups stay; older ones are deleted.'),
  })
  .describe('Backups of the database.');

const realtime = z
  .strictObject({
    maxMessageBytes: z
      .int()
      .min(256)
      .max(1_048_576)
      .default(4096)
      .describe('Largest message accepted from a subscriber, in bytes.'),
    heartbeatSec: z
      .int()
      .min(1)
      .max(300)
      .default(15)
      .describe('Time between two signs of life, in seconds; a subscriber that misses one is dropped.'),
    maxBehindSec: z
      .int()
      .min(1)
      .max(300)
      .default(10)
      .describe(
        'How long a subscriber may read more slowly than it is told, in seconds. Until then the newest state waits ' +
          'for it; then it is dropped.',
      ),
    maxSubscriptions: z
      .int()
      .min(1)
      .max(1000)
      .default(64)
      .describe('Topics and apps that one connection may subscribe to.'),
    maxConnections: z
      .int()
      .min(1)
      .max(100_000)
      .default(10_000)
      .describe('Subscribers that may be connected at the same time.'),
    maxConnectionsPerAddress: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe('Of these from one address; many screens may sit behind one. Of IPv6 a /64 counts as one.'),
    messagesPerSec: z
      .int()
      .min(1)
      .max(10_000)
      .default(50)
      .describe(
        'Messages a second that a subscriber may send for long; four times as many may come at once. One that sends ' +
          'more is closed.',
      ),
  })
  .describe('The notification of subscribers.');

const dialects = z
  .strictObject({
    iauth: z.boolean().default(true).describe('Whether clients written for iAuth are served.'),
    iauthWebSockets: z
      .boolean()
      .default(true)
      .describe("Whether they may subscribe over /ws with their AppId (iAuth's UseWebSockets)."),
    iauthSignalR: z
      .boolean()
      .default(true)
      .describe("Whether there is the SignalR hub AuthHub for them, at /authHub (iAuth's UseSignalR)."),
    iauthSignalRWebSockets: z
      .boolean()
      .default(true)
      .describe(
        "Whether the hub offers WebSockets beside the other transports (iAuth's UseSignalRWithWebSockets).",
      ),
    jube: z
      .boolean()
      .default(true)
      .describe(
        'Whether clients written for Jube are served, and tokens accepted that were signed elsewhere with JWT_KEY.',
      ),
  })
  .describe('The wire formats of the systems that Keyswitch replaces.');

/** The schema of `keyswitch.yaml`: a section of keys each, every key with its default, no key besides. */
export const configSchema = z.strictObject({
  plant: plant.prefault({}),
  http: http.prefault({}),
  log: log.prefault({}),
  passwords: passwords.prefault({}),
  lockout: lockout.prefault({}),
  sessions: sessions.prefault({}),
  tokens: tokens.prefault({}),
  plc: plc.prefault({}),
  audit: audit.prefault({}),
  badges: badges.prefault({}),
  desktop: desktop.prefault({}),
  backups: backups.prefault({}),
  realtime: realtime.prefault({}),
  dialects: dialects.prefault({}),
});

type Parsed = z.output<typeof configSchema>;

/** The configuration as the house reads it: complete and deeply frozen. A duration's unit is in its name. */
export type Config = {
  readonly [Section in keyof Parsed]: {
    readonly [Key in keyof Parsed[Section]]: Readonly<Parsed[Section][Key]>;
  };
};
