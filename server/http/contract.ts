/** The native API in schemas: what goes in, what comes out; checks, OpenAPI and the pages' types come from here. */
import { z } from 'zod';
import { USER_TYPES } from '../users/user.ts';

const NAME_LIMIT = 64;
/** Longer than any password the policy may allow: over it a body is refused before anything is hashed. */
const PASSWORD_TRANSPORT_LIMIT = 8192;
/** One week: longer than any shift, short enough that a forgotten session ends. */
export const LOGOUT_TIME_LIMIT_MIN = 7 * 24 * 60;

const instant = z.iso.datetime().meta({ description: 'UTC, ISO 8601 with milliseconds' });
/** Half a surrogate pair has no UTF-8: stored or hashed it would be some other text. */
const unicode = z.string().refine((text) => text.isWellFormed(), 'must be valid Unicode');
/** No control characters: names appear in logs, audit rows and PLC strings. */
export const nameSchema = unicode
  .min(1)
  .max(NAME_LIMIT)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters')
  .refine((name) => name.trim() === name, 'must not begin or end with a space');
export const guidSchema = z.guid().transform((id) => id.toLowerCase());
const passwordText = unicode.min(1).max(PASSWORD_TRANSPORT_LIMIT);
const logoutTimeInMin = z.int().min(1).max(LOGOUT_TIME_LIMIT_MIN);

export const sessionSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['app', 'browser', 'bearer']),
    user: z.object({ id: z.string(), name: z.string(), displayName: z.string(), type: z.enum(USER_TYPES) }),
    app: z.object({ id: z.string(), name: z.string() }).nullable(),
    role: z.string().meta({ description: "What the app is told of the user: the app-user's data" }),
    openedAt: instant,
    expiresAt: instant.meta({ description: 'The absolute limit' }),
    idleExpiresAt: instant.nullable().meta({ description: 'When the session ends without activity' }),
  })
  .meta({ id: 'Session' });

export const signInSchema = z
  .strictObject({
    username: unicode.min(1).max(NAME_LIMIT),
    password: passwordText,
    appId: guidSchema.optional().meta({ description: 'The app to become the current user of' }),
    presentation: z.enum(['bearer', 'cookie']).default('bearer').meta({
      description: 'bearer: a pair of tokens in the answer; cookie: an HttpOnly cookie, for browsers',
    }),
  })
  .meta({ id: 'SignIn' });

export const passwordChangeSchema = z
  .strictObject({
    ticket: z.string().min(1).max(128),
    newPassword: passwordText,
  })
  .meta({ id: 'PasswordChange' });

export const authenticationSchema = z
  .object({
    session: sessionSchema,
    accessToken: z.string().optional(),
    accessTokenExpiresAt: instant.optional(),
    refreshToken: z.string().optional(),
  })
  .meta({ id: 'Authentication' });

export const refreshSchema = z
  .strictObject({ refreshToken: z.string().min(1).max(4096) })
  .meta({ id: 'Refresh' });

export const sessionAnswerSchema = z.object({ session: sessionSchema }).meta({ id: 'SessionAnswer' });

/** A row of the sessions page: one's own, and for administrators everyone's. */
export const sessionListSchema = z.array(
  sessionSchema
    .extend({
      own: z.boolean().meta({ description: 'The very session that asks' }),
      door: z.string(),
      address: z.string().nullable().meta({ description: 'Where the sign-in came from' }),
    })
    .meta({ id: 'SessionListItem' }),
);

export const endOthersSchema = z
  .strictObject({
    whose: z
      .enum(['mine', 'everyone'])
      .default('mine')
      .meta({ description: 'everyone: administrators only' }),
  })
  .meta({ id: 'EndOthers' });

export const endedSchema = z.object({ ended: z.int() }).meta({ id: 'Ended' });

