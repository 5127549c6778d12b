/** What can happen to the way between a host and a PLC: who is signed in stays true everywhere, and the word follows. */
import { describe, expect, it, vi } from 'vitest';
import type { S7Server } from '../s7-server.ts';
import type { TcpProxy } from '../tcp-proxy.ts';
import {
  everyoneSees,
  expectSeen,
  expectSome,
  proxyTo,
  SOON,
  startPlant,
  startPlc,
  subscribeAll,
  untilLost,
  untilState,
  WORD,
  type Plant,
  type PlantApp,
  type LinkChanges,
  type Subscriber,
} from './rig.ts';

/** A second is promised; a busy machine may need longer, but not as long as a back-off of 10 s. */
const BACK = { timeout: 5_000, interval: 10 } as const;

interface Scene {
  readonly plant: Plant;
  readonly app: PlantApp;
  readonly proxy: TcpProxy;
  readonly subscribers: readonly Subscriber[];
  readonly slow: Subscriber;
  /** The way to the slow subscriber. */
  readonly way: TcpProxy;
  /** Another one after a restart. */
  plc: S7Server;
}

async function setScene(link?: LinkChanges, config?: Readonly<Record<string, string>>): Promise<Scene> {
  const plant = await startPlant({ ...(config !== undefined && { config }) });
  const plc = await startPlc();
  const proxy = await proxyTo(plc.port);
  const app = await plant.addApp(proxy.port, link);
  await untilState(app, 'online');
  return { plant, app, proxy, plc, ...(await subscribeAll(plant.host, app)) };
}

async function restart(scene: Scene): Promise<void> {
  const { port } = scene.plc;
  await scene.plc.kill();
  scene.plc = await startPlc(port);
}

interface Fault {
  readonly title: string;
  begin(scene: Scene): Promise<unknown> | void;
  end(scene: Scene): Promise<unknown> | void;
  /** How the host names it. */
  readonly code: 'plc-unreachable' | 'plc-timeout';
  /** It lasts a minute. */
  readonly isLong?: boolean;
}

/** What takes the PLC away; its memory stays. */
const ABSENCES: readonly Fault[] = [
  {
    title: 'refuses connections',
    async begin({ proxy }) {
      await proxy.refuse();
      proxy.cut();
    },
    end: ({ proxy }) => proxy.heal(),
    code: 'plc-unreachable',
    isLong: true,
  },
  {
    title: 'is in a black hole',
    begin: ({ proxy }) => proxy.blackHole(),
    end: ({ proxy }) => proxy.heal(),
    code: 'plc-timeout',
    isLong: true,
  },
  {
    title: 'is behind a pulled cable',
    begin: ({ proxy }) => void proxy.impair({ do: 'swallow' }),
    end: ({ proxy }) => proxy.heal(),
    code: 'plc-timeout',
  },
  {
    title: 'takes bytes and answers none',
    begin: ({ proxy }) => void proxy.impair({ do: 'swallow' }, { direction: 'down' }),
    end: ({ proxy }) => proxy.heal(),
    code: 'plc-timeout',
  },
  {
    title: 'answers later than the host waits',
    begin: ({ proxy }) => void proxy.impair({ do: 'delay', ms: 700 }, { direction: 'down' }),
    end: ({ proxy }) => proxy.heal(),
    code: 'plc-timeout',
  },
];

/** What breaks one connection; the next one is good. */
const BREAKS: readonly Omit<Fault, 'end'>[] = [
  { title: 'is reset', begin: ({ proxy }) => proxy.cut(), code: 'plc-unreachable' },
  { title: 'is closed', begin: ({ proxy }) => proxy.end(), code: 'plc-unreachable' },
  {
    title: 'is half-open, and the host believes in it',
    begin: ({ proxy }) => proxy.leaveHalfOpen('client'),
    code: 'plc-timeout',
  },
  {
    title: 'is half-open, and the PLC believes in it',
    begin: ({ proxy }) => proxy.leaveHalfOpen('server'),
    code: 'plc-unreachable',
  },
];

