/** Repeating the first run on a running host, for the command line. */
import { z } from 'zod';
import type { FirstRun } from '../../first-run.ts';
import { defineRoute, type Route } from '../route.ts';

const credentialSchema = z.object({ username: z.string(), oneTimeSecret: z.string() });

const firstRunSchema = z
  .object({
    administrator: credentialSchema.nullable(),
    sample: z
      .object({ users: z.array(credentialSchema), app: z.object({ id: z.string(), name: z.string() }) })
      .nullable(),
  })
  .meta({ id: 'FirstRun' });

export function firstRunRoutes(run: (sample: boolean) => Promise<FirstRun>): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/api/v1/first-run',
      summary: 'Add what a new installation needs and is missing; one-time secrets are in this answer only',
      access: 'administrator',
      body: z.strictObject({ sample: z.boolean().default(false) }),
      answer: firstRunSchema,
      errors: ['invalid-input'],
      handle: async ({ body }) => ({ status: 200, body: await run(body.sample) }),
    }),
  ];
}
