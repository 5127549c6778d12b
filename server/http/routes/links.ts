/** PLC links, for administrators. */
import { z } from 'zod';
import type { Links } from '../../plc/links.ts';
import { linkSchema, newLinkSchema } from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';

export function linkRoutes({ links }: { links: Links }): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/v1/links',
      summary: 'All PLC links',
      access: 'administrator',
      answer: z.array(linkSchema),
      handle: async () => ({ status: 200, body: await links.list() }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/links',
      summary: "Add a link: one word of a PLC follows an app's current user, and can set it",
      access: 'administrator',
      body: newLinkSchema,
      answer: linkSchema,
      errors: ['not-found', 'invalid-input'],
      handle: async ({ body, caller }) => ({ status: 201, body: await links.add(body, caller.actor) }),
    }),
  ];
}