describe.each(ABSENCES)('a PLC that $title', ({ begin, end, code, isLong }) => {
  it('is noticed, holds nobody up, and gets the word of whoever is signed in when it is back', async () => {
    const scene = await setScene();
    const { app, subscribers, slow } = scene;
    await app.signIn('olivia');
    await everyoneSees('olivia', app, scene.plc, subscribers);
    await begin(scene);
    await untilLost(app);
    expect(app.link().lastError?.code).toBe(code);

    await app.signOut();
    await app.signIn('tess');
    await app.signIn('sam');
    const story = [null, 'olivia', null, 'tess', 'sam'] as const;
    await vi.waitFor(() => expectSeen([...subscribers, slow], story), SOON);
    expect(app.link()).toMatchObject({ pending: true });
    if (isLong === true) await outlastMinute(scene);

    await end(scene);
    await vi.waitFor(() => expect(app.link().state).toBe('online'), BACK);
    await everyoneSees('sam', app, scene.plc, subscribers);
    expectSeen([...subscribers, slow], story);
    await expectSettled(app);
  });

  it('is obeyed when it is back, where it has precedence', async () => {
    const scene = await setScene({ onConnect: 'plc' });
    const { app, subscribers } = scene;
    await app.signIn('olivia');
    await everyoneSees('olivia', app, scene.plc, subscribers);
    await expectSettled(app);
    await begin(scene);
    await untilLost(app);
    await scene.plc.setWord(WORD, 7);
    await end(scene);
    await everyoneSees('tess', app, scene.plc, subscribers);
    await expectSettled(app);
    await begin(scene);
    await untilLost(app);
    await scene.plc.setWord(WORD, 0);
    await end(scene);
    await everyoneSees(null, app, scene.plc, subscribers);
    expectSeen(subscribers, [null, 'olivia', 'tess', null]);
  });
});

describe.each(BREAKS)('a connection that $title', ({ begin, code }) => {
  it('is replaced, and nothing that happened meanwhile is lost', async () => {
    const scene = await setScene();
    const { app, subscribers, slow } = scene;
    await app.signIn('olivia');
    await everyoneSees('olivia', app, scene.plc, subscribers);
    await begin(scene);
    await app.signOut();
    await vi.waitFor(() => expect(app.link().lastError?.code).toBe(code), SOON);
    await app.signIn('sam');
    await everyoneSees('sam', app, scene.plc, [...subscribers, slow]);
    await untilState(app, 'online');
    // And the new connection is as good as the old one.
    await scene.plc.setWord(WORD, 7);
    await everyoneSees('tess', app, scene.plc, [...subscribers, slow]);
    expectSeen([...subscribers, slow], [null, 'olivia', null, 'sam', 'tess']);
  });
});

describe('a frozen PLC', () => {
  it('is noticed, and after it goes on it shows who is signed in, whatever was on its way', async () => {
    const scene = await setScene();
    const { app, plc, subscribers, slow } = scene;
    await plc.freeze();
    await app.signIn('olivia');
    await untilLost(app);
    expect(app.link().lastError?.code).toBe('plc-timeout');
    await app.signOut();
    await app.signIn('sam');
    await app.signOut();
    plc.thaw();
    await untilState(app, 'online');
    await everyoneSees(null, app, plc, [...subscribers, slow]);
    expectSeen([...subscribers, slow], [null, 'olivia', null, 'sam', null]);
    await expectSettled(app);
    expect(await app.user()).toBe(null);
  });
});

describe('a PLC that restarts', () => {
  it('with an empty memory shows who is signed in', async () => {
    const scene = await setScene();
    const { app, subscribers, slow } = scene;
    await app.signIn('olivia');
    await everyoneSees('olivia', app, scene.plc, subscribers);
    await restart(scene);
    await everyoneSees('olivia', app, scene.plc, subscribers);
    expectSeen([...subscribers, slow], [null, 'olivia']);
  });

  it('with an empty memory signs out, where it has precedence', async () => {
    const scene = await setScene({ onConnect: 'plc' });
    const { app, subscribers, slow } = scene;
    await app.signIn('olivia');
    await everyoneSees('olivia', app, scene.plc, subscribers);
    // A word that may not have been written says nothing of the PLC's mind.
    await expectSettled(app);
    await restart(scene);
    await everyoneSees(null, app, scene.plc, subscribers);
    expectSeen([...subscribers, slow], [null, 'olivia', null]);
  });

  /** Offsets in the request to write: before it, in each of its headers, in the value, and the lost answer. */
  it.each([
    { direction: 'up', from: 0 },
    { direction: 'up', from: 3 },
    { direction: 'up', from: 6 },
    { direction: 'up', from: 18 },
    { direction: 'up', from: 30 },
    { direction: 'up', from: 36 },
    { direction: 'down', from: 0 },
    { direction: 'down', from: 20 },
  ] as const)('in the middle of a write ($direction, byte $from) is written again', async (where) => {
    // No poll comes between: what goes up next is the write.
    const scene = await setScene({}, { 'plc.pollIntervalMs': '60000', 'plc.timeoutMs': '30000' });
    const { app, proxy, plant, subscribers } = scene;
    await vi.waitFor(() => expect(app.link()).toMatchObject({ value: 0, pending: false }), SOON);
    proxy.impair({ do: 'swallow' }, where);
    const written = proxy.next(({ what }) => what === where.direction);
    await app.signIn('olivia');
    await written;
    await scene.plc.kill();
    proxy.cut();
    await proxy.heal();
    scene.plc = await startPlc(scene.plc.port);

    plant.clock.skip(1000);
    await everyoneSees('olivia', app, scene.plc, subscribers);
    expectSeen(subscribers, [null, 'olivia']);
  });
});

