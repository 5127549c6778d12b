import { hkdfSync } from 'node:crypto';
import { calculateJwkThumbprint, compactDecrypt, exportJWK, type JWK } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DAY_MS, filesWith, HOUR_MS, openTrail, temporaryFolder } from '../../test/house.ts';
import { createFixedClock } from '../ports/clock.ts';
import { createMemoryLog } from '../ports/log.ts';
import { openStore, type Store } from '../store/store.ts';
import { openKeyRing, type KeyRing } from './keys.ts';

const SECRET = Buffer.from('the key that seals the keys of the tests');
/** A key signs for 30 days, is published one day before, and verifies for 7 + 1 days after. */
const OPTIONS = { rotationDays: 30, overlapDays: 1, longestTokenDays: 7 };

/** A store, a clock and `open`, which opens the ring on them as a host does at its start. */
async function prepare() {
  const folder = temporaryFolder();
  const store = await openStore(folder);
  onTestFinished(() => store.close());
  const clock = createFixedClock();
  const log = createMemoryLog();
  const audit = await openTrail(store, folder, clock);
  async function open({
    secret = SECRET,
    over = store,
  }: { secret?: Buffer; over?: Store } = {}): Promise<KeyRing> {
    const ring = await openKeyRing({ store: over, audit, clock, log, secret }, OPTIONS);
    onTestFinished(() => ring.close());
    return ring;
  }
  return { folder, store, clock, log, audit, open };
}

const idsOf = (ring: KeyRing): unknown[] => ring.jwks().keys.map(({ kid }) => kid);

describe('the first key', () => {
  test('signs from now on, and its making is audited', async () => {
    const { clock, audit, open } = await prepare();
    const ring = await open();
    const { id, signsFrom, signsUntil, verifiesUntil } = ring.signer();
    expect({ signsFrom, signsUntil, verifiesUntil }).toEqual({
      signsFrom: clock.now(),
      signsUntil: clock.now() + 30 * DAY_MS,
      verifiesUntil: clock.now() + 38 * DAY_MS,
    });
    expect(await audit.newest(10)).toMatchObject([
      { action: 'signing-key-added', actor: 'host', subject: id },
    ]);
  });

  test('is the same after a restart', async () => {
    const { open } = await prepare();
    const first = await open();
    const second = await open();
    expect(second.signer().id).toBe(first.signer().id);
    expect(second.jwks()).toEqual(first.jwks());
  });

  test('is published as a key of P-256 for ES256, named by its thumbprint, its public half alone', async () => {
    const ring = await (await prepare()).open();
    const { keys } = ring.jwks();
    expect(keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String) as string,
        y: expect.any(String) as string,
        kid: ring.signer().id,
        alg: 'ES256',
        use: 'sig',
      },
    ]);
    expect(await calculateJwkThumbprint(keys[0] as JWK)).toBe(ring.signer().id);
  });

  test('is nowhere in the data folder in clear, and cannot be read out of memory', async () => {
    const { folder, store, open } = await prepare();
    const ring = await open();
    await expect(exportJWK(ring.signer().privateKey)).rejects.toThrow(TypeError);
    const { private_sealed } = await store.read
      .selectFrom('signing_keys')
      .selectAll()
      .executeTakeFirstOrThrow();
    const { d = '' } = await unseal(private_sealed);
    expect(Buffer.from(d, 'base64url')).toHaveLength(32);
    for (const form of ['base64url', 'base64', 'hex', 'latin1'] as const) {
      const text = Buffer.from(d, 'base64url').toString(form);
      expect(filesWith(folder, text)).toEqual([]);
    }
  });

  /** Opens what is sealed the way the host does: AES-256-GCM under a key derived from the secret. */
  async function unseal(sealed: string): Promise<JWK> {
    const key = new Uint8Array(hkdfSync('sha256', SECRET, '', 'keyswitch signing keys', 32));
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, key);
    expect(protectedHeader).toMatchObject({ alg: 'dir', enc: 'A256GCM' });
    return JSON.parse(new TextDecoder().decode(plaintext)) as JWK;
  }
});

