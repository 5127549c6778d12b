import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startS7Cpu } from '../../test/s7-cpu.ts';
import { startS7Server } from '../../test/s7-server.ts';
import { startTcpProxy } from '../../test/tcp-proxy.ts';
import { createSystemClock } from '../ports/clock.ts';
import { createMemoryLog } from '../ports/log.ts';
import { parseArea } from './address.ts';
import { parseItem, type Item } from './items.ts';
import { probe, type ProbeResult } from './probe.ts';

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const thing of open.splice(0)) await thing[Symbol.asyncDispose]();
});

function item(address: string, area = 'DB250'): Item<unknown> {
  return parseItem(parseArea(area), address, { field: 'address', spellings: ['W', 'S'] });
}

function keep<T extends AsyncDisposable>(thing: T): T {
  open.push(thing);
  return thing;
}

async function probed(port: number, items = [item('W188')], timeoutMs = 5000): Promise<ProbeResult> {
  const endpoint = { host: '127.0.0.1', port, rack: 0, slot: 2, timeoutMs };
  return probe(endpoint, items, { clock: createSystemClock(), log: createMemoryLog() });
}

/** The outcome of each step, in their order. */
function outcomes({ steps }: ProbeResult): string {
  return steps.map(({ step, outcome }) => `${step} ${outcome}`).join(', ');
}

/** A server that is no PLC, and does this with each connection. */
async function startPeer(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  keep({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return (server.address() as AddressInfo).port;
}

describe('a probe', () => {
  it('of a PLC that is well tells what it is, what it holds, and how long each step took', async () => {
    const plc = keep(await startS7Server());
    await plc.setWord(188, 9);
    const result = await probed(plc.port, [item('W188'), item('S190.8')]);
    expect(result).toMatchObject({
      plc: { type: 'CPU 315-2 PN/DP', name: 'SNAP7-SERVER' },
      pduBytes: 960,
      advice: 'none',
      message: null,
    });
    expect([...result.readings]).toEqual([
      ['DB250.W188', 9],
      ['DB250.S190.8', ''],
    ]);
    expect(outcomes(result)).toBe('reach ok, connect ok, negotiate ok, read ok');
    for (const { tookMs } of result.steps) expect(tookMs).toBeGreaterThan(0);
  });

  it('leaves no connection behind, and one that runs alone', async () => {
    const cpu = keep(await startS7Cpu());
    const proxy = keep(await startTcpProxy({ target: cpu.port }));
    const gone = proxy.next(({ what }) => what === 'client ended' || what === 'client reset');
    await probed(proxy.port);
    await gone;
    expect(proxy.connections).toBe(0);
  });

  it('says that a name is unknown', async () => {
    const endpoint = { host: 'plc.invalid', port: 102, rack: 0, slot: 2, timeoutMs: 20_000 };
    const result = await probe(endpoint, [item('W188')], {
      clock: createSystemClock(),
      log: createMemoryLog(),
    });
    expect(result.advice).toBe('host-unknown');
    expect(outcomes(result)).toBe('reach failed, connect skipped, negotiate skipped, read skipped');
    expect(result.message).toContain('plc.invalid');
  });

  it('says that nothing listens', async () => {
    const cpu = await startS7Cpu();
    await cpu.close();
    expect(await probed(cpu.port)).toMatchObject({ advice: 'connection-refused', plc: null, pduBytes: null });
  });

  it('says that a network cannot be reached', async () => {
    const endpoint = { host: '255.255.255.255', port: 102, rack: 0, slot: 2, timeoutMs: 5000 };
    const result = await probe(endpoint, [], { clock: createSystemClock(), log: createMemoryLog() });
    expect(result.advice).toBe('unreachable');
  });

  it.each([
    ['packets are dropped', 'reach', 'connect skipped'],
    ['a peer is silent', 'connect', 'connect failed'],
  ])('says that nobody answers where %s', async (_why, step, shown) => {
    const cpu = keep(await startS7Cpu());
    const proxy = keep(await startTcpProxy({ target: cpu.port }));
    if (step === 'reach') await proxy.blackHole();
    else proxy.impair({ do: 'swallow' });
    const result = await probed(proxy.port, undefined, 200);
    expect(result.advice).toBe('no-answer');
    expect(outcomes(result)).toContain(shown);
  });

  it('says that it is no S7', async () => {
    const port = await startPeer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request')),
    );
    expect((await probed(port)).advice).toBe('not-s7');
  });

  it('says that rack or slot are wrong, by a CPU that declines and by one that closes', async () => {
    const cpu = keep(await startS7Cpu({ slot: 1 }));
    const declined = await probed(cpu.port);
    expect(declined.advice).toBe('wrong-rack-or-slot');
    expect(outcomes(declined)).toBe('reach ok, connect failed, negotiate skipped, read skipped');
    const port = await startPeer((socket) => socket.once('data', () => socket.end()));
    expect((await probed(port)).advice).toBe('wrong-rack-or-slot');
  });

  it('says that no connection is free, by a CPU that declines and by one that closes', async () => {
    const full = await startPeer((socket) =>
      socket.once('data', () => socket.end(Buffer.from('0300000b06800002000181', 'hex'))),
    );
    expect((await probed(full)).advice).toBe('no-connection-free');
    const confirm = Buffer.from('0300001611d00002000100c0010ac1020100c2020102', 'hex');
    const closing = await startPeer((socket) =>
      socket.once('data', () => {
        socket.write(confirm);
        socket.once('data', () => socket.end());
      }),
    );
    const closed = await probed(closing);
    expect(closed.advice).toBe('no-connection-free');
    expect(outcomes(closed)).toBe('reach ok, connect ok, negotiate failed, read skipped');
  });

  it('says that PUT/GET access is not permitted', async () => {
    const cpu = keep(await startS7Cpu({ putGet: false }));
    const result = await probed(cpu.port);
    expect(result).toMatchObject({ advice: 'access-denied', pduBytes: 240 });
    expect(outcomes(result)).toBe('reach ok, connect ok, negotiate ok, read failed');
  });

  it.each([
    ['a block is missing', 'W0', 'DB7', 'block-missing'],
    ['a block is too short', 'W511', 'DB250', 'block-too-short'],
  ])('says that %s, and reads the rest', async (_what, address, area, advice) => {
    const plc = keep(await startS7Server());
    const result = await probed(plc.port, [item('W188'), item(address, area)]);
    expect(result).toMatchObject({ advice, plc: { name: 'SNAP7-SERVER' } });
    expect(outcomes(result)).toContain('read failed');
    expect([...result.readings.values()]).toMatchObject([0, { code: 'plc-refused' }]);
  });

  it('says of an item that is refused for another reason that it is', async () => {
    const confirm = Buffer.from('0300001611d00002000100c0010ac1020100c2020102', 'hex');
    const sizes = Buffer.from('0300001b02f080320300000000000800000000f0000001000100f0', 'hex');
    const refusal = Buffer.from('0300001902f080320300000001000200040000040106000000', 'hex');
    const port = await startPeer((socket) => {
      const answers = [confirm, sizes, refusal];
      socket.on('data', () => void socket.write(answers.shift() ?? confirm));
    });
    expect((await probed(port)).advice).toBe('item-refused');
  });
});
