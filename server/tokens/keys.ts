/** The ring of signing keys: each signs for a time, is published before it does, and verifies until its last token is over. */
import { hkdfSync } from 'node:crypto';
import {
  calculateJwkThumbprint,
  CompactEncrypt,
  compactDecrypt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
  type JWK,
} from 'jose';
import { HOST_ACTOR, type Audit } from '../audit/audit.ts';
import { messageOf } from '../errors.ts';
import { every, type Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../store/store.ts';
import { insertKey, selectKeysThatVerify, type SigningKeyRow } from './keys-store.ts';

export const SIGNING_ALGORITHM = 'ES256';
const DAY_MS = 86_400_000;
const CHECK_INTERVAL_MS = 3_600_000;

export interface SigningKey {
  /** RFC 7638 thumbprint of the public key. */
  readonly id: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly signsFrom: number;
  readonly signsUntil: number;
  readonly verifiesUntil: number;
}

export interface KeyRing {
  signer(): SigningKey;
  /** The key with this id, if tokens of it may still be good. */
  verifier(id: string): SigningKey | null;
  /** JSON Web Key Set (RFC 7517 section 5): the public halves, the one to come included. */
  jwks(): { readonly keys: readonly JWK[] };
  /** Stops rotating; resolves when a key that is being made is on disk. */
  close(): Promise<void>;
}

export interface KeyRingNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  /** SECRET_PWD_KEY: seals the private keys at rest. Another one leaves every former token worthless. */
  readonly secret: Buffer;
}

export interface KeyRingOptions {
  /** How long a key signs. */
  readonly rotationDays: number;
  /** How long before it signs a key is published. */
  readonly overlapDays: number;
  /** The longest life of any token. */
  readonly longestTokenDays: number;
}

/** Opens the ring, making the first key where there is none. */
export async function openKeyRing(needs: KeyRingNeeds, options: KeyRingOptions): Promise<KeyRing> {
  const { store, audit, clock, log } = needs;
  const sealing = new Uint8Array(hkdfSync('sha256', needs.secret, '', 'keyswitch signing keys', 32));
  let keys: SigningKey[] = [];

  async function load(): Promise<void> {
    const rows = await selectKeysThatVerify(store.read, clock.now());
    const opened = await Promise.all(rows.map((row) => open(row, sealing)));
    keys = opened.filter((key) => key !== null);
    const sealedElsewhere = rows.length - keys.length;
    if (sealedElsewhere > 0) {
      log.warn(
        { keys: sealedElsewhere },
        'signing keys were sealed with another SECRET_PWD_KEY: their tokens are void',
      );
    }
  }

  async function add(signsFrom: number): Promise<void> {
    const row = await generate(signsFrom, clock.now(), sealing, options);
    await store.write(async (writer) => {
      await insertKey(writer, row);
      await audit.append(writer, { action: 'signing-key-added', actor: HOST_ACTOR, subject: row.id });
    });
    await load();
  }

  const current = (): SigningKey | undefined => {
    const now = clock.now();
    // The last resort is a key past its signing time: better than refusing every sign-in over a late rotation.
    return keys.findLast((key) => key.signsFrom <= now) ?? keys[0];
  };

  async function rotate(): Promise<void> {
    const now = clock.now();
    const last = keys.at(-1);
    if (last === undefined || last.signsUntil <= now) await add(now);
    else if (last.signsUntil - now <= options.overlapDays * DAY_MS) await add(last.signsUntil);
  }

  await load();
  await rotate();
  let rotation: Promise<void> | null = null;
  const stop = every(clock, CHECK_INTERVAL_MS, () => {
    keys = keys.filter((key) => key.verifiesUntil > clock.now());
    // Not beside one that is still under way: each would add a key of its own.
    rotation ??= rotate()
      .catch((err: unknown) => log.error({ err }, 'the signing keys could not be rotated'))
      .finally(() => (rotation = null));
  });

  return {
    signer() {
      const key = current();
      if (key === undefined) throw new Error('the key ring is empty');
      return key;
    },
    verifier: (id) => keys.find((key) => key.id === id && key.verifiesUntil > clock.now()) ?? null,
    jwks: () => ({ keys: keys.map((key) => key.publicJwk) }),
    async close() {
      stop();
      await rotation;
    },
  };

  async function open(row: SigningKeyRow, sealingKey: Uint8Array): Promise<SigningKey | null> {
    let privateJwk: JWK;
    try {
      const { plaintext } = await compactDecrypt(row.private_sealed, sealingKey);
      privateJwk = JSON.parse(new TextDecoder().decode(plaintext)) as JWK;
    } catch (error) {
      log.debug({ key_id: row.id, reason: messageOf(error) }, 'a signing key cannot be unsealed');
      return null;
    }
    const publicJwk = JSON.parse(row.public_jwk) as JWK;
    return {
      id: row.id,
      privateKey: (await importJWK(privateJwk, SIGNING_ALGORITHM)) as CryptoKey,
      publicKey: (await importJWK(publicJwk, SIGNING_ALGORITHM)) as CryptoKey,
      publicJwk,
      signsFrom: row.signs_from,
      signsUntil: row.signs_until,
      verifiesUntil: row.verifies_until,
    };
  }
}

async function generate(
  signsFrom: number,
  now: number,
  sealingKey: Uint8Array,
  options: KeyRingOptions,
): Promise<SigningKeyRow> {
  const pair = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
  const bare = await exportJWK(pair.publicKey);
  const id = await calculateJwkThumbprint(bare);
  const plaintext = new TextEncoder().encode(JSON.stringify(await exportJWK(pair.privateKey)));
  const sealed = await new CompactEncrypt(plaintext)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(sealingKey);
  const signsUntil = signsFrom + options.rotationDays * DAY_MS;
  return {
    id,
    public_jwk: JSON.stringify({ ...bare, kid: id, alg: SIGNING_ALGORITHM, use: 'sig' }),
    private_sealed: sealed,
    created_at: now,
    signs_from: signsFrom,
    signs_until: signsUntil,
    verifies_until: signsUntil + (options.longestTokenDays + 1) * DAY_MS,
  };
}
