/** Twins of the outside world for the pages' tests: time stands still, and nothing comes that a test did not send. */
import type { ProblemView, SessionView } from '../../server/http/contract.ts';
import { TestSocket } from '../../clients/js/src/testing.ts';
import type { Address, Clock, Memory, Ports } from './ports.ts';

export const START_MS = Date.UTC(2026, 0, 1, 6);
export const APP_ID = 'eb97a642-78f5-4458-b8ca-036fe70298ef';

/** Lets every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class TestClock implements Clock {
  #wall = START_MS;
  #elapsed = 0;
  readonly #timers = new Set<{ due: number; callback: () => void }>();

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { due: this.#elapsed + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves on and fires what falls due, in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#pass(next.due - this.#elapsed);
      next.callback();
      await settle();
    }
    this.#pass(end - this.#elapsed);
  }

  #pass(ms: number): void {
    this.#wall += ms;
    this.#elapsed += ms;
  }
}

/** An address line with its history. */
export class TestAddress implements Address {
  readonly visited: string[];
  reloads = 0;
  #listener = (): void => {};

  constructor(path = '/') {
    this.visited = [path];
  }

  path(): string {
    return this.visited.at(-1) ?? '/';
  }

  push(path: string): void {
    this.visited.push(path);
  }

  replace(path: string): void {
    this.visited.splice(-1, 1, path);
  }

  onBack(listener: () => void): void {
    this.#listener = listener;
  }

  reload(): void {
    this.reloads += 1;
  }

  back(): void {
    this.visited.pop();
    this.#listener();
  }
}

export function createMemory(entries: Record<string, string> = {}): Memory {
  const map = new Map(Object.entries(entries));
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
  };
}

/** What the host answers to `METHOD /path`; 'silent' is a host that does not answer. */
export type Answers = Record<string, (() => Response) | 'silent'>;

export interface Call {
  readonly route: string;
  readonly body: unknown;
}

export interface TestPorts extends Ports {
  readonly clock: TestClock;
  readonly address: TestAddress;
  readonly sockets: TestSocket[];
  readonly calls: Call[];
  /** May be changed at any time. */
  readonly answers: Answers;
}

export function createTestPorts(answers: Answers = {}, memory = createMemory()): TestPorts {
  const sockets: TestSocket[] = [];
  const calls: Call[] = [];
  return {
    clock: new TestClock(),
    address: new TestAddress(),
    memory,
    tabMemory: createMemory(),
    sockets,
    calls,
    answers,
    random: () => 0,
    openSocket() {
      const socket = new TestSocket();
      sockets.push(socket);
      return socket;
    },
    fetch: (input, init) => {
      const route = `${init?.method} ${String(input)}`;
      calls.push({ route, body: typeof init?.body === 'string' ? JSON.parse(init.body) : undefined });
      const answer = answers[route] ?? 'silent';
      return answer === 'silent'
        ? Promise.reject(new TypeError('Failed to fetch'))
        : Promise.resolve(answer());
    },
  };
}

export function json(body: unknown): () => Response {
  return () => Response.json(body);
}

export function problem(
  status: number,
  code: ProblemView['code'],
  rest: Partial<ProblemView> = {},
  headers: Record<string, string> = {},
): () => Response {
  return () =>
    Response.json({ type: 'about:blank', title: code, status, code, ...rest }, { status, headers });
}

export const WELCOME = {
  plant: 'Plant',
  station: 'Station',
  banner: '',
  version: '1.0.0',
  app: null,
  password: {
    minLength: 15,
    maxLength: 128,
    minUppercase: 0,
    minLowercase: 0,
    minDigits: 0,
    minSymbols: 0,
    symbols: '',
    blocklist: true,
    history: 0,
    minAgeHours: 0,
    maxAgeDays: 0,
    warnDays: 14,
  },
  badges: {
    signIn: 'with-pin' as const,
    pinMinLength: 6,
    prefix: '',
    suffix: 'enter' as const,
    minLength: 6,
    maxGapMs: 50,
  },
};

export function createSession(over: Partial<SessionView> = {}): SessionView {
  return {
    id: 'session-1',
    kind: 'browser',
    user: { id: 'user-1', name: 'anna', displayName: 'Anna Berger', type: 'Active' },
    app: null,
    role: 'Active',
    openedAt: iso(0),
    expiresAt: iso(10 * 60_000),
    idleExpiresAt: null,
    ...over,
  };
}

/** The instant `ms` after the start. */
export function iso(ms: number): string {
  return new Date(START_MS + ms).toISOString();
}

/** The desktop of the station with `APP_ID`. */
export class TestBridge implements DesktopBridge {
  readonly stationAppId = APP_ID;
  readonly view: DesktopBridge['view'];
  readonly kiosk: boolean;
  readonly shown: string[] = [];
  tellIdleLeft: (leftMs: number | null) => void = () => {};
  switchUser: () => void = () => {};

  constructor({ view = 'window', kiosk = false }: Partial<Pick<DesktopBridge, 'view' | 'kiosk'>> = {}) {
    this.view = view;
    this.kiosk = kiosk;
  }

  show(view: DesktopBridge['view']): Promise<void> {
    this.shown.push(view);
    return Promise.resolve();
  }

  leaveKiosk(): Promise<boolean> {
    return Promise.resolve(true);
  }

  onSwitchUser(listener: () => void): void {
    this.switchUser = listener;
  }

  onIdleLeft(listener: (leftMs: number | null) => void): void {
    this.tellIdleLeft = listener;
  }
}
