/** Certificates that no desktop knows yet. */
import {
  createAuthority,
  createServerCertificate,
  type KeyedCertificate,
} from '../../server/http/certificates.ts';
import { createSystemClock } from '../../server/ports/clock.ts';
import { createSystemRandom } from '../../server/ports/random.ts';

export type { KeyedCertificate };

export function newCertificate(): KeyedCertificate {
  const ports = { clock: createSystemClock(), random: createSystemRandom() };
  return createServerCertificate(['localhost', '127.0.0.1'], createAuthority('test', ports), ports);
}
