/** CPUs that are there and decline: the link says why, everything else goes on, and the word follows as soon as they allow it. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startS7Cpu, type S7Cpu, type S7CpuSettings } from '../s7-cpu.ts';
import {
  everyoneSees,
  expectSeen,
  SOON,
  startPlant,
  subscribeAll,
  untilState,
  USERS,
  WORD,
  type PlantApp,
} from './rig.ts';

async function startCpu(settings: Partial<S7CpuSettings>): Promise<S7Cpu> {
  const cpu = await startS7Cpu(settings);
  onTestFinished(() => cpu.close());
  return cpu;
}

const REFUSALS: readonly {
  readonly title: string;
  readonly refusing: Partial<S7CpuSettings>;
  readonly allowing: Partial<S7CpuSettings>;
  readonly state: 'backing-off' | 'degraded';
}[] = [
  {
    title: 'sits in another slot',
    refusing: { slot: 1 },
    allowing: { slot: 2 },
    state: 'backing-off',
  },
  {
    title: 'does not permit PUT/GET access',
    refusing: { putGet: false },
    allowing: { putGet: true },
    state: 'backing-off',
  },
  { title: 'has no such DB', refusing: { dbBytes: 0 }, allowing: { dbBytes: 512 }, state: 'degraded' },
  {
    title: 'has a DB that is too short',
    refusing: { dbBytes: 189 },
    allowing: { dbBytes: 190 },
    state: 'degraded',
  },
];

describe.each(REFUSALS)('a CPU that $title', ({ refusing, allowing, state }) => {
  it('is named as such, and gets the word once it allows it', async () => {
    const cpu = await startCpu(refusing);
    const plant = await startPlant();
    const app = await plant.addApp(cpu.port);
    const { subscribers } = await subscribeAll(plant.host, app);
    await vi.waitFor(() => expect(app.link().lastError).not.toBe(null), SOON);
    await untilState(app, state);
    expect(app.link().lastError?.code).toMatch(/^plc-(refused|unreachable)$/);
    await app.signIn('olivia');
    await app.signIn('sam');
    expectSeen(subscribers, [null, 'olivia', 'sam']);
    expect(await cpu.getWord(WORD)).toBe(0);

    Object.assign(cpu.settings, allowing);
    await vi.waitFor(() => {
      // One that declines is asked ever more rarely: here the hours pass faster.
      plant.clock.skip(1000);
      expect(app.link().state).toBe('online');
    }, SOON);
    await everyoneSees('sam', app, cpu, subscribers);
    await cpu.setWord(WORD, 9);
    await everyoneSees('olivia', app, cpu, subscribers);
    expectSeen(subscribers, [null, 'olivia', 'sam', 'olivia']);
  });

  it('that begins with it in operation loses nothing', async () => {
    const cpu = await startCpu(allowing);
    const plant = await startPlant();
    const app = await plant.addApp(cpu.port);
    await app.signIn('olivia');
    await everyoneSees('olivia', app, cpu);
    Object.assign(cpu.settings, refusing);
    await app.signOut();
    await app.signIn('tess');
    // A connection that stands knows nothing of slots any more.
    if (refusing.slot === undefined)
      await vi.waitFor(() => expect(app.link().state).not.toBe('online'), SOON);
    Object.assign(cpu.settings, allowing);
    await vi.waitFor(() => {
      plant.clock.skip(1000);
      expect(app.link()).toMatchObject({ state: 'online', pending: false });
    }, SOON);
    await everyoneSees('tess', app, cpu);
  });
});

describe('a CPU with one address that it refuses', () => {
  it('serves the others as if nothing were', async () => {
    const cpu = await startCpu({ dbBytes: 100 });
    const plant = await startPlant();
    const [good, bad] = [await plant.addApp(cpu.port, { address: 'W20' }), await plant.addApp(cpu.port)];
    await untilState(good, 'online');
    await untilState(bad, 'degraded');
    await good.signIn('olivia');
    await bad.signIn('sam');
    await vi.waitFor(async () => expect(await cpu.getWord(20)).toBe(9), SOON);
    await cpu.setWord(20, 7);
    await vi.waitFor(async () => expect(await good.user()).toBe('tess'), SOON);
    expect(await bad.user()).toBe('sam');
    expect(good.states.slice(good.states.indexOf('online'))).toEqual(['online']);
    expect(good.link().errorsLastHour).toBe(0);
    expect(bad.link().errorsLastHour).toBeGreaterThan(0);
  });
});

describe('a CPU with a small PDU', () => {
  it.each([112, 240, 241])(
    'of %i bytes serves forty words, and is never asked for more',
    async (pduBytes) => {
      const cpu = await startCpu({ pduBytes });
      const plant = await startPlant();
      const offsets = Array.from({ length: 40 }, (_, at) => at * 12);
      const apps: PlantApp[] = [];
      for (const offset of offsets) apps.push(await plant.addApp(cpu.port, { address: `W${offset}` }));
      for (const [at, app] of apps.entries()) await app.signIn(at % 2 === 0 ? 'olivia' : 'sam');
      await vi.waitFor(() => {
        for (const [at, offset] of offsets.entries())
          expect(cpu.memory.readUInt16BE(offset), `W${offset}`).toBe(at % 2 === 0 ? 9 : 5);
      }, SOON);
      for (const offset of offsets) await cpu.setWord(offset, Number(USERS.tess));
      await vi.waitFor(async () => {
        for (const app of apps) expect(await app.user()).toBe('tess');
      }, SOON);
      expect(Math.max(...cpu.requests)).toBeLessThanOrEqual(pduBytes);
    },
  );
});
