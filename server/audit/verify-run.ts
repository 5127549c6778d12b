/** One verification from its opening to its verdict: the same in the host's thread and at the command line. */
import { parsePublicKeys } from './signatures.ts';
import { openTrail } from './verify-store.ts';
import type { VerifySettings } from './verify-protocol.ts';
import { verifyTrail, type Verdict } from './verify.ts';

/** Verifies what is there now; throws where it cannot be read. */
export function runVerification(
  { file, archiveFolder, keys, sealKey, expected }: VerifySettings,
  onProgress: (checked: number, total: number) => void = () => {},
): Verdict {
  const trail = openTrail(file, archiveFolder);
  try {
    const total = trail.total();
    return verifyTrail(trail, {
      keys: parsePublicKeys(keys ?? trail.publicPem()),
      sealKey,
      expected,
      onProgress: (checked) => onProgress(checked, Math.max(total, checked)),
    });
  } finally {
    trail.close();
  }
}
