/** A TCP proxy for tests: what can go wrong between a client and its server goes wrong here, on demand. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createSystemClock, type Clock } from '../server/ports/clock.ts';
import { createFixedRandom } from '../server/ports/random.ts';

/** `up` is from the client to the server. */
export type Direction = 'up' | 'down';

/** What happens to the bytes of one direction. */
export type Fault =
  /** They vanish, and so does the end of the connection, as with a pulled cable: the other side hears nothing. */
  | { readonly do: 'swallow' }
  /** They wait until the fault is healed; behind them the sender's own buffers fill up. */
  | { readonly do: 'hold' }
  | { readonly do: 'delay'; readonly ms: number }
  | { readonly do: 'throttle'; readonly bytesPerSec: number }
  /** Each is replaced by a random one; the same seed gives the same bytes on every connection. */
  | { readonly do: 'garble'; readonly seed?: string }
  /** Each piece comes twice. */
  | { readonly do: 'duplicate' }
  /** They come in pieces of this length, each on its own. */
  | { readonly do: 'split'; readonly bytes: number }
  /** Instead of the next byte both sides see the end of the stream (FIN). */
  | { readonly do: 'close' }
  /** Instead of the next byte both sides see a reset (RST). */
  | { readonly do: 'cut' };

export interface Where {
  /** Both by default. */
  readonly direction?: Direction;
  /** How many bytes of each connection and direction pass untouched first, counted from now on; none by default. */
  readonly from?: number;
}

/** What the proxy saw: `opened`, the bytes that came in for a direction, a side that ended or reset the connection. */
export interface ProxyEvent {
  /** Counts the connections from 1. */
  readonly connection: number;
  readonly what: 'opened' | Direction | 'client ended' | 'client reset' | 'server ended' | 'server reset';
  readonly bytes: number;
}

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** The newest thousand, oldest first. */
  readonly events: readonly ProxyEvent[];
  /** Connections that a client has open to the proxy. */
  readonly connections: number;
  /** Puts a fault on every connection, present and future, until the returned function is called; several add up in their order. */
  impair(fault: Fault, where?: Where): () => void;
  /** Resets every connection on both sides (RST). */
  cut(): void;
  /** Ends every connection on both sides (FIN). */
  end(): void;
  /** Resets every connection on the other side alone: this side goes on believing in it, and hears nothing more. */
  leaveHalfOpen(believing: 'client' | 'server'): void;
  /** Takes no connections any more: they are refused. Those that are there stay. */
  refuse(): Promise<void>;
  /**
   * Answers no attempt to connect, not even with a refusal, and swallows what connections there are send. For a
   * moment on the way there and back it refuses. Linux only: the backlog of a listener that never accepts is full.
   */
  blackHole(): Promise<void>;
  /** Ends every fault and takes connections again. */
  heal(): Promise<void>;
  /** Calls back with each event until the returned function is called. */
  watch(listener: (event: ProxyEvent) => void): () => void;
  /** Resolves with the next event that passes. */
  next(passes: (event: ProxyEvent) => boolean): Promise<ProxyEvent>;
  close(): Promise<void>;
}

export interface TcpProxyOptions {
  /** The server's port on 127.0.0.1. */
  readonly target: number;
  /** By default a free one. */
  readonly port?: number;
  /** For `delay` and `throttle`. */
  readonly clock?: Clock;
}

const LOOPBACK = '127.0.0.1';
const KEPT_EVENTS = 1000;
/** What may wait in one direction before the sender is no longer read. */
const MOST_WAITING = 64 * 1024;
/** A throttled stream comes in this many pieces a second. */
const THROTTLED_PIECES = 20;