/** The signed-in user's own account. */
export const accountSchema = z
  .object({
    name: z.string(),
    displayName: z.string(),
    type: z.enum(USER_TYPES),
    hasPassword: z.boolean(),
    hasPin: z.boolean(),
    passwordChangedAt: instant.nullable(),
    passwordExpiresAt: instant.nullable().meta({ description: 'When the password has to be replaced' }),
    passwordExpiresSoon: z.boolean().meta({ description: 'Within the warning time of the policy' }),
  })
  .meta({ id: 'Account' });

export const ownPasswordSchema = z
  .strictObject({ currentPassword: passwordText, newPassword: passwordText })
  .meta({ id: 'OwnPassword' });

/** A secret that is shown this once and must be replaced at the first sign-in. */
export const oneTimeSecretSchema = z
  .object({ username: z.string(), oneTimeSecret: z.string(), expiresAt: instant })
  .meta({ id: 'OneTimeSecret' });

const reasonText = unicode
  .min(1)
  .max(500)
  .refine((text) => text.trim().length >= 3, 'must say in at least 3 characters why');

export const emergencySignInSchema = z
  .strictObject({
    secret: unicode
      .min(1)
      .max(128)
      .meta({ description: 'From the sealed envelope; case and dashes do not matter' }),
    reason: reasonText.meta({ description: 'Why; recorded, and shown to whoever is signed in' }),
    appId: guidSchema.optional(),
    presentation: z.enum(['bearer', 'cookie']).default('bearer'),
  })
  .meta({ id: 'EmergencySignIn' });

/** Longer than any reader's; what is longer is no number of a badge. */
const BADGE_LIMIT = 128;
const badgeNumber = unicode
  .min(4)
  .max(BADGE_LIMIT)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters')
  .meta({ description: 'As the reader types it, without prefix and suffix' });

export const badgeSignInSchema = z
  .strictObject({
    badge: badgeNumber,
    secondFactor: passwordText
      .optional()
      .meta({ description: 'The PIN or the password, as second-factor-required has named it' }),
    appId: guidSchema.optional(),
    presentation: z.enum(['bearer', 'cookie']).default('bearer'),
  })
  .meta({ id: 'BadgeSignIn' });

export const newBadgeSchema = z
  .strictObject({
    userName: nameSchema,
    badge: badgeNumber,
    label: z
      .union([nameSchema, z.literal('')])
      .default('')
      .meta({ description: 'What is printed on it, say' }),
  })
  .meta({ id: 'NewBadge' });

/** A badge; its number is not told, for only a keyed hash of it is kept. */
export const badgeSchema = z
  .object({
    id: z.string(),
    userName: z.string(),
    displayName: z.string(),
    label: z.string(),
    enrolledAt: instant,
    revokedAt: instant.nullable(),
  })
  .meta({ id: 'Badge' });

export const newPinSchema = z
  .strictObject({ currentPassword: passwordText, newPin: z.string().min(1).max(64) })
  .meta({ id: 'NewPin' });

/** How the pages tell a reader from somebody typing, and what a badge signs in with. */
export const badgeRulesSchema = z
  .object({
    signIn: z.enum(['off', 'alone', 'with-pin', 'with-password']),
    pinMinLength: z.int(),
    prefix: z.string(),
    suffix: z.enum(['enter', 'tab', 'none']),
    minLength: z.int(),
    maxGapMs: z.int(),
  })
  .meta({ id: 'BadgeRules' });

/** What an emergency account's new envelope holds; shown once. */
export const sealedSchema = z
  .object({ username: z.string(), secret: z.string(), sealedAt: instant })
  .meta({ id: 'Sealed' });

export const emergencyAuthenticationSchema = authenticationSchema
  .extend({
    sealed: sealedSchema.nullable().meta({ description: 'null: the disk is full; the old code stays good' }),
  })
  .meta({ id: 'EmergencyAuthentication' });

export const emergencyAccountSchema = z
  .object({ username: z.string(), enabled: z.boolean(), sealedAt: instant, usedAt: instant.nullable() })
  .meta({ id: 'EmergencyAccount' });

export const newEmergencyAccountSchema = z
  .strictObject({ name: nameSchema, displayName: z.string().max(128).optional() })
  .meta({ id: 'NewEmergencyAccount' });

