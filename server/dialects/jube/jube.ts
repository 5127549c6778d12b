/** Jube's wire format as one thing: who calls with its tokens, and its routes. */
import type { IncomingMessage } from 'node:http';
import type { Handler, Router } from 'express';
import type { Guest, Identify } from '../../http/caller.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Secrets } from '../../secrets/secrets.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { accountRoutes } from './account.ts';
import { authenticationRoutes } from './authentication.ts';
import { createJubeCallers } from './callers.ts';
import { createJubeTokens } from './tokens.ts';

export interface Jube {
  /** Passed by every request, before the routes. */
  readonly meet: Handler;
  /** Whom `meet` has found, for whoever names the caller. */
  guestOf(request: IncomingMessage): Guest | null;
  routes(identify: Identify): Router[];
}

export interface JubeNeeds {
  readonly sessions: Sessions;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

export interface JubeOptions {
  readonly browserIdleMin: number;
  readonly browserMaxHours: number;
  readonly maxBodyBytes: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export function createJube({ sessions, secrets, clock }: JubeNeeds, options: JubeOptions): Jube {
  const tokens = createJubeTokens({ secrets, clock }, { lifetimeMs: options.browserIdleMin * MINUTE_MS });
  const { meet, sessionOf } = createJubeCallers(
    { sessions, tokens, clock },
    { externalMaxMs: options.browserMaxHours * HOUR_MS },
  );
  return {
    meet,
    guestOf(request) {
      const session = sessionOf(request);
      return session === null ? null : { session, door: 'jube' };
    },
    routes: (identify) => [
      authenticationRoutes({ sessions, tokens, clock, identify, sessionOf }, options.maxBodyBytes),
      accountRoutes({ sessions, sessionOf }),
    ],
  };
}
