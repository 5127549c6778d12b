/** What can be set: one schema that is type, default, check and description of every key. */
import { z } from 'zod';
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
    minLength: z
      .int()
      .min(1)
      .max(128)
      .default(15)
      .describe(
        'Shortest new password, in characters. NIST SP 800-63B-4 asks for 15 where the password stands alone.',
      ),
    maxLength: z
      .int()
      .min(64)
      .max(4096)
      .default(1024)
      .describe('Longest new password, in characters. NIST SP 800-63B-4 asks to admit at least 64.'),
  })
  .refine((it) => !(it.memoryKib < 8 * it.parallelism), {
    path: ['memoryKib'],
    error: 'at least 8 times passwords.parallelism (RFC 9106, section 3.1)',
    ...always,
  })
  .refine((it) => !(it.minLength > it.maxLength), {
    path: ['minLength'],
    error: 'no more than passwords.maxLength',
    ...always,
  })
  .describe(
    'How passwords are checked, and which are accepted. Costs apply to the hashes made from then on.',
  );

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
    maxBufferedKib: z
      .int()
      .min(16)
      .max(65_536)
      .default(1024)
      .describe('What may wait for a slow subscriber before it is dropped, in KiB.'),
  })
  .describe('The notification of subscribers.');

const dialects = z
  .strictObject({
    iauth: z.boolean().default(true).describe('Whether clients written for iAuth are served.'),
  })
  .describe('The wire formats of the systems that Keyswitch replaces.');

/** The schema of `keyswitch.yaml`: a section of keys each, every key with its default, no key besides. */
export const configSchema = z.strictObject({
  plant: plant.prefault({}),
  http: http.prefault({}),
  log: log.prefault({}),
  passwords: passwords.prefault({}),
  sessions: sessions.prefault({}),
  tokens: tokens.prefault({}),
  plc: plc.prefault({}),
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
