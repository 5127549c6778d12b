/** What anyone may ask: how the host is, what this place is called, and the keys that tokens are verified with. */
import { z } from 'zod';
import type { Apps } from '../../apps/apps.ts';
import type { StorageState } from '../../audit/capacity.ts';
import type { LinkStatus } from '../../plc/link.ts';
import type { Passwords } from '../../passwords/passwords.ts';
import type { KeyRing } from '../../tokens/keys.ts';
import {
  passwordBlocklistSchema,
  welcomeSchema,
  type PasswordBlocklistView,
  type WelcomeView,
} from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';

export interface PublicRoutesNeeds {
  readonly apps: Apps;
  readonly keys: KeyRing;
  readonly passwords: Pick<Passwords, 'policy' | 'blocklist'>;
  readonly badges: WelcomeView['badges'];
  readonly place: Pick<WelcomeView, 'plant' | 'station' | 'banner' | 'version'>;
  linkStatus(): readonly LinkStatus[];
  storage(): StorageState;
  /** Reads from the store; rejects when it does not answer. */
  probeStore(): Promise<unknown>;
}

/** The list changes with the settings and the product, so at a start of the host. */
const BLOCKLIST_CACHE_SEC = 3600;

const healthSchema = z
  .object({
    live: z.literal(true),
    ready: z.boolean(),
    store: z.enum(['ok', 'failing']),
    storage: z.enum(['ok', 'low', 'reserve']).meta({ description: 'reserve: nobody new is signed in' }),
    plc: z.object({ links: z.int(), online: z.int() }),
  })
  .meta({ id: 'Health' });

export function publicRoutes(needs: PublicRoutesNeeds): Route[] {
  const { apps, keys, passwords, badges, place, linkStatus, storage, probeStore } = needs;
  const { policy } = passwords;
  let blocklistText: string | undefined;
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
        const body = { live: true, ready, store: ready ? 'ok' : 'failing', storage: storage(), plc };
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
        return {
          status: 200,
          body: { ...place, app: app && { id: app.id, name: app.name }, password: policy, badges },
        };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/v1/password-blocklist',
      summary: 'The words that no new password may be, for a page that checks while one types',
      access: 'anyone',
      answer: passwordBlocklistSchema,
      handle() {
        blocklistText ??= JSON.stringify(blocklistOf(passwords));
        return { status: 200, text: blocklistText, cacheSec: BLOCKLIST_CACHE_SEC };
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

function blocklistOf({ policy, blocklist }: PublicRoutesNeeds['passwords']): PasswordBlocklistView {
  const { common, site } = blocklist;
  return policy.blocklist ? { common: [...common.all], site: [...site.all] } : { common: [], site: [] };
}
