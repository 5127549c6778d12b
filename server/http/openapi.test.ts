/** The description of the API holds what OpenAPI 3.1 asks of it, and what the host in fact answers. */
import { afterAll, describe, expect, test } from 'vitest';
import { PASSWORD, startTestHost } from '../../test/host.ts';

interface Operation {
  readonly summary: string;
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly parameters?: readonly { name: string; in: string; required: boolean; schema: unknown }[];
  readonly requestBody?: { required: boolean; content: Record<string, { schema: unknown }> };
  readonly responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
}

const house = await startTestHost();
await house.addUser('olivia');
await house.addUser('adam', { type: 'Admin' });
const { app: hmi } = await house.addApp('HMI', { users: { olivia: '5' } });
const { accessToken: token } = await house.signIn('adam');
await house.addUser('novice', { mustChange: true });
const { sessionId } = await house.signIn('olivia');
const link = { connection: 'Data Source=127.0.0.1:1,0,2', area: 'DB1', address: 'W0', appId: hmi.id };
const document = (await house.ask('GET', '/api/v1/openapi.json')).body as Document;
afterAll(() => house.close());

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => [method.toUpperCase(), path, operation] as const),
);

/** Calls `visit` with every object of the document and the way to it. */
function walk(
  value: unknown,
  visit: (object: Record<string, unknown>, way: string) => void,
  way = '#',
): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) visit(value as Record<string, unknown>, way);
  for (const [key, inner] of Object.entries(value)) walk(inner, visit, `${way}/${key}`);
}

describe('the document', () => {
  test('has only references that lead somewhere', () => {
    const references = new Set<string>();
    walk(document, ({ $ref }) => typeof $ref === 'string' && references.add($ref));
    expect(references.size).toBeGreaterThan(10);
    for (const reference of references) {
      const [, section, kind, name] = /^#\/(components)\/(schemas)\/([\w.-]+)$/.exec(reference) ?? [];
      expect([section, kind], reference).toEqual(['components', 'schemas']);
      expect(document.components.schemas, reference).toHaveProperty([name ?? '']);
    }
  });

  test('has no name that OpenAPI forbids, and nothing of JSON Schema before 2020-12', () => {
    expect(Object.keys(document.components.schemas).filter((name) => !/^[\w.-]+$/.test(name))).toEqual([]);
    const old: string[] = [];
    walk(document, (object, way) => {
      if ('nullable' in object || typeof object['exclusiveMinimum'] === 'boolean' || 'definitions' in object)
        old.push(way);
    });
    expect(old).toEqual([]);
  });

  test('has no schema that says nothing of a type', () => {
    const vague: string[] = [];
    walk(document.components.schemas, (schema, way) => {
      const isProperty = /\/properties\/\w+$/.test(way);
      if (isProperty && !['type', '$ref', 'anyOf', 'const', 'enum'].some((key) => key in schema))
        vague.push(way);
    });
    expect(vague).toEqual([]);
  });
});

describe.each(operations)('%s %s', (method, path, operation) => {
  test('is described whole', () => {
    expect(operation.summary).toMatch(/^[A-Z].{5,}$/);
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parameters = operation.parameters ?? [];
    const ofPath = parameters.filter((parameter) => parameter.in === 'path');
    expect(ofPath.map(({ name }) => name)).toEqual(inPath);
    for (const parameter of ofPath) expect(parameter).toMatchObject({ required: true });
    const others = parameters.filter((parameter) => parameter.in !== 'path');
    for (const { in: place, name } of others) {
      expect([place, name]).toEqual(['query', expect.stringMatching(/^[a-z][A-Za-z]*$/)]);
      expect(method).toBe('GET');
    }
    const successes = Object.keys(operation.responses).filter((status) => status.startsWith('2'));
    expect(successes).toHaveLength(1);
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      expect(status).toMatch(/^(200|201|204|400|401|403|404|409|413|415|429|502|503|504)$/);
      expect(description).not.toBe('');
      if (status >= '400') expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
    }
    for (const alternative of operation.security ?? []) {
      for (const scheme of Object.keys(alternative))
        expect(document.components.securitySchemes).toHaveProperty(scheme);
    }
    if (operation.requestBody !== undefined) {
      expect(operation.requestBody.required).toBe(true);
      expect(Object.keys(operation.requestBody.content)).toEqual(['application/json']);
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400', '413', '415']));
    }
    if (method !== 'GET') expect(Object.keys(operation.responses)).toContain('403');
  });
});