/** Starts one on 127.0.0.1. */
export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const { target, clock = createSystemClock() } = options;
  const faults = new Set<ActiveFault>();
  const connections = new Set<Connection>();
  const listeners = new Set<(event: ProxyEvent) => void>();
  const events: ProxyEvent[] = [];
  let opened = 0;
  let blackHole: BlackHole | null = null;
  let closeBehind: (() => void) | null = null;

  function note(event: ProxyEvent): void {
    if (events.push(event) > KEPT_EVENTS) events.shift();
    for (const listener of [...listeners]) listener(event);
  }

  function serve(client: Socket): void {
    const number = ++opened;
    note({ connection: number, what: 'opened', bytes: 0 });
    const connection = join(client, connect({ port: target, host: LOOPBACK, allowHalfOpen: true }), {
      faults,
      clock,
      note: (what, bytes = 0) => note({ connection: number, what, bytes }),
    });
    connections.add(connection);
    void connection.over.then(() => connections.delete(connection));
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, serve);
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;

  function impair(fault: Fault, { direction, from = 0 }: Where = {}): () => void {
    const active: ActiveFault = { fault, direction, from, healed: Promise.withResolvers<void>() };
    faults.add(active);
    return () => {
      faults.delete(active);
      active.healed.resolve();
    };
  }

  async function stopListening(): Promise<void> {
    await blackHole?.close();
    blackHole = null;
    // Its connections live on; only the listening ends, and it ends at once.
    if (server.listening) server.close();
  }

  async function heal(): Promise<void> {
    closeBehind?.();
    closeBehind = null;
    for (const active of faults) active.healed.resolve();
    faults.clear();
    if (server.listening) return;
    await stopListening();
    await listen(server, port);
  }

  async function close(): Promise<void> {
    for (const active of faults) active.healed.resolve();
    faults.clear();
    await stopListening();
    for (const connection of connections) connection.cut();
  }

  return {
    port,
    events,
    get connections() {
      return [...connections].filter((connection) => connection.hasClient()).length;
    },
    impair,
    cut: () => connections.forEach((connection) => connection.cut()),
    end: () => connections.forEach((connection) => connection.end()),
    leaveHalfOpen: (believing) => connections.forEach((connection) => connection.leaveHalfOpen(believing)),
    refuse: stopListening,
    async blackHole() {
      closeBehind ??= impair({ do: 'swallow' });
      await stopListening();
      blackHole = await openBlackHole(port);
    },
    heal,
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    next: (passes) =>
      new Promise((resolve) => {
        const look = (event: ProxyEvent): void => {
          if (!passes(event)) return;
          listeners.delete(look);
          resolve(event);
        };
        listeners.add(look);
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface ActiveFault {
  readonly fault: Fault;
  readonly direction: Direction | undefined;
  readonly from: number;
  readonly healed: PromiseWithResolvers<void>;
}

interface Connection {
  /** Resolves when neither side has a socket any more. */
  readonly over: Promise<unknown>;
  hasClient(): boolean;
  cut(): void;
  end(): void;
  leaveHalfOpen(believing: 'client' | 'server'): void;
}

interface Surroundings {
  readonly faults: ReadonlySet<ActiveFault>;
  readonly clock: Clock;
  note(what: ProxyEvent['what'], bytes?: number): void;
}

/** Joins the two sockets of one connection. */
function join(client: Socket, server: Socket, surroundings: Surroundings): Connection {
  const cut = (): void => {
    client.resetAndDestroy();
    server.resetAndDestroy();
  };
  const end = (): void => {
    client.end();
    server.end();
  };
  server.setNoDelay();
  const ends = { cut, end };
  lead(client, server, { ...surroundings, ...ends, direction: 'up', side: 'client' });
  lead(server, client, { ...surroundings, ...ends, direction: 'down', side: 'server' });
  return {
    over: Promise.all([client, server].map((socket) => new Promise((gone) => socket.once('close', gone)))),
    hasClient: () => !client.destroyed && !client.readableEnded,
    cut,
    end,
    leaveHalfOpen: (believing) => (believing === 'client' ? server : client).resetAndDestroy(),
  };
}

interface WayOptions extends Surroundings {
  readonly direction: Direction;
  readonly side: 'client' | 'server';
  cut(): void;
  end(): void;
}

/** Some bytes on their way, or what comes in their place. */
interface Step {
  readonly what: Buffer | 'end' | 'close' | 'cut';
  /** Until when it waits; null where it does not. */
  readonly ready: Promise<unknown> | null;
}

/** Leads what `source` sends to `sink`, through the faults of its direction. */
function lead(source: Socket, sink: Socket, options: WayOptions): void {
  const { direction, side, faults, note } = options;
  const passed = new WeakMap<ActiveFault, number>();
  const effects = new WeakMap<ActiveFault, Effect>();
  const queue: Step[] = [];
  let isPumping = false;
  let waiting = 0;

  function through(active: ActiveFault, step: Step): Step[] {
    if (typeof step.what === 'string') return [step];
    const before = passed.get(active) ?? 0;
    passed.set(active, before + step.what.length);
    const free = Math.max(active.from - before, 0);
    const effect = effects.get(active) ?? effectOf(active, options.clock);
    effects.set(active, effect);
    const untouched = step.what.subarray(0, free);
    const touched = step.what.subarray(free);
    return [
      ...(untouched.length > 0 ? [{ ...step, what: untouched }] : []),
      ...(touched.length > 0
        ? effect(touched).map(({ what, ready }) => ({ what, ready: both(step.ready, ready) }))
        : []),
    ];
  }

  const here = (): ActiveFault[] =>
    [...faults].filter((active) => (active.direction ?? direction) === direction);

  function take(bytes: Buffer): void {
    note(direction, bytes.length);
    const first: Step[] = [{ what: bytes, ready: null }];
    const steps = here().reduce((before, active) => before.flatMap((step) => through(active, step)), first);
    for (const step of steps) enqueue(step);
  }

  function enqueue(step: Step): void {
    queue.push(step);
    waiting += weight(step);
    if (waiting > MOST_WAITING) source.pause();
    void pump();
  }

  async function pump(): Promise<void> {
    if (isPumping) return;
    isPumping = true;
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      if (step.ready !== null) await step.ready;
      waiting -= weight(step);
      await hand(step.what);
      if (waiting <= MOST_WAITING) source.resume();
    }
    isPumping = false;
  }

  async function hand(what: Step['what']): Promise<void> {
    if (what === 'cut') options.cut();
    else if (what === 'close') options.end();
    else if (!sink.writable) return;
    else if (what === 'end') sink.end();
    else if (!sink.write(what)) await drained(sink);
  }

  /** Whether the other side never hears of an end. */
  const isSwallowed = (): boolean => here().some(({ fault, from }) => fault.do === 'swallow' && from === 0);

  source.on('data', take);
  source.on('end', () => {
    note(`${side} ended`);
    if (!isSwallowed()) enqueue({ what: 'end', ready: null });
  });
  source.on('error', () => note(`${side} reset`));
  source.on('close', (hadError) => {
    if (hadError && !isSwallowed()) sink.resetAndDestroy();
  });
}

function weight({ what }: Step): number {
  return typeof what === 'string' ? 0 : what.length;
}

type Effect = (bytes: Buffer) => Step[];

/** What a fault makes of the bytes of one direction of one connection. */
function effectOf({ fault, healed }: ActiveFault, clock: Clock): Effect {
  switch (fault.do) {
    case 'swallow':
      return () => [];
    case 'hold':
      return (what) => [{ what, ready: healed.promise }];
    case 'delay':
      return (what) => [{ what, ready: after(clock, fault.ms) }];
    case 'throttle':
      return throttled(fault.bytesPerSec, clock);
    case 'garble': {
      const random = createFixedRandom(fault.seed ?? 'garbage');
      return (bytes) => [{ what: random.bytes(bytes.length), ready: null }];
    }
    case 'duplicate':
      return (what) => [
        { what, ready: null },
        { what, ready: null },
      ];
    case 'split':
      return split(fault.bytes);
    case 'close':
    case 'cut':
      return () => [{ what: fault.do, ready: null }];
  }
}

function throttled(bytesPerSec: number, clock: Clock): Effect {
  let free = clock.monotonic();
  return (bytes) =>
    pieces(bytes, Math.max(1, Math.floor(bytesPerSec / THROTTLED_PIECES))).map((what) => {
      free = Math.max(free, clock.monotonic()) + (what.length / bytesPerSec) * 1000;
      return { what, ready: after(clock, free - clock.monotonic()) };
    });
}

/** Each piece goes in a turn of the event loop of its own, or the system would put them together again. */
function split(length: number): Effect {
  let previous: Promise<unknown> = Promise.resolve();
  return (bytes) =>
    pieces(bytes, length).map((what) => {
      previous = previous.then(() => turn());
      return { what, ready: previous };
    });
}

function pieces(bytes: Buffer, length: number): Buffer[] {
  const count = Math.ceil(bytes.length / length);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * length, (at + 1) * length));
}

function after(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

function both(one: Promise<unknown> | null, other: Promise<unknown> | null): Promise<unknown> | null {
  return one === null || other === null ? (one ?? other) : Promise.all([one, other]);
}

/** Resolves when the socket takes more, or is gone. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** On the loopback a connection takes no tenth of that. */
const FULL_AFTER_MS = 200;

interface BlackHole {
  close(): Promise<void>;
}

/** A full backlog takes no more: the system drops whoever else wants to connect, without a word. */
async function openBlackHole(port: number): Promise<BlackHole> {
  const thread = new Worker(new URL('./black-hole.ts', import.meta.url), { workerData: { port } });
  await once(thread, 'message');
  // Whoever tried in between may have a place already: then there is none for us, and no word of it either.
  const fill = (): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connect({ port, host: LOOPBACK }, () => resolve(socket));
      socket.on('error', () => undefined);
      setTimeout(resolve, FULL_AFTER_MS, socket);
    });
  // The system lets one more in than the backlog says.
  const filling = [await fill(), await fill()];
  return {
    async close() {
      await thread.terminate();
      for (const socket of filling) socket.destroy();
    },
  };
}
