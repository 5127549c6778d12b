/** Users, for administrators. */
import { z } from 'zod';
import type { Users, UserChange } from '../../users/users.ts';
import { nameSchema, newUserSchema, userChangeSchema, userSchema } from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';

export function userRoutes({ users }: { users: Users }): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/v1/users',
      summary: 'All users',
      access: 'administrator',
      answer: z.array(userSchema),
      handle: async () => ({ status: 200, body: await users.list() }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/users',
      summary: 'Add a user with a password, for provisioning by script',
      access: 'administrator',
      body: newUserSchema,
      answer: userSchema,
      errors: ['already-exists', 'password-unacceptable', 'invalid-input'],
      handle: async ({ body, caller }) => ({ status: 201, body: await users.add(body, caller.actor) }),
    }),
    defineRoute({
      method: 'patch',
      path: '/api/v1/users/{userName}',
      summary: 'Change a user; disabling one ends their sessions',
      access: 'administrator',
      params: z.object({ userName: nameSchema }),
      body: userChangeSchema,
      answer: userSchema,
      errors: ['not-found', 'invalid-input'],
      async handle({ params, body, caller }) {
        const given = Object.entries(body).filter(([, value]) => value !== undefined);
        const change = Object.fromEntries(given) as UserChange;
        return { status: 200, body: await users.change(params.userName, change, caller.actor) };
      },
    }),
  ];
}
