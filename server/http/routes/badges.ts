/** Badges: signing in with one, enrolling and revoking them, and the PIN that goes with one's own. */
import { z } from 'zod';
import type { Badges } from '../../badges/badges.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import {
  authenticationSchema,
  badgeSchema,
  badgeSignInSchema,
  guidSchema,
  newBadgeSchema,
  newPinSchema,
} from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';
import { viewBadge } from '../views.ts';
import { present } from './account.ts';
import { answerSignedIn, applicant } from './sign-in.ts';

export function badgeRoutes({ badges, sessions }: { badges: Badges; sessions: Sessions }): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/api/v1/badge-sign-in',
      summary: 'Sign in with a badge; where it takes a PIN or a password, the answer says so to every number',
      access: 'anyone',
      body: badgeSignInSchema,
      answer: authenticationSchema,
      errors: [
        'sign-in-refused',
        'second-factor-required',
        'password-change-required',
        'too-many-tries',
        'busy',
        'storage-full',
        'forbidden',
        'not-found',
        'invalid-input',
      ],
      async handle({ body: { badge, secondFactor, appId, presentation }, caller }) {
        const signedIn = await sessions.signIn({
          credential: { kind: 'badge', badge, ...(secondFactor !== undefined && { secondFactor }) },
          appId: appId ?? null,
          presentation,
          door: applicant(caller, presentation),
        });
        return answerSignedIn(sessions, signedIn, caller);
      },
    }),
    defineRoute({
      method: 'put',
      path: '/api/v1/pin',
      summary: "Set one's own PIN, which signs in together with one's badge and with nothing else",
      access: 'session',
      body: newPinSchema,
      errors: [
        'not-signed-in',
        'sign-in-refused',
        'pin-unacceptable',
        'too-many-tries',
        'busy',
        'invalid-input',
      ],
      async handle({ caller, body: { currentPassword, newPin } }) {
        await sessions.changeOwnPin(present(caller.session), currentPassword, newPin, caller.actor);
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/v1/badges',
      summary: 'All badges, revoked ones too: whose they are, and never their numbers',
      access: 'administrator',
      answer: z.array(badgeSchema),
      handle: async () => ({ status: 200, body: (await badges.list()).map(viewBadge) }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/badges',
      summary: 'Enrol a badge for a user',
      access: 'administrator',
      body: newBadgeSchema,
      answer: badgeSchema,
      errors: ['not-found', 'forbidden', 'already-exists', 'invalid-input'],
      handle: async ({ body, caller }) => ({
        status: 201,
        body: viewBadge(await badges.enrol(body, caller.actor)),
      }),
    }),
    defineRoute({
      method: 'delete',
      path: '/api/v1/badges/{badgeId}',
      summary: 'Revoke a badge; every session of its user ends',
      access: 'administrator',
      params: z.object({ badgeId: guidSchema }),
      errors: ['not-found', 'invalid-input'],
      async handle({ params, caller }) {
        await sessions.revokeBadge(params.badgeId, caller.actor);
        return { status: 204 };
      },
    }),
  ];
}
