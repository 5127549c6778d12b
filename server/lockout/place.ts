/** From where somebody tries: the address, as far as it tells one machine from another. */
import { isIPv6 } from 'node:net';

/** Where no network lies between: the machine itself. */
const HERE = 'here';

/**
 * Folds what is one place to whoever attacks from it: of IPv6 the /64, for a machine may take any address in its
 * network (RFC 4291, 2.5.1); IPv4 in IPv6 is IPv4; a zone is left out.
 */
export function placeOf(address: string | null): string {
  if (address === null) return HERE;
  const [bare = ''] = address.split('%', 1);
  if (!isIPv6(bare)) return address;
  const groups = groupsOf(bare);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The eight groups of an address that `isIPv6` has found good (RFC 4291, 2.2). */
function groupsOf(address: string): number[] {
  const [head = [], tail] = address.split('::', 2).map(parts);
  if (tail === undefined) return head;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function parts(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
