/** Chance as the house sees it: everything unguessable comes from here, so that tests can repeat it. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';

export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Buffer;
  /** A version 4 UUID (RFC 9562), lower case. */
  uuid(): string;
}

/** Makes the operating system's cryptographic source. */
export function createSystemRandom(): Random {
  return { bytes: (length) => randomBytes(length), uuid: () => randomUUID() };
}

/** Makes the fixed twin: the same seed gives the same sequence. Never for production: it can be predicted. */
export function createFixedRandom(seed = 'keyswitch'): Random {
  let counter = 0;
  const block = (): Buffer => createHash('sha256').update(`${seed}:${counter++}`).digest();
  const bytes = (length: number): Buffer => {
    const blocks: Buffer[] = [];
    for (let have = 0; have < length; have += 32) blocks.push(block());
    return Buffer.concat(blocks).subarray(0, length);
  };
  return {
    bytes,
    uuid() {
      const raw = bytes(16);
      raw.writeUInt8((raw.readUInt8(6) & 0x0f) | 0x40, 6);
      raw.writeUInt8((raw.readUInt8(8) & 0x3f) | 0x80, 8);
      const hex = raw.toString('hex');
      return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
        '-',
      );
    },
  };
}

/** Renders `length` random bytes as URL-safe text (base64url, RFC 4648 section 5). */
export function randomText(random: Random, length: number): string {
  return random.bytes(length).toString('base64url');
}
