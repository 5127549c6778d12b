/** What anyone may ask: how the host is, what this place is called, and the keys that tokens are verified with. */
import { z } from 'zod';
import type { Apps } from '../../apps/apps.ts';
import type { LinkStatus } from '../../plc/link.ts';
import type { PasswordPolicy } from '../../passwords/policy.ts';
import type { KeyRing } from '../../tokens/keys.ts';
import { welcomeSchema, type WelcomeView } from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';

export interface PublicRoutesNeeds {
  readonly apps: Apps;
  readonly keys: KeyRing;
  readonly policy: PasswordPolicy;
  readonly place: Pick<WelcomeView, 'plant' | 'station' | 'banner' | 'version'>;
  linkStatus(): readonly LinkStatus[];
  /** Reads from the store; rejects when it does not answer. */
  probeStore(): Promise<unknown>;
}

const healthSchema = z
  .object({
    live: z.literal(true),
    ready: z.boolean(),
    store: z.enum(['ok', 'failing']),
    plc: z.object({ links: z.int(), online: z.int() }),
  })
  .meta({ id: 'Health' });

export function publicRoutes(needs: PublicRoutesNeeds): Route[] {
  const { apps, keys, policy, place, linkStatus, probeStore } = needs;
  return [
    defineRoute({
      method: 'get',
      path: '/healthz',
      summary: 'Whether the host lives and is ready; a PLC that is away does not make it unready',
      access: 'anyone',
      answer: healthSchema,
      async handle() {
        const ready = await probeStore().then(
          () => true,
          () => false,
        );
        const links = linkStatus();
        const plc = { links: links.length, online: links.filter(({ state }) => state === 'online').length };
        const body = { live: true, ready, store: ready ? 'ok' : 'failing', plc };
        return { status: ready ? 200 : 503, body };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/v1/welcome',
      summary: 'What the sign-in page shows: plant, station, banner, and the app asked for with ?appId=',
      access: 'anyone',
      answer: welcomeSchema,
      handle({ query }) {
        const app = apps.byId(String(query['appId'] ?? ''));
        const { minLength, maxLength } = policy;
        return {
          status: 200,
          body: { ...place, app: app && { id: app.id, name: app.name }, password: { minLength, maxLength } },
        };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/.well-known/jwks.json',
      summary: 'The public keys that access tokens are verified with (RFC 7517)',
      access: 'anyone',
      answer: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
      handle: () => ({ status: 200, body: keys.jwks() }),
    }),
  ];
}
