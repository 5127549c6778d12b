/** Reading a PLC: how fast, and in how many PDUs, against nodes7 with the same items. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseAddress, parseArea } from '../server/plc/address.ts';
import { createDriver } from '../server/plc/driver.ts';
import { numberItem } from '../server/plc/items.ts';
import { createSystemClock } from '../server/ports/clock.ts';
import { createLog } from '../server/ports/log.ts';
import { startS7Server } from '../test/s7-server.ts';
import { runChild, takeTurns, type Bench, type Row } from './harness.ts';
import { openS7 } from './s7-client.ts';

const ROUNDS = 5;
const SECONDS = 1;
const DB = 250;
const DB_BYTES = 8192;

/** Byte offsets of words. */
const SETS: Readonly<Record<string, readonly number[]>> = {
  '1 word': [188],
  '19 words, 32 bytes apart': words(19, 32),
  '200 words in a row': words(200, 2),
  '200 words, 20 bytes apart': words(200, 20),
};
/** An S7 CPU takes 20 items in one request. nodes7 would put more into a large PDU, and not understand the answer. */
const MOST_ITEMS = 20;
const PDU_OF_FEWER_ITEMS = 240;
/** What nodes7 reads together when the gap between two items is not larger. */
const SMALL_GAP = 5;

/** Reads one set; the same for both. */
interface Reader extends Disposable {
  read(): Promise<void>;
}

interface Counter extends Disposable {
  readonly port: number;
  /** Jobs that clients have sent so far. */
  jobs(): number;
}

export const plcReads: Bench = {
  title: 'reading an S7 server as fast as it answers',
  async run() {
    await runChild([join(import.meta.dirname, '..', 'build', 'snap7.ts')]);
    await using server = await startS7Server({ db: DB, size: DB_BYTES });
    using counter = await startCounter(server.port);
    const rows: Row[] = [];
    for (const [name, offsets] of Object.entries(SETS)) {
      rows.push(await readsPerSecond(name, offsets, server.port), await pdus(name, offsets, counter));
    }
    return rows;
  },
};

function words(count: number, apart: number): number[] {
  return Array.from({ length: count }, (_, i) => i * apart);
}

async function readsPerSecond(name: string, offsets: readonly number[], port: number): Promise<Row> {
  using ours = await openOurs(offsets, port);
  using theirs = await openTheirs(offsets, port);
  const rounds = await takeTurns(ROUNDS, { ours: () => rate(ours), theirs: () => rate(theirs) });
  return {
    what: `reads of ${name}`,
    unit: '/s',
    rounds: rounds.ours,
    against: { what: 'nodes7', unit: '/s', rounds: rounds.theirs },
    target: { kind: 'times', limit: 0.9 },
  };
}

async function pdus(name: string, offsets: readonly number[], counter: Counter): Promise<Row> {
  const countOf = async (reader: Reader): Promise<number> => {
    await reader.read();
    const before = counter.jobs();
    await reader.read();
    return counter.jobs() - before;
  };
  using ours = await openOurs(offsets, counter.port);
  using theirs = await openTheirs(offsets, counter.port);
  return {
    what: `PDUs for ${name}`,
    unit: '',
    rounds: [await countOf(ours)],
    against: { what: 'nodes7', unit: '', rounds: [await countOf(theirs)] },
    target: { kind: 'within', limit: 1 },
  };
}

async function rate(reader: Reader): Promise<number> {
  const startedAt = performance.now();
  let reads = 0;
  for (; performance.now() < startedAt + SECONDS * 1000; reads++) await reader.read();
  return (reads * 1000) / (performance.now() - startedAt);
}

/** The driver of a connection, without the wait between two polls. */
async function openOurs(offsets: readonly number[], port: number): Promise<Reader> {
  const clock = createSystemClock();
  const log = createLog({ level: 'silent', streams: [], now: clock.now });
  const driver = createDriver({ host: '127.0.0.1', port, rack: 0, slot: 2, timeoutMs: 5000 }, { clock, log });
  await driver.connect();
  const area = parseArea(`DB${DB}`);
  const items = offsets.map((offset) => numberItem(area, parseAddress(`W${offset}`)));
  return {
    async read() {
      const readings = await driver.read(items);
      for (const reading of readings.values()) if (typeof reading !== 'number') throw reading;
    },
    [Symbol.dispose]: () => driver.close(),
  };
}

async function openTheirs(offsets: readonly number[], port: number): Promise<Reader> {
  const [first = 0, second = first] = offsets;
  const isScattered = second - first > SMALL_GAP && offsets.length > MOST_ITEMS;
  const client = await openS7(port, {
    optimize: true,
    ...(isScattered && { pduBytes: PDU_OF_FEWER_ITEMS }),
  });
  await client.read(offsets.map((offset) => `DB${DB},WORD${offset}`));
  return { read: client.readAgain, [Symbol.dispose]: () => client[Symbol.dispose]() };
}

/** Frames are TPKT (RFC 1006): their length is in the bytes 2 and 3; an S7 job has 0x32 and 1 behind the COTP header. */
async function startCounter(target: number): Promise<Counter> {
  let jobs = 0;
  const listener = createServer((client) => {
    const server = connect(target, '127.0.0.1');
    for (const socket of [client, server]) {
      socket.setNoDelay();
      socket.on('error', () => undefined);
    }
    server.pipe(client);
    let unread = Buffer.alloc(0);
    client.on('data', (chunk) => {
      server.write(chunk);
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= 4 && unread.length >= unread.readUInt16BE(2)) {
        if (unread[7] === 0x32 && unread[8] === 1) jobs++;
        unread = unread.subarray(unread.readUInt16BE(2));
      }
    });
    client.on('close', () => server.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    jobs: () => jobs,
    [Symbol.dispose]: () => void listener.close(),
  };
}
