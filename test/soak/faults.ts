/** What the soak does to ways, PLCs and the host, each for a while that the dice decide. */
import type { Fault, TcpProxy } from '../tcp-proxy.ts';
import type { Dice } from './dice.ts';

/** Begins a fault, and resolves with what ends it. */
export type Harm = (dice: Dice) => Promise<() => Promise<unknown>>;

const impair =
  (proxy: TcpProxy, make: (dice: Dice) => Fault): Harm =>
  (dice) => {
    const direction = dice.pick(['up', 'down', undefined] as const);
    const heal = proxy.impair(make(dice), {
      from: dice.chance(0.5) ? 0 : dice.below(200),
      ...(direction !== undefined && { direction }),
    });
    return Promise.resolve(() => Promise.resolve(heal()));
  };

const atOnce =
  (act: () => void): Harm =>
  () => {
    act();
    return Promise.resolve(() => Promise.resolve());
  };

/** What no machine tells its programs of: they have to notice by themselves. */
export const SILENT: readonly string[] = ['swallow', 'half-open, client believes', 'black hole'];

/** Everything that the proxy can do to a way, by name. */
export function waysToHarm(proxy: TcpProxy): Readonly<Record<string, Harm>> {
  return {
    swallow: impair(proxy, () => ({ do: 'swallow' })),
    hold: impair(proxy, () => ({ do: 'hold' })),
    delay: impair(proxy, (dice) => ({ do: 'delay', ms: dice.between(20, 1200) })),
    throttle: impair(proxy, (dice) => ({ do: 'throttle', bytesPerSec: dice.between(100, 5000) })),
    split: impair(proxy, () => ({ do: 'split', bytes: 1 })),
    garble: impair(proxy, (dice) => ({ do: 'garble', seed: String(dice.below(1e6)) })),
    duplicate: impair(proxy, () => ({ do: 'duplicate' })),
    'close midway': impair(proxy, () => ({ do: 'close' })),
    'cut midway': impair(proxy, () => ({ do: 'cut' })),
    cut: atOnce(() => proxy.cut()),
    end: atOnce(() => proxy.end()),
    'half-open, client believes': atOnce(() => proxy.leaveHalfOpen('client')),
    'half-open, server believes': atOnce(() => proxy.leaveHalfOpen('server')),
    async refuse() {
      await proxy.refuse();
      proxy.cut();
      return () => proxy.heal();
    },
    async 'black hole'() {
      await proxy.blackHole();
      return () => proxy.heal();
    },
  };
}
