/** Users, for administrators. */
import { z } from 'zod';
import type { Accounts } from '../../accounts/accounts.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { Users, UserChange } from '../../users/users.ts';
import {
  nameSchema,
  newUserAnswerSchema,
  newUserSchema,
  oneTimeSecretSchema,
  userChangeSchema,
  userListItemSchema,
  userSchema,
} from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';
import { viewNewUser, viewOneTimeSecret, viewUserListItem } from '../views.ts';

const userParams = z.object({ userName: nameSchema });

export interface UserRoutesNeeds {
  readonly users: Users;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
}

export function userRoutes({ users, accounts, sessions }: UserRoutesNeeds): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/v1/users',
      summary: 'All users: how their passwords are, whether they are locked, when they last signed in',
      access: 'administrator',
      answer: z.array(userListItemSchema),
      handle: async () => ({ status: 200, body: (await accounts.list()).map(viewUserListItem) }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/users',
      summary: 'Add a user; without a password one gets a one-time secret, which is in this answer only',
      access: 'administrator',
      body: newUserSchema,
      answer: newUserAnswerSchema,
      errors: ['already-exists', 'password-unacceptable', 'busy', 'invalid-input'],
      async handle({ body: { password, ...input }, caller }) {
        if (password !== undefined) {
          return { status: 201, body: await users.add({ ...input, password }, caller.actor) };
        }
        return { status: 201, body: viewNewUser(await users.addWithOneTimeSecret(input, caller.actor)) };
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/api/v1/users/{userName}',
      summary: 'Change a user; disabling one ends their sessions',
      access: 'administrator',
      params: userParams,
      body: userChangeSchema,
      answer: userSchema,
      errors: ['not-found', 'invalid-input'],
      async handle({ params, body, caller }) {
        const given = Object.entries(body).filter(([, value]) => value !== undefined);
        const change = Object.fromEntries(given) as UserChange;
        return { status: 200, body: await users.change(params.userName, change, caller.actor) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/users/{userName}/password-reset',
      summary: 'Put a one-time secret in the place of the password; it is in this answer only',
      access: 'administrator',
      params: userParams,
      answer: oneTimeSecretSchema,
      errors: ['not-found', 'forbidden', 'busy'],
      handle: async ({ params, caller }) => ({
        status: 200,
        body: viewOneTimeSecret(await sessions.resetPassword(params.userName, caller.actor)),
      }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/users/{userName}/unlock',
      summary: 'Let a locked user try again at once',
      access: 'administrator',
      params: userParams,
      errors: ['not-found'],
      async handle({ params, caller }) {
        await accounts.unlock(params.userName, caller.actor);
        return { status: 204 };
      },
    }),
  ];
}
