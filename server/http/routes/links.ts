/** PLC links, for administrators. */
import { z } from 'zod';
import type { Links } from '../../plc/links.ts';
import { guidSchema, linkSchema, linkStatusSchema, linkTestSchema, newLinkSchema } from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';
import { viewLinkStatus, viewLinkTest } from '../views.ts';

const linkParams = z.object({ linkId: guidSchema });

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
      method: 'get',
      path: '/api/v1/links/status',
      summary: 'How the links are: connection, PLC, word, whom it means, round trips, errors',
      access: 'administrator',
      answer: z.array(linkStatusSchema),
      handle: () => ({ status: 200, body: links.status().map(viewLinkStatus) }),
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
    defineRoute({
      method: 'put',
      path: '/api/v1/links/{linkId}',
      summary: 'Make a link another one; the app it leaves, and its word, stay as they are',
      access: 'administrator',
      params: linkParams,
      body: newLinkSchema,
      answer: linkSchema,
      errors: ['not-found', 'invalid-input'],
      handle: async ({ params, body, caller }) => ({
        status: 200,
        body: await links.change(params.linkId, body, caller.actor),
      }),
    }),
    defineRoute({
      method: 'delete',
      path: '/api/v1/links/{linkId}',
      summary: 'Remove a link; its app, and its word, stay as they are',
      access: 'administrator',
      params: linkParams,
      errors: ['not-found'],
      async handle({ params, caller }) {
        await links.remove(params.linkId, caller.actor);
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/links/test',
      summary: 'Connect for a link that need not exist, read what it would read, and tell what was found',
      access: 'administrator',
      body: newLinkSchema,
      answer: linkTestSchema,
      errors: ['invalid-input'],
      handle: async ({ body }) => ({ status: 200, body: viewLinkTest(await links.test(body)) }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/links/{linkId}/write-default',
      summary:
        "End the session at the link's app and write the default value; 204 when the PLC has confirmed it",
      access: 'administrator',
      params: linkParams,
      errors: ['not-found', 'plc-unreachable', 'plc-timeout', 'plc-refused', 'plc-write-unverified'],
      async handle({ params, caller }) {
        await links.writeDefault(params.linkId, caller.actor);
        return { status: 204 };
      },
    }),
  ];
}
