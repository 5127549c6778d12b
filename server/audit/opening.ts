/** Opens the trail: is its end where it was left? What is not is told, recorded, and never made whole again. */
import { join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../ports/clock.ts';
import { isSealGood, sealOf, type ChainHead } from '../store/chain.ts';
import { STORE_FILE, type Store } from '../store/store.ts';
import { insertKey, readFacts, selectHash, updateSeal, type TrailFacts } from './audit-store.ts';
import {
  deriveKeys,
  generateKey,
  readKeyFile,
  unsealKey,
  writeKeyFile,
  type AuditKey,
  type DerivedKeys,
  type KeyFile,
} from './keys.ts';
import type { Problem, Verdict } from './verify.ts';
import type { VerifySettings } from './verify-protocol.ts';

export interface OpeningNeeds {
  readonly store: Store;
  readonly clock: Clock;
  /** SECRET_PWD_KEY. */
  readonly secret: Buffer;
  readonly folder: string;
  readonly archiveFolder: string;
  verify(settings: VerifySettings): Promise<Verdict>;
}

/** The end of the trail is not what it was when Keyswitch last wrote to it. */
export interface Damage {
  readonly seq: number;
  readonly problem: Problem;
}

export interface Opening {
  readonly facts: TrailFacts;
  readonly head: ChainHead;
  readonly key: AuditKey;
  readonly derived: DerivedKeys;
  readonly damage: Damage | null;
  /** Whether the end was sealed anew, because SECRET_PWD_KEY is another one. */
  readonly isResealed: boolean;
  /** Whether the key was made now, in the place of one that cannot be opened. */
  readonly isRekeyed: boolean;
}

/** Opens the trail and starts its journal. */
export async function openTrail(needs: OpeningNeeds): Promise<Opening> {
  const { store, clock, secret, folder } = needs;
  const derived = deriveKeys(secret);
  const facts = await readFacts(store.read);
  const file = readKeyFile(folder);
  const newest = facts.keys.at(-1);
  const former = newest === undefined ? null : await unsealKey(newest, derived);
  const isFirst = newest === undefined && file === null && facts.mac.length === 0;
  const state = isFirst ? FINE : await judge(needs, facts, derived, file);

  let key = former;
  if (key === null) {
    const sealed = await generateKey(derived, clock.now());
    key = await unsealKey(sealed, derived);
    if (key === null) throw new Error('the audit key that was just made cannot be opened');
    await store.write(async (writer) => {
      await insertKey(writer, sealed);
      if (isFirst) await updateSeal(writer, sealOf(derived.seal, facts.head));
    });
  }
  updateKeyFile(folder, file, key, derived);

  const { damage } = state;
  // After a breach one number is left out: whatever is recorded from now on, the breach stays to be seen.
  const head = damage === null ? facts.head : afterBreach(facts);
  await store.journal.start(head, derived.seal);
  return { facts, head, key, derived, ...state, isRekeyed: former === null && !isFirst };
}

interface State {
  readonly damage: Damage | null;
  readonly isResealed: boolean;
}

const FINE: State = { damage: null, isResealed: false };
const damaged = (seq: number, problem: Problem): State => ({ damage: { seq, problem }, isResealed: false });

async function judge(
  needs: OpeningNeeds,
  facts: TrailFacts,
  derived: DerivedKeys,
  file: KeyFile | null,
): Promise<State> {
  const { head, mac, end } = facts;
  const unproven = Math.min((facts.lastCheckpoint?.seq ?? 0) + 1, Math.max(end.seq, 1));
  if (isSealGood(derived.seal, head, mac)) {
    if (end.seq < head.seq) return damaged(end.seq + 1, 'cut-off');
    if (end.seq > head.seq) return damaged(head.seq + 1, 'added-at-the-end');
    const isSame = end.seq === 0 || end.hash === head.hash;
    if (!isSame) return damaged(unproven, 're-hashed');
    return (await isCheckpointThere(needs, facts))
      ? FINE
      : damaged(facts.lastCheckpoint?.seq ?? 0, 're-hashed');
  }
  // The same secret makes the same seal: somebody else has written the end.
  if (file?.check === derived.check) return damaged(unproven, 'seal-broken');
  const { breach } = await needs.verify({
    file: join(needs.folder, STORE_FILE),
    archiveFolder: needs.archiveFolder,
    keys: file === null ? null : pemOf([...file.keys.values()]),
    sealKey: null,
    expected: null,
  });
  return breach === null ? { damage: null, isResealed: true } : damaged(breach.seq, breach.problem);
}

/** A look at the last checkpoint: it costs next to nothing, and the chain between is looked at by a verification. */
async function isCheckpointThere({ store }: OpeningNeeds, facts: TrailFacts): Promise<boolean> {
  const { lastCheckpoint, archivedTo } = facts;
  if (lastCheckpoint === null || lastCheckpoint.seq <= archivedTo) return true;
  return (await selectHash(store.read, lastCheckpoint.seq)) === lastCheckpoint.hash;
}

function afterBreach({ head, end }: TrailFacts): ChainHead {
  return { seq: Math.max(head.seq, end.seq) + 1, hash: end.hash || head.hash };
}

/**
 * Keeps what the file had, and adds the key that signs now. Others that the database names are not added: whoever can
 * write to it could have put them there.
 */
function updateKeyFile(folder: string, file: KeyFile | null, key: AuditKey, { check }: DerivedKeys): void {
  if (file?.check === check && file.keys.has(key.id)) return;
  const others = [...(file?.keys ?? [])].filter(([id]) => id !== key.id).map(([, publicKey]) => publicKey);
  writeKeyFile(folder, [...others, key.publicKey], check);
}

export function pemOf(keys: readonly KeyObject[]): string {
  return keys.map((key) => key.export({ format: 'pem', type: 'spki' })).join('\n');
}
