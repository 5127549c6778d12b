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

export const welcomeSchema = z
  .object({
    plant: z.string(),
    station: z.string(),
    banner: z.string(),
    version: z.string(),
    app: z.object({ id: z.string(), name: z.string() }).nullable(),
    password: z.object({ minLength: z.int(), maxLength: z.int() }),
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

export const newUserSchema = z
  .strictObject({
    name: nameSchema,
    displayName: z.string().max(128).optional(),
    type: z.enum(USER_TYPES).default('Active'),
    logoutTimeInMin: logoutTimeInMin.nullable().default(null),
    password: passwordText.meta({ description: 'For provisioning by script; it must satisfy the policy' }),
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
    station: z.boolean(),
  })
  .meta({ id: 'App' });

export const newAppSchema = z
  .strictObject({ name: nameSchema, logoutTimeInMin: logoutTimeInMin.optional() })
  .meta({ id: 'NewApp' });

export const newAppAnswerSchema = z
  .object({ id: z.string(), key: z.string().meta({ description: 'Shown once; only its hash is kept' }) })
  .meta({ id: 'NewAppAnswer' });

export const grantSchema = z.strictObject({ data: z.string().min(1).max(128) }).meta({ id: 'Grant' });

export const newLinkSchema = z
  .strictObject({
    connection: z.string().max(256).meta({ description: 'Data Source=127.0.0.1:102,0,2' }),
    area: z.string().max(16).meta({ description: 'DB250' }),
    address: z.string().max(16).meta({ description: 'W188' }),
    appId: guidSchema,
    defaultValue: z.int().min(0).max(4294967295).default(0),
    onConnect: z.enum(['host', 'plc']).default('host'),
    allowAdmin: z.boolean().default(false),
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
  })
  .meta({ id: 'Link' });

export const linkStatusSchema = z
  .object({
    id: z.string(),
    appId: z.string(),
    connection: z.string(),
    area: z.string(),
    address: z.string(),
    state: z.enum(['connecting', 'online', 'offline', 'closed']),
    since: instant,
    value: z.number().nullable(),
    valueAt: instant.nullable(),
    roundTripMs: z.number().nullable(),
    pending: z.boolean().meta({ description: 'A value waits to be written' }),
    lastError: z.object({ code: z.string(), message: z.string(), at: instant }).nullable(),
  })
  .meta({ id: 'LinkStatus' });

/** What `/ws` tells a signed-in page at once and after every change. */
export const overviewSchema = z.object({
  type: z.literal('overview'),
  serverTime: instant,
  apps: z.array(z.object({ id: z.string(), name: z.string(), station: z.boolean(), state: appStateSchema })),
  links: z.array(linkStatusSchema),
});

/** What `/ws` tells anyone who knows an AppId, at once and after every change. */
export const appStateMessageSchema = z.object({
  type: z.literal('app'),
  serverTime: instant,
  appId: z.string(),
  state: appStateSchema,
});

/** What `/ws` tells a signed-in page about its own session: renewed, or ended with the reason. */
export const ownSessionSchema = z.object({
  type: z.literal('session'),
  serverTime: instant,
  session: sessionSchema.nullable(),
  reason: z.string().nullable(),
});

/** RFC 9457, with a stable `code` and, for bad input, each fault. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string(),
    faults: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    ticket: z.string().optional(),
    reference: z.string().optional(),
  })
  .meta({ id: 'Problem' });

export type SessionView = z.output<typeof sessionSchema>;
export type SignInInput = z.input<typeof signInSchema>;
export type AuthenticationView = z.output<typeof authenticationSchema>;
export type AppStateView = z.output<typeof appStateSchema>;
export type WelcomeView = z.output<typeof welcomeSchema>;
export type UserView = z.output<typeof userSchema>;
export type AppView = z.output<typeof appSchema>;
export type LinkView = z.output<typeof linkSchema>;
export type LinkStatusView = z.output<typeof linkStatusSchema>;
export type NewUserInput = z.input<typeof newUserSchema>;
export type NewLinkInput = z.input<typeof newLinkSchema>;
export type OverviewMessage = z.output<typeof overviewSchema>;
export type OwnSessionMessage = z.output<typeof ownSessionSchema>;
export type AppStateMessage = z.output<typeof appStateMessageSchema>;
export type ServerMessage = OverviewMessage | OwnSessionMessage | AppStateMessage;
export type ProblemView = z.output<typeof problemSchema>;