describe('a slow way to a PLC', () => {
  it.each([
    { title: 'long delays', fault: { do: 'delay', ms: 90 } },
    { title: 'few bytes a second', fault: { do: 'throttle', bytesPerSec: 400 } },
    { title: 'byte by byte', fault: { do: 'split', bytes: 1 } },
  ] as const)('loses nothing: $title', async ({ fault }) => {
    const scene = await setScene();
    const { app, proxy, plc, subscribers, slow } = scene;
    proxy.impair(fault);
    await app.signIn('olivia');
    await everyoneSees('olivia', app, plc, subscribers);
    await plc.setWord(WORD, 5);
    await everyoneSees('sam', app, plc, subscribers);
    await plc.setWord(WORD, 77);
    await everyoneSees('sam', app, plc, subscribers);
    await app.signOut();
    await everyoneSees(null, app, plc, subscribers);
    expectSeen([...subscribers, slow], [null, 'olivia', 'sam', null]);
    expect(app.states.slice(app.states.indexOf('online'))).not.toContain('backing-off');
  });
});

describe('a way that mangles what the PLC says', () => {
  it.each([
    { title: 'garbage', fault: { do: 'garble' }, from: 0 },
    { title: 'garbage in the middle of an answer', fault: { do: 'garble', seed: 'other' }, from: 13 },
    { title: 'everything twice', fault: { do: 'duplicate' }, from: 0 },
    { title: 'everything twice, from the middle of an answer', fault: { do: 'duplicate' }, from: 11 },
    { title: 'answers that end early', fault: { do: 'close' }, from: 60 },
    { title: 'answers that are cut', fault: { do: 'cut' }, from: 72 },
    { title: 'answers whose rest never comes', fault: { do: 'swallow' }, from: 70 },
  ] as const)('signs nobody in or out: $title', async ({ fault, from }) => {
    const scene = await setScene();
    const { app, proxy, plc, plant, subscribers, slow } = scene;
    await app.signIn('olivia');
    await everyoneSees('olivia', app, plc, subscribers);
    await plant.host.trail();
    const mangled = proxy.next(({ connection }) => connection > 2);
    proxy.impair(fault, { direction: 'down', from });
    // Twice is enough: the connection it broke, and the one after that.
    if (fault.do !== 'duplicate') await mangled;
    await proxy.heal();
    await everyoneSees('olivia', app, plc, subscribers);
    await untilState(app, 'online');
    // A connection that broke at the last moment is noticed only now, and then the host has the first word: the PLC
    // says it again.
    await vi.waitFor(async () => {
      await plc.setWord(WORD, 5);
      expect(await app.user()).toBe('sam');
    }, SOON);
    await everyoneSees('sam', app, plc, [...subscribers, slow]);
    expectSeen([...subscribers, slow], [null, 'olivia', 'sam']);
    expect((await plant.host.trail()).map((line) => line.split(' ')[0])).toEqual([
      'session-ended',
      'sign-in',
    ]);
  });
});

describe('a slow subscriber', () => {
  it('misses states in between, but never the last one, and delays nobody', async () => {
    const scene = await setScene();
    const { app, plc, subscribers, slow, way } = scene;
    way.impair({ do: 'hold' }, { direction: 'down' });
    const story: ('olivia' | 'sam' | null)[] = [null];
    for (let round = 0; round < 10; round += 1) {
      await app.signIn('olivia');
      await app.signIn('sam');
      story.push('olivia', 'sam');
    }
    await app.signOut();
    story.push(null);
    await everyoneSees(null, app, plc, subscribers);
    expectSeen(subscribers, story);
    expect(slow.users).toEqual([null]);
    await way.heal();
    await vi.waitFor(() => expect(slow.users.length).toBeGreaterThan(1), SOON);
    await everyoneSees(null, app, plc, [slow]);
    expectSome(slow, story);
  });
});

/** An outage of a minute: whoever waited ever longer between two attempts would by now wait for long. */
async function outlastMinute({ plant, app }: Scene): Promise<void> {
  const lastAt = (): number => app.link().lastError?.at ?? 0;
  for (let skips = 0; skips < 6; skips += 1) {
    const before = lastAt();
    plant.clock.skip(10_000);
    // Each attempt takes its real time to fail.
    await vi.waitFor(() => expect(lastAt()).toBeGreaterThan(before), SOON);
  }
}

/** Nothing waits to be written any more. */
async function expectSettled(app: PlantApp): Promise<void> {
  await vi.waitFor(() => expect(app.link()).toMatchObject({ pending: false, state: 'online' }), SOON);
}
