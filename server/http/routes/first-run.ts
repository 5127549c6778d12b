/** Repeating the first run on a running host, for the command line. */
import { z } from 'zod';
import { PRESETS, type FirstRun, type FirstRunOptions } from '../../first-run.ts';
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

const optionsSchema = z.strictObject({
  sample: z.boolean().default(false),
  preset: z
    .enum(PRESETS)
    .optional()
    .meta({ description: 'jube: Administrator with the password Administrator' }),
});

export function firstRunRoutes(
  run: (options: Pick<FirstRunOptions, 'sample' | 'preset'>) => Promise<FirstRun>,
): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/api/v1/first-run',
      summary: 'Add what a new installation needs and is missing; one-time secrets are in this answer only',
      access: 'administrator',
      body: optionsSchema,
      answer: firstRunSchema,
      errors: ['invalid-input'],
      handle: async ({ body }) => ({ status: 200, body: await run(body) }),
    }),
  ];
}