/** An emergency account that is signed in: every screen shows it. */
const emergencySchema = z.object({
  since: instant,
  app: z.string().nullable(),
  user: z.string().nullable().meta({ description: 'Told to those who are signed in' }),
  reason: z.string().nullable().meta({ description: 'Told to those who are signed in' }),
});

export const appStateSchema = z
  .object({
    authenticated: z.boolean(),
    user: z.string().nullable(),
    displayName: z.string().nullable(),
    role: z.string().nullable(),
    openedAt: instant.nullable(),
    expiresAt: instant.nullable(),
  })
  .meta({ id: 'AppState' });

/** What a new password must be, as the configuration reference describes each rule. */
const passwordPolicySchema = z
  .object({
    minLength: z.int(),
    maxLength: z.int(),
    minUppercase: z.int(),
    minLowercase: z.int(),
    minDigits: z.int(),
    minSymbols: z.int(),
    symbols: z.string(),
    blocklist: z.boolean(),
    history: z.int(),
    minAgeHours: z.int(),
    maxAgeDays: z.int(),
    warnDays: z.int(),
  })
  .meta({ id: 'PasswordPolicy' });

/** Folded (NFC, no letter case); `site` are words of this place. */
export const passwordBlocklistSchema = z
  .object({ common: z.array(z.string()), site: z.array(z.string()) })
  .meta({ id: 'PasswordBlocklist' });

export const welcomeSchema = z
  .object({
    plant: z.string(),
    station: z.string(),
    banner: z.string(),
    version: z.string(),
    app: z.object({ id: z.string(), name: z.string() }).nullable(),
    password: passwordPolicySchema,
    badges: badgeRulesSchema,
  })
  .meta({ id: 'Welcome' });

export const userSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    displayName: z.string(),
    type: z.enum(USER_TYPES),
    enabled: z.boolean(),
    logoutTimeInMin: z.int().nullable(),
  })
  .meta({ id: 'User' });

/** A user as the users page shows them. */
export const userListItemSchema = userSchema
  .extend({
    emergency: z
      .boolean()
      .meta({ description: 'A sealed emergency account: no password, see /api/v1/emergency' }),
    password: z.enum(['none', 'one-time', 'set', 'expired']),
    passwordExpiresAt: instant.nullable(),
    lock: z
      .object({
        until: instant.nullable().meta({ description: 'null: until an administrator unlocks' }),
        failures: z.int(),
        places: z.array(z.string()).nullable().meta({
          description: 'The addresses where the name is locked; null: the account itself is locked',
        }),
      })
      .nullable(),
    lastSignInAt: instant.nullable(),
  })
  .meta({ id: 'UserListItem' });

export const newUserAnswerSchema = userSchema
  .extend({ oneTimeSecret: z.string().optional(), oneTimeSecretExpiresAt: instant.optional() })
  .meta({ id: 'NewUserAnswer' });

export const newUserSchema = z
  .strictObject({
    name: nameSchema,
    displayName: z.string().max(128).optional(),
    type: z.enum(USER_TYPES).default('Active'),
    logoutTimeInMin: logoutTimeInMin.nullable().default(null),
    password: passwordText.optional().meta({
      description:
        'For provisioning by script, where allowed. Left out: a one-time secret is made and answered',
    }),
  })
  .meta({ id: 'NewUser' });

export const userChangeSchema = z
  .strictObject({
    displayName: z.string().max(128).optional(),
    type: z.enum(USER_TYPES).optional(),
    enabled: z.boolean().optional(),
    logoutTimeInMin: logoutTimeInMin.nullable().optional(),
  })
  .meta({ id: 'UserChange' });

export const appSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    logoutTimeInMin: z.int(),
    idleLimitInMin: z
      .int()
      .nullable()
      .meta({
        description:
          'Minutes without activity (what pages tell of, and at the station any input at the PC) after which the ' +
          'user is signed out; null: no such limit',
      }),
    station: z.boolean(),
  })
  .meta({ id: 'App' });

