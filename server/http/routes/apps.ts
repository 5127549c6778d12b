/** Apps: their state for their screens, and adding them and granting their use. */
import { z } from 'zod';
import type { App } from '../../apps/app.ts';
import type { AppChange, Apps } from '../../apps/apps.ts';
import { KeyswitchError } from '../../errors.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { Users } from '../../users/users.ts';
import {
  appChangeSchema,
  appSchema,
  appStateSchema,
  grantSchema,
  guidSchema,
  nameSchema,
  newAppAnswerSchema,
  newAppSchema,
} from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';
import { viewAppState } from '../views.ts';

export interface AppRoutesNeeds {
  readonly apps: Apps;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly defaultLogoutTimeInMin: number;
}

export function appRoutes({ apps, users, sessions, defaultLogoutTimeInMin }: AppRoutesNeeds): Route[] {
  function existing(appId: string): App {
    const app = apps.byId(appId);
    if (app === null) throw new KeyswitchError('not-found', `No app has the id ${appId}.`);
    return app;
  }
  return [
    defineRoute({
      method: 'get',
      path: '/api/v1/apps/{appId}/state',
      summary: "Who is at an app's controls; knowing the AppId is enough",
      access: 'anyone',
      params: z.object({ appId: guidSchema }),
      answer: appStateSchema,
      errors: ['not-found', 'invalid-input'],
      handle: ({ params }) => ({
        status: 200,
        body: viewAppState(sessions.ofApp(existing(params.appId).id)),
      }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/apps/{appId}/sign-out',
      summary: "Sign out an app's current user; anyone at the controls may, for it only takes rights away",
      access: 'anyone',
      params: z.object({ appId: guidSchema }),
      errors: ['not-found', 'invalid-input'],
      async handle({ params, caller }) {
        await sessions.endAtApp(existing(params.appId).id, 'signed-out', caller.actor);
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/v1/apps',
      summary: 'All apps',
      access: 'administrator',
      answer: z.array(appSchema),
      handle: () => ({ status: 200, body: apps.list() }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/apps',
      summary: 'Add an app; its key is in this answer only',
      access: 'administrator',
      body: newAppSchema,
      answer: newAppAnswerSchema,
      errors: ['already-exists', 'invalid-input'],
      async handle({ body, caller }) {
        const { name, logoutTimeInMin = defaultLogoutTimeInMin, idleLimitInMin } = body;
        const { app, key } = await apps.add({ name, logoutTimeInMin, idleLimitInMin }, caller.actor);
        return { status: 201, body: { id: app.id, key } };
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/api/v1/apps/{appId}',
      summary: "Change an app's limits, for sessions opened from then on; fields that are absent stay",
      access: 'administrator',
      params: z.object({ appId: guidSchema }),
      body: appChangeSchema,
      answer: appSchema,
      errors: ['not-found', 'invalid-input'],
      async handle({ params, body, caller }) {
        const given = Object.entries(body).filter(([, value]) => value !== undefined);
        const change = Object.fromEntries(given) as AppChange;
        return { status: 200, body: await apps.change(params.appId, change, caller.actor) };
      },
    }),
    defineRoute({
      method: 'put',
      path: '/api/v1/apps/{appId}/users/{userName}',
      summary: 'Let a user use an app, and say what the app is told of them',
      access: 'administrator',
      params: z.object({ appId: guidSchema, userName: nameSchema }),
      body: grantSchema,
      errors: ['not-found', 'invalid-input'],
      async handle({ params, body, caller }) {
        const app = existing(params.appId);
        const user = await users.byName(params.userName);
        if (user === null) throw new KeyswitchError('not-found', `No user is named ${params.userName}.`);
        await apps.grant(app, user, body.data, caller.actor);
        return { status: 204 };
      },
    }),
  ];
}