test.each([
  ['GET', '/healthz', '/healthz', {}],
  ['GET', '/api/v1/welcome', '/api/v1/welcome', {}],
  ['GET', '/api/v1/password-blocklist', '/api/v1/password-blocklist', {}],
  ['GET', '/api/v1/users', '/api/v1/users', {}],
  ['POST', '/api/v1/users', '/api/v1/users', { json: { name: 'rita', password: PASSWORD } }],
  ['POST', '/api/v1/users', '/api/v1/users', { json: { name: 'rita', password: PASSWORD } }],
  ['POST', '/api/v1/users', '/api/v1/users', { json: {} }],
  ['PATCH', '/api/v1/users/{userName}', '/api/v1/users/rita', { json: { enabled: false } }],
  ['PATCH', '/api/v1/users/{userName}', '/api/v1/users/nobody', { json: {} }],
  ['GET', '/api/v1/apps', '/api/v1/apps', {}],
  ['POST', '/api/v1/apps', '/api/v1/apps', { json: { name: 'Panel' } }],
  ['POST', '/api/v1/apps', '/api/v1/apps', { json: { name: 'Panel' } }],
  [
    'PUT',
    '/api/v1/apps/{appId}/users/{userName}',
    `/api/v1/apps/${hmi.id}/users/adam`,
    { json: { data: '1' } },
  ],
  ['GET', '/api/v1/apps/{appId}/state', `/api/v1/apps/${hmi.id}/state`, {}],
  ['GET', '/api/v1/apps/{appId}/state', '/api/v1/apps/x/state', {}],
  ['POST', '/api/v1/apps/{appId}/sign-out', `/api/v1/apps/${hmi.id}/sign-out`, {}],
  ['POST', '/api/v1/first-run', '/api/v1/first-run', { json: {} }],
  ['GET', '/api/v1/links', '/api/v1/links', {}],
  ['POST', '/api/v1/links', '/api/v1/links', { json: {} }],
  ['POST', '/api/v1/links', '/api/v1/links', { json: link }],
  ['GET', '/api/v1/links/status', '/api/v1/links/status', {}],
  ['PUT', '/api/v1/links/{linkId}', `/api/v1/links/${hmi.id}`, { json: link }],
  ['DELETE', '/api/v1/links/{linkId}', `/api/v1/links/${hmi.id}`, {}],
  ['POST', '/api/v1/links/test', '/api/v1/links/test', { json: link }],
  ['POST', '/api/v1/links/{linkId}/write-default', `/api/v1/links/${hmi.id}/write-default`, {}],
  ['POST', '/api/v1/sign-in', '/api/v1/sign-in', { json: { username: 'olivia', password: PASSWORD } }],
  ['POST', '/api/v1/sign-in', '/api/v1/sign-in', { json: { username: 'olivia', password: 'wrong' } }],
  [
    'POST',
    '/api/v1/sign-in',
    '/api/v1/sign-in',
    { raw: '{', headers: { 'Content-Type': 'application/json' } },
  ],
  [
    'POST',
    '/api/v1/password-change',
    '/api/v1/password-change',
    { json: { ticket: 'x', newPassword: PASSWORD } },
  ],
  ['POST', '/api/v1/refresh', '/api/v1/refresh', { json: { refreshToken: 'x' } }],
  ['POST', '/api/v1/sign-in', '/api/v1/sign-in', { json: { username: 'novice', password: PASSWORD } }],
  ['POST', '/api/v1/users/{userName}/password-reset', '/api/v1/users/novice/password-reset', {}],
  ['POST', '/api/v1/users/{userName}/password-reset', '/api/v1/users/nobody/password-reset', {}],
  ['POST', '/api/v1/users/{userName}/unlock', '/api/v1/users/novice/unlock', {}],
  ['POST', '/api/v1/users/{userName}/unlock', '/api/v1/users/nobody/unlock', {}],
  ['GET', '/api/v1/emergency', '/api/v1/emergency', {}],
  ['POST', '/api/v1/emergency', '/api/v1/emergency', { json: { name: 'Emergency' } }],
  ['POST', '/api/v1/emergency', '/api/v1/emergency', { json: { name: 'Emergency' } }],
  ['POST', '/api/v1/emergency/{userName}/seal', '/api/v1/emergency/Emergency/seal', {}],
  ['POST', '/api/v1/emergency/{userName}/seal', '/api/v1/emergency/olivia/seal', {}],
  [
    'POST',
    '/api/v1/emergency/sign-in',
    '/api/v1/emergency/sign-in',
    { json: { secret: '00000-00000-00000-00000-00000', reason: 'the boiler' } },
  ],
  ['POST', '/api/v1/emergency/sign-in', '/api/v1/emergency/sign-in', { json: { secret: 'x' } }],
  ['GET', '/api/v1/account', '/api/v1/account', {}],
  [
    'PUT',
    '/api/v1/password',
    '/api/v1/password',
    { json: { currentPassword: 'wrong', newPassword: 'a boiler that hums' } },
  ],
  [
    'PUT',
    '/api/v1/password',
    '/api/v1/password',
    { json: { currentPassword: PASSWORD, newPassword: 'short' } },
  ],
  [
    'PUT',
    '/api/v1/password',
    '/api/v1/password',
    { json: { currentPassword: PASSWORD, newPassword: 'a boiler that hums' } },
  ],
  ['GET', '/api/v1/sessions', '/api/v1/sessions', {}],
  ['GET', '/api/v1/sessions', '/api/v1/sessions?all=perhaps', {}],
  ['POST', '/api/v1/sessions/end-others', '/api/v1/sessions/end-others', { json: {} }],
  ['DELETE', '/api/v1/sessions/{sessionId}', '/api/v1/sessions/x', {}],
  ['DELETE', '/api/v1/sessions/{sessionId}', `/api/v1/sessions/${sessionId}`, {}],
  ['GET', '/api/v1/audit', '/api/v1/audit', {}],
  ['GET', '/api/v1/audit', '/api/v1/audit?limit=0', {}],
  ['GET', '/api/v1/audit/export', '/api/v1/audit/export?format=csv', {}],
  ['GET', '/api/v1/audit/export', '/api/v1/audit/export?format=jsonl', {}],
  ['GET', '/api/v1/audit/export', '/api/v1/audit/export', {}],
  ['GET', '/api/v1/audit/status', '/api/v1/audit/status', {}],
  ['POST', '/api/v1/audit/verify', '/api/v1/audit/verify', {}],
  ['GET', '/api/v1/session', '/api/v1/session', {}],
  ['POST', '/api/v1/sign-out', '/api/v1/sign-out', {}],
])('%s %s is answered with a status and a type that it names: %s %o', async (method, route, path, ask) => {
  const { status, headers } = await house.ask(method, path, { token, ...ask });
  const described = document.paths[route]?.[method.toLowerCase()]?.responses[status];
  expect(described, String(status)).toBeDefined();
  const type = headers['content-type']?.split(';')[0];
  const types = Object.keys(described?.content ?? {});
  if (type === undefined) expect(types).toEqual([]);
  else expect(types).toContain(type);
});