export const newAppSchema = z
  .strictObject({
    name: nameSchema,
    logoutTimeInMin: logoutTimeInMin.optional(),
    idleLimitInMin: logoutTimeInMin.nullable().default(null),
  })
  .meta({ id: 'NewApp' });

export const appChangeSchema = z
  .strictObject({
    logoutTimeInMin: logoutTimeInMin.optional(),
    idleLimitInMin: logoutTimeInMin.nullable().optional(),
  })
  .meta({ id: 'AppChange' });

export const newAppAnswerSchema = z
  .object({ id: z.string(), key: z.string().meta({ description: 'Shown once; only its hash is kept' }) })
  .meta({ id: 'NewAppAnswer' });

export const grantSchema = z.strictObject({ data: z.string().min(1).max(128) }).meta({ id: 'Grant' });

const linkAddress = z.string().min(1).max(16).nullable().default(null);

/** A link as it is defined: one word of a PLC follows an app's current user, and can set it. */
export const newLinkSchema = z
  .strictObject({
    connection: z.string().max(256).meta({ description: 'Data Source=127.0.0.1:102,0,2' }),
    area: z.string().max(16).meta({ description: 'DB250; all addresses of a link lie in it' }),
    address: z.string().max(16).meta({ description: 'W188' }),
    appId: guidSchema,
    defaultValue: z.int().min(0).max(4294967295).default(0),
    onConnect: z.enum(['host', 'plc']).default('host'),
    allowAdmin: z.boolean().default(false),
    lifeBit: linkAddress.meta({ description: 'X1520: a bit that is toggled while the host lives' }),
    userName: linkAddress.meta({ description: "S190.32: a STRING[32] that holds the current user's name" }),
    signInTime: linkAddress.meta({
      description: 'DTL224 or DT224: when the current user signed in, UTC',
    }),
    request: linkAddress.meta({
      description: 'W236: a word in which the PLC asks for the sign-in of the user with this value',
    }),
    acknowledge: linkAddress.meta({ description: 'W238: how the request was answered' }),
  })
  .meta({ id: 'NewLink' });

export const linkSchema = z
  .object({
    id: z.string(),
    appId: z.string(),
    connection: z.string(),
    area: z.string(),
    address: z.string(),
    defaultValue: z.int(),
    onConnect: z.enum(['host', 'plc']),
    allowAdmin: z.boolean(),
    lifeBit: z.string().nullable(),
    userName: z.string().nullable(),
    signInTime: z.string().nullable(),
    request: z.string().nullable(),
    acknowledge: z.string().nullable(),
  })
  .meta({ id: 'Link' });

export const LINK_STATES = ['idle', 'connecting', 'online', 'degraded', 'backing-off'] as const;

const plcIdentitySchema = z
  .object({ type: z.string(), name: z.string().nullable() })
  .meta({ description: 'As the PLC reports itself; null: it does not tell' });

export const linkStatusSchema = z
  .object({
    id: z.string(),
    appId: z.string(),
    connection: z.string(),
    area: z.string(),
    address: z.string(),
    state: z.enum(LINK_STATES).meta({
      description: 'degraded: connected, but this link does not get all it asks for, or late',
    }),
    since: instant,
    plc: plcIdentitySchema.nullable(),
    value: z.number().nullable(),
    valueAt: instant.nullable(),
    user: z.string().nullable().meta({ description: 'Whom the value means at the app' }),
    roundTripMs: z.number().nullable(),
    roundTripsMs: z
      .array(z.number().nullable())
      .meta({ description: 'The slowest read of each of the last 120 seconds, oldest first; null: none' }),
    errorsLastHour: z.int(),
    pending: z.boolean().meta({ description: 'A value waits to be written' }),
    lastError: z.object({ code: z.string(), message: z.string(), at: instant }).nullable(),
  })
  .meta({ id: 'LinkStatus' });

