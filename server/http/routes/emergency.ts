/** Emergency accounts: signing in with the code from a sealed envelope, and sealing new ones. */
import { z } from 'zod';
import type { Emergency } from '../../emergency/emergency.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import {
  emergencyAccountSchema,
  emergencyAuthenticationSchema,
  emergencySignInSchema,
  nameSchema,
  newEmergencyAccountSchema,
  sealedSchema,
} from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';
import { viewEmergencyAccount, viewSealed } from '../views.ts';
import { answerSignedIn, applicant } from './sign-in.ts';

export function emergencyRoutes({
  emergency,
  sessions,
}: {
  emergency: Emergency;
  sessions: Sessions;
}): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/api/v1/emergency/sign-in',
      summary:
        'Sign in with the code of an emergency envelope; every screen shows it, and the answer holds the new code',
      access: 'anyone',
      body: emergencySignInSchema,
      answer: emergencyAuthenticationSchema,
      errors: ['sign-in-refused', 'forbidden', 'not-found', 'invalid-input'],
      async handle({ body: { secret, reason, appId, presentation }, caller }) {
        const signedIn = await sessions.signIn({
          credential: { kind: 'emergency', secret, reason },
          appId: appId ?? null,
          presentation,
          door: applicant(caller, presentation),
        });
        const sealed = signedIn.sealed ? viewSealed(signedIn.sealed) : null;
        return answerSignedIn(sessions, signedIn, caller, { sealed });
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/v1/emergency',
      summary: 'The emergency accounts: when sealed, when last used',
      access: 'administrator',
      answer: z.array(emergencyAccountSchema),
      handle: async () => ({ status: 200, body: (await emergency.list()).map(viewEmergencyAccount) }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/emergency',
      summary: 'Add an emergency account; its code is in this answer only',
      access: 'administrator',
      body: newEmergencyAccountSchema,
      answer: sealedSchema,
      errors: ['already-exists', 'invalid-input'],
      handle: async ({ body, caller }) => ({
        status: 201,
        body: viewSealed(await emergency.add(body, caller.actor)),
      }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/emergency/{userName}/seal',
      summary: 'Put a new code in the place of the present one; it is in this answer only',
      access: 'administrator',
      params: z.object({ userName: nameSchema }),
      answer: sealedSchema,
      errors: ['not-found'],
      handle: async ({ params, caller }) => ({
        status: 200,
        body: viewSealed(await emergency.seal(params.userName, caller.actor)),
      }),
    }),
  ];
}