describe('rotation', () => {
  test('publishes a key a day before it signs, and drops the former when its tokens are over', async () => {
    const { clock, open } = await prepare();
    let ring = await open();
    const first = ring.signer().id;

    await clock.advance(29 * DAY_MS - HOUR_MS);
    await ring.close();
    expect(idsOf(ring)).toEqual([first]);

    ring = await open();
    await clock.advance(HOUR_MS);
    await ring.close();
    const [, second] = idsOf(ring);
    expect(idsOf(ring)).toEqual([first, expect.any(String)]);
    expect(ring.signer().id).toBe(first);

    ring = await open();
    await clock.advance(DAY_MS - 1);
    expect(ring.signer().id).toBe(first);
    await clock.advance(1);
    expect(ring.signer().id).toBe(second);
    expect(ring.verifier(first)?.id).toBe(first);

    await clock.advance(8 * DAY_MS - 1);
    expect(ring.verifier(first)?.id).toBe(first);
    await clock.advance(1);
    expect(ring.verifier(first)).toBeNull();
    expect(idsOf(ring)).toEqual([second]);
    expect(ring.verifier(second as string)?.id).toBe(second);
  });

  test('makes one key, however often it looks while that key is being made', async () => {
    const { clock, store, open } = await prepare();
    const gate = Promise.withResolvers<void>();
    const over: Store = {
      ...store,
      async write(operation) {
        await gate.promise;
        return store.write(operation);
      },
    };
    await (await open()).close();
    const ring = await open({ over });
    await clock.advance(29.9 * DAY_MS);
    gate.resolve();
    await ring.close();
    expect(await store.read.selectFrom('signing_keys').select('id').execute()).toHaveLength(2);
  });

  test.each([
    ['within the overlap: the next key is published and does not sign yet', 29.5, 2, 'first'],
    ['after the key should have been replaced: a new one signs, the former still verifies', 33, 2, 'new'],
    ['after the last token was over: nothing is left of the former', 39, 1, 'new'],
  ])('catches up when the host was off until %s', async (_name, days, published, signer) => {
    const { clock, open } = await prepare();
    const before = await open();
    const first = before.signer().id;
    await before.close();
    await clock.advance(days * DAY_MS);
    const ring = await open();
    expect(ring.jwks().keys).toHaveLength(published);
    expect(ring.signer().id === first ? 'first' : 'new').toBe(signer);
    expect(ring.verifier(first) !== null).toBe(published === 2);
  });

  test('that fails is logged, tried again an hour later, and nobody is refused meanwhile', async () => {
    const { clock, log, store, open } = await prepare();
    const failed = Promise.withResolvers<void>();
    let isFull = false;
    const over: Store = {
      ...store,
      write(operation) {
        if (!isFull) return store.write(operation);
        failed.resolve();
        return Promise.reject(new Error('the disk is full'));
      },
    };
    const ring = await open({ over });
    const first = ring.signer().id;
    isFull = true;
    await clock.advance(29 * DAY_MS);
    await failed.promise;
    isFull = false;
    await new Promise(setImmediate);
    expect(log.lines).toMatchObject([{ level: 'error', err: { message: 'the disk is full' } }]);
    expect(ring.signer().id).toBe(first);
    await clock.advance(HOUR_MS);
    await ring.close();
    expect(idsOf(ring)).toHaveLength(2);
  });

  test('does not leave the host without a key when the wall clock is set back', async () => {
    const { clock, open } = await prepare();
    const before = await open();
    const { id } = before.signer();
    clock.setWallClock(clock.now() - 10 * DAY_MS);
    expect(before.signer().id).toBe(id);
    const ring = await open();
    expect(ring.signer().id).toBe(id);
    expect(ring.verifier(id)?.id).toBe(id);
  });
});

describe('another SECRET_PWD_KEY', () => {
  test('leaves the former keys worthless, says so in the log, and signs with a new one', async () => {
    const { log, open } = await prepare();
    const former = (await open()).signer().id;
    const ring = await open({ secret: Buffer.from('another key for the keys of the tests') });
    expect(ring.signer().id).not.toBe(former);
    expect(ring.verifier(former)).toBeNull();
    expect(idsOf(ring)).toEqual([ring.signer().id]);
    expect(log.lines.filter(({ level }) => level === 'warn')[0]).toMatchObject({ keys: 1 });
  });

  test('taken back brings the former keys back', async () => {
    const { open } = await prepare();
    const former = (await open()).signer().id;
    await open({ secret: Buffer.from('another key for the keys of the tests') });
    expect((await open()).verifier(former)?.id).toBe(former);
  });
});