/** What a link that need not exist yet would find at its PLC. */
export const linkTestSchema = z
  .object({
    steps: z.array(
      z.object({
        step: z.enum(['reach', 'connect', 'negotiate', 'read']),
        outcome: z.enum(['ok', 'failed', 'skipped']),
        tookMs: z.number().nullable(),
      }),
    ),
    plc: plcIdentitySchema.nullable(),
    pduBytes: z.int().nullable(),
    found: z.array(
      z.object({
        field: z.enum(['address', 'lifeBit', 'userName', 'signInTime', 'request', 'acknowledge']),
        address: z.string(),
        value: z.union([z.number(), z.string()]).nullable(),
        problem: z.string().nullable().meta({ description: 'A code of this list: `advice`' }),
      }),
    ),
    user: z.string().nullable().meta({ description: 'Whom the word means at the app' }),
    advice: z
      .enum([
        'none',
        'host-unknown',
        'unreachable',
        'no-answer',
        'connection-refused',
        'not-s7',
        'wrong-rack-or-slot',
        'no-connection-free',
        'access-denied',
        'block-missing',
        'block-too-short',
        'item-refused',
      ])
      .meta({ description: 'What to look at first' }),
    message: z.string().nullable().meta({ description: 'What went wrong, in the words of the host' }),
  })
  .meta({ id: 'LinkTest' });

/** Without what only the page of the links draws: it would be most of the message. */
const overviewLinkSchema = linkStatusSchema.omit({ roundTripsMs: true });

/** What `/ws` tells a signed-in page at once and after every change. */
export const overviewSchema = z.object({
  type: z.literal('overview'),
  serverTime: instant,
  apps: z.array(z.object({ id: z.string(), name: z.string(), station: z.boolean(), state: appStateSchema })),
  links: z.array(overviewLinkSchema),
  emergencies: z.array(emergencySchema),
});

/** Which state of an app a message tells: `revision` grows with every change within one `run` of the host. */
const stateRevision = {
  appId: z.string(),
  run: z.string().meta({ description: 'Names the run of the host: revisions of another run say nothing' }),
  revision: z.int().min(0),
};

/** What `/ws` tells anyone who knows an AppId, at once and after every change. */
export const appStateMessageSchema = z.object({
  type: z.literal('app'),
  serverTime: instant,
  ...stateRevision,
  state: appStateSchema,
  token: z
    .string()
    .nullable()
    .meta({ description: "The current user's token, for a subscriber that proved the app's key" }),
});

/** The answer to a subscription with `since` where nothing has changed since then. */
export const unchangedMessageSchema = z.object({
  type: z.literal('unchanged'),
  serverTime: instant,
  ...stateRevision,
});

/** The signed-in user's own live sessions, at once and after every change. */
export const sessionsMessageSchema = z.object({
  type: z.literal('sessions'),
  serverTime: instant,
  sessions: sessionListSchema,
});

/** Every PLC link, at once, after every change, and every second for the round trips. */
export const plcMessageSchema = z.object({
  type: z.literal('plc'),
  serverTime: instant,
  links: z.array(linkStatusSchema),
});

export const pongMessageSchema = z.object({
  type: z.literal('pong'),
  serverTime: instant,
  id: z.string().nullable().meta({ description: 'As it came with the ping' }),
});

/** A time of day or a day with its zone; in the house milliseconds since the epoch. */
const moment = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-01-31T06:00:00Z' })
  .transform((text) => Date.parse(text));

const auditFilters = {
  from: moment.optional().meta({ description: 'Not before this time (ISO 8601)' }),
  to: moment.optional().meta({ description: 'Not after this time (ISO 8601)' }),
  user: unicode.min(1).max(NAME_LIMIT).optional().meta({ description: 'Who acted, or whom it was about' }),
  app: unicode.min(1).max(NAME_LIMIT).optional().meta({ description: 'Name of the app' }),
  outcome: z.enum(['succeeded', 'refused']).optional(),
  text: unicode
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'Stands somewhere in the entry, in capitals or not' }),
};
const inOrder = ({ from, to }: { from?: number | undefined; to?: number | undefined }): boolean =>
  from === undefined || to === undefined || from <= to;
