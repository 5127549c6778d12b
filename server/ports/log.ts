/** The log: one JSON line an event, on standard output and in rotated files, with every known secret redacted. */
import { pino, type DestinationStream } from 'pino';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log that adds `fields` to each of its lines. */
  child(fields: object): Log;
}

/** Where the lines go; each stream is given whole lines. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly streams: readonly DestinationStream[];
  readonly now: () => number;
}

/** Field names whose values never reach a line, at the top or one or two levels down. */
const SECRET_FIELDS = [
  'password',
  'newPassword',
  'currentPassword',
  'repeatNewPassword',
  'oneTimeSecret',
  'secret',
  'ticket',
  'token',
  'accessToken',
  'refreshToken',
  'key',
  'privateKey',
  'pepper',
  'authorization',
  'cookie',
  'set-cookie',
  'secretPwdKey',
  'passwordHashingKey',
  'SECRET_PWD_KEY',
  'PASSWORD_HASHING_KEY',
  'PasswordHashingKey',
  'jwtKey',
  'JWT_KEY',
  'JWTKey',
] as const;

const REDACTED_PATHS = SECRET_FIELDS.flatMap((field) =>
  ['', '*', '*.*'].map((parents) => `${parents}["${field}"]`),
);

/** Makes the log; `err` fields are rendered as type, message and stack. */
export function createLog(options: LogOptions): Log {
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date(options.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
    },
    pino.multistream(options.streams.map((stream) => ({ level: 'trace', stream }))),
  );
}

/** A log that keeps its lines, for tests. */
export interface MemoryLog extends Log {
  readonly lines: Record<string, unknown>[];
}

/** Makes the fixed twin: the same redaction, lines kept in memory as parsed objects. */
export function createMemoryLog(now: () => number = () => 0): MemoryLog {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return Object.assign(createLog({ level: 'trace', streams: [stream], now }), { lines });
}
