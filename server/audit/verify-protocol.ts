/** What passes between the house and the thread that verifies the trail. */
import type { ChainHead } from '../store/chain.ts';
import type { Verdict } from './verify.ts';

export interface VerifySettings {
  /** The database. */
  readonly file: string;
  readonly archiveFolder: string;
  /** PEM of the public keys whose signatures count; null: those that the database names itself. */
  readonly keys: string | null;
  readonly sealKey: Uint8Array | null;
  readonly expected: ChainHead | null;
}

export type VerifyMessage =
  | { readonly kind: 'progress'; readonly checked: number; readonly total: number }
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'failure'; readonly message: string };