const NOT_IN_ORDER = { path: ['from'], error: 'must not be after to', when: () => true };

export const auditQuerySchema = z
  .strictObject({
    ...auditFilters,
    before: z.coerce
      .number()
      .int()
      .min(1)
      .optional()
      .meta({ description: 'Only entries with a smaller number: `next` of the page before' }),
    limit: z.coerce.number().int().min(1).max(200).default(50),
  })
  .refine(inOrder, NOT_IN_ORDER);

export const auditExportQuerySchema = z
  .strictObject({ ...auditFilters, format: z.enum(['csv', 'jsonl']) })
  .refine(inOrder, NOT_IN_ORDER);

/** What `/ws` tells anyone who asks: whether an emergency account is signed in anywhere. */
export const emergenciesMessageSchema = z.object({
  type: z.literal('emergencies'),
  serverTime: instant,
  emergencies: z.array(emergencySchema),
});

export const auditEntrySchema = z
  .object({
    seq: z.int(),
    at: instant,
    action: z.string(),
    outcome: z.enum(['succeeded', 'refused']),
    actor: z.string(),
    subject: z.string().nullable(),
    app: z.string().nullable(),
    door: z.string(),
    address: z.string().nullable(),
    reason: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
    hash: z.string().meta({ description: 'SHA-256 of the chain, hex' }),
  })
  .meta({ id: 'AuditEntry' });

export const auditPageSchema = z
  .object({
    entries: z.array(auditEntrySchema),
    next: z
      .int()
      .nullable()
      .meta({ description: 'Send as `before` for what is older; null: there is nothing older' }),
    searchedBackTo: instant.nullable().meta({ description: 'Older entries have not been looked at yet' }),
  })
  .meta({ id: 'AuditPage' });

export const backupSchema = z
  .object({ file: z.string(), at: instant, bytes: z.int() })
  .meta({ id: 'Backup' });

export const backupStatusSchema = z
  .object({
    folder: z.string().nullable().meta({ description: 'null: no backups are made' }),
    last: backupSchema.nullable().meta({ description: 'The newest one in the folder' }),
    failure: z
      .object({
        at: instant,
        fault: z.enum(['folder-missing', 'no-rights', 'no-room', 'damaged', 'too-slow', 'other']),
        message: z.string(),
      })
      .nullable()
      .meta({ description: 'Why the last try did not succeed' }),
    overdue: z.boolean().meta({ description: 'There is none, or the newest is older than it may be' }),
  })
  .meta({ id: 'BackupStatus' });

export const auditStatusSchema = z
  .object({
    entries: z.int(),
    lastSeq: z.int(),
    lastCheckpoint: z.object({ seq: z.int(), at: instant, keyId: z.string() }).nullable(),
    archives: z.int(),
    verification: z.object({
      state: z.enum(['never', 'running', 'intact', 'broken', 'failed']),
      at: instant.nullable(),
      checked: z.int(),
      total: z.int(),
      brokenSeq: z.int().nullable(),
      problem: z.string().nullable(),
    }),
    capacity: z.object({
      freeMiB: z.int().nullable().meta({ description: 'null: the system does not tell' }),
      state: z.enum(['ok', 'low', 'reserve']),
    }),
    copies: z.array(
      z.object({
        target: z.enum(['syslog', 'file']),
        state: z.enum(['current', 'behind', 'failing']),
        behind: z.int(),
        since: instant.nullable(),
        lastError: z.string().nullable(),
      }),
    ),
    backups: backupStatusSchema,
  })
  .meta({ id: 'AuditStatus' });

/** What `/ws` tells a signed-in page about its own session: renewed, or ended with the reason. */
export const ownSessionSchema = z.object({
  type: z.literal('session'),
  serverTime: instant,
  session: sessionSchema.nullable(),
  reason: z.string().nullable(),
});

const faultSchema = z.object({
  field: z.string(),
  message: z.string(),
  rule: z
    .string()
    .optional()
    .meta({ description: 'Of a password: the rule that failed, such as min-length' }),
  values: z.record(z.string(), z.number()).optional().meta({ description: 'What the rule asks for' }),
});

