/** The OpenAPI 3.1 document of the routes, from the very schemas that check them. */
import type { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiContentObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { KeyswitchError, type ErrorCode } from '../errors.ts';
import { problemSchema } from './contract.ts';
import { problemOf } from './problem.ts';
import type { Route } from './route.ts';

export function openApiDocument(routes: readonly Route[], version: string): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Keyswitch',
      version,
      description: 'The sign-in authority for plant control rooms. Errors are RFC 9457 problem documents.',
    },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        cookie: { type: 'apiKey', in: 'cookie', name: '__Host-keyswitch' },
      },
    },
  });
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const success =
    route.method === 'post' && route.path.match(/(users|apps|links|emergency)$/) ? '201' : '200';
  const content = contentOf(route);
  const answers: ZodOpenApiResponsesObject =
    content === null ? { '204': { description: 'Done' } } : { [success]: { description: 'OK', content } };
  return {
    summary: route.summary,
    ...(route.access !== 'anyone' && { security: [{ bearer: [] }, { cookie: [] }] }),
    requestParams: {
      ...(route.params !== undefined && { path: route.params as z.ZodObject }),
      ...(route.query !== undefined && { query: route.query as z.ZodObject }),
    },
    ...(route.body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: route.body } } },
    }),
    responses: { ...answers, ...refusalsOf(route) },
  };
}

/** What a good answer holds: JSON, a file, or nothing. */
function contentOf({ answer, mediaTypes }: Route): ZodOpenApiContentObject | null {
  if (answer !== undefined) return { 'application/json': { schema: answer } };
  if (mediaTypes === undefined) return null;
  return Object.fromEntries(mediaTypes.map((type) => [type, { schema: { type: 'string' as const } }]));
}

function refusalsOf(route: Route): ZodOpenApiResponsesObject {
  const codes: ErrorCode[] = [...(route.errors ?? [])];
  if (route.body !== undefined) codes.push('malformed-body', 'body-too-large', 'unsupported-media-type');
  if (route.query !== undefined) codes.push('invalid-input');
  if (route.method !== 'get') codes.push('cross-site');
  if (route.access !== 'anyone') codes.push('not-signed-in');
  if (route.access === 'administrator') codes.push('forbidden');
  const byStatus = new Map<string, Set<ErrorCode>>();
  for (const code of codes) {
    const status = String(problemOf(new KeyswitchError(code), '').status);
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  return Object.fromEntries(
    [...byStatus].map(([status, set]) => [
      status,
      {
        description: [...set].join(', '),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  ) as ZodOpenApiResponsesObject;
}