/** RFC 9457, with a stable `code` and, for bad input, each fault. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string(),
    faults: z.array(faultSchema).optional(),
    ticket: z.string().optional(),
    why: z.enum(['one-time-secret', 'expired']).optional(),
    factor: z.enum(['pin', 'password']).optional().meta({ description: 'What to send beside the badge' }),
    reference: z.string().optional(),
  })
  .meta({ id: 'Problem' });

export type SessionView = z.output<typeof sessionSchema>;
export type SignInInput = z.input<typeof signInSchema>;
export type AuthenticationView = z.output<typeof authenticationSchema>;
export type AppStateView = z.output<typeof appStateSchema>;
export type WelcomeView = z.output<typeof welcomeSchema>;
export type PasswordBlocklistView = z.output<typeof passwordBlocklistSchema>;
export type FaultView = z.output<typeof faultSchema>;
export type BadgeView = z.output<typeof badgeSchema>;
export type BadgeSignInInput = z.input<typeof badgeSignInSchema>;
export type NewBadgeInput = z.input<typeof newBadgeSchema>;
export type BadgeRulesView = z.output<typeof badgeRulesSchema>;
export type UserView = z.output<typeof userSchema>;
export type AppView = z.output<typeof appSchema>;
export type LinkView = z.output<typeof linkSchema>;
export type LinkStatusView = z.output<typeof linkStatusSchema>;
export type OverviewLinkView = z.output<typeof overviewLinkSchema>;
export type NewAppInput = z.input<typeof newAppSchema>;
export type AppChangeInput = z.input<typeof appChangeSchema>;
export type NewUserInput = z.input<typeof newUserSchema>;
export type UserChangeInput = z.input<typeof userChangeSchema>;
export type NewLinkInput = z.input<typeof newLinkSchema>;
export type OverviewMessage = z.output<typeof overviewSchema>;
export type OwnSessionMessage = z.output<typeof ownSessionSchema>;
export type AppStateMessage = z.output<typeof appStateMessageSchema>;
export type EmergenciesMessage = z.output<typeof emergenciesMessageSchema>;
export type UnchangedMessage = z.output<typeof unchangedMessageSchema>;
export type SessionsMessage = z.output<typeof sessionsMessageSchema>;
export type PlcMessage = z.output<typeof plcMessageSchema>;
export type PongMessage = z.output<typeof pongMessageSchema>;
/** Everything that the host says over `/ws` in the native protocol (docs/clients/websocket.md). */
export type ServerMessage =
  | OverviewMessage
  | OwnSessionMessage
  | AppStateMessage
  | UnchangedMessage
  | EmergenciesMessage
  | SessionsMessage
  | PlcMessage
  | PongMessage;
export type LinkTestView = z.output<typeof linkTestSchema>;
export type SessionListView = z.output<typeof sessionListSchema>;
export type AccountView = z.output<typeof accountSchema>;
export type OneTimeSecretView = z.output<typeof oneTimeSecretSchema>;
export type EmergencySignInInput = z.input<typeof emergencySignInSchema>;
export type EmergencyAuthenticationView = z.output<typeof emergencyAuthenticationSchema>;
export type EmergencyAccountView = z.output<typeof emergencyAccountSchema>;
export type EmergencyView = z.output<typeof emergencySchema>;
export type SealedView = z.output<typeof sealedSchema>;
export type UserListItemView = z.output<typeof userListItemSchema>;
export type NewUserAnswerView = z.output<typeof newUserAnswerSchema>;
export type AuditEntryView = z.output<typeof auditEntrySchema>;
export type AuditPageView = z.output<typeof auditPageSchema>;
export type BackupView = z.output<typeof backupSchema>;
export type BackupStatusView = z.output<typeof backupStatusSchema>;
export type AuditStatusView = z.output<typeof auditStatusSchema>;
export type ProblemView = z.output<typeof problemSchema>;
