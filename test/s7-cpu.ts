/** A small CPU that answers as a real one would where Snap7's server cannot: wrong slot, no PUT/GET access, small PDU. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface S7CpuSettings {
  /** The only slot in which a CPU sits; any by default. */
  slot: number | null;
  /** What it allows as PDU at most, 240 by default. */
  pduBytes: number;
  /** "Permit access with PUT/GET communication"; yes by default. */
  putGet: boolean;
  /** Bytes of DB250, 512 by default; 0: there is none. */
  dbBytes: number;
}

export interface S7Cpu extends AsyncDisposable {
  readonly port: number;
  /** May be changed while it runs; what was negotiated stays. */
  readonly settings: S7CpuSettings;
  /** DB250. */
  readonly memory: Buffer;
  /** Requests it answered, by the length of their PDU. */
  readonly requests: readonly number[];
  getWord(offset: number): Promise<number>;
  setWord(offset: number, value: number): Promise<void>;
  close(): Promise<void>;
}

const DB = 250;
/** TPKT (RFC 1006), then COTP (RFC 905). */
const TPKT_BYTES = 4;
const CONNECTION_REQUEST = 0xe0;
const CONNECTION_CONFIRM = 0xd0;
const DISCONNECT_REQUEST = 0x80;
const CALLED_TSAP = 0xc2;
/** S7 sits behind the three bytes of a COTP data header. */
const DATA_HEADER = Buffer.from('02f080', 'hex');
const JOB = 1;
const USER_DATA = 7;
const SETUP = 0xf0;
const READ = 0x04;
const WRITE = 0x05;
const ITEM_BYTES = 12;
const BIT = 0x01;
/** Return codes of items. */
const OK = 0xff;
const OUT_OF_RANGE = 0x05;
const NO_SUCH_OBJECT = 0x0a;
/** Errors of whole requests, class and code. */
const NOT_PERMITTED = 0x8104;
const TOO_LARGE = 0x8500;

interface Item {
  readonly db: number;
  readonly isBit: boolean;
  readonly bytes: number;
  readonly bit: number;
}

/** Starts one on a free port of 127.0.0.1, or on a given one. */
export async function startS7Cpu(changes: Partial<S7CpuSettings> = {}, port = 0): Promise<S7Cpu> {
  const settings: S7CpuSettings = { slot: null, pduBytes: 240, putGet: true, dbBytes: 512, ...changes };
  const memory = Buffer.alloc(512);
  const requests: number[] = [];
  const sockets = new Set<Socket>();

  function serve(socket: Socket): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    let unread: Buffer = Buffer.alloc(0);
    let pduBytes = settings.pduBytes;
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= TPKT_BYTES && unread.length >= unread.readUInt16BE(2)) {
        const frame = unread.subarray(TPKT_BYTES, unread.readUInt16BE(2));
        unread = unread.subarray(unread.readUInt16BE(2));
        handle(frame);
      }
    });

    function say(...parts: readonly Buffer[]): void {
      const body = Buffer.concat(parts);
      const header = Buffer.from([3, 0, 0, 0]);
      header.writeUInt16BE(TPKT_BYTES + body.length, 2);
      socket.write(Buffer.concat([header, body]));
    }

    function handle(frame: Buffer): void {
      if (frame[1] === CONNECTION_REQUEST) return accept(frame);
      const pdu = frame.subarray(DATA_HEADER.length);
      if (pdu[1] === USER_DATA) return say(DATA_HEADER, unknownList(pdu));
      if (pdu[1] !== JOB) return void socket.destroy();
      requests.push(pdu.length);
      const parameters = pdu.subarray(10, 10 + pdu.readUInt16BE(6));
      if (parameters[0] === SETUP) {
        pduBytes = Math.min(settings.pduBytes, parameters.readUInt16BE(6));
        const agreed = Buffer.from(parameters);
        agreed.writeUInt16BE(pduBytes, 6);
        return say(DATA_HEADER, answer(pdu, 0, agreed));
      }
      const data = pdu.subarray(10 + parameters.length);
      const reply = settings.putGet ? work(pdu, parameters, data) : answer(pdu, NOT_PERMITTED);
      const fits = pdu.length <= pduBytes && reply.length <= pduBytes;
      say(DATA_HEADER, fits ? reply : answer(pdu, TOO_LARGE));
    }

    /** A slot without a CPU: the connection is declined, and closed. */
    function accept(frame: Buffer): void {
      const at = frame.indexOf(Buffer.from([CALLED_TSAP, 2]));
      const slot = (frame[at + 3] ?? 0) & 0x1f;
      const references = Buffer.from([frame[4] ?? 0, frame[5] ?? 0, 0, 1]);
      if (settings.slot !== null && slot !== settings.slot) {
        say(Buffer.from([6, DISCONNECT_REQUEST]), references, Buffer.from([0]));
        return void socket.end();
      }
      const options = frame.subarray(7);
      say(Buffer.from([6 + options.length, CONNECTION_CONFIRM]), references, Buffer.from([0]), options);
    }
  }

  function work(pdu: Buffer, parameters: Buffer, data: Buffer): Buffer {
    const items = Array.from({ length: parameters[1] ?? 0 }, (_, at) =>
      itemAt(parameters.subarray(2 + at * ITEM_BYTES)),
    );
    const head = parameters.subarray(0, 2);
    if (parameters[0] === READ) return answer(pdu, 0, head, padded(items.map(read)));
    if (parameters[0] !== WRITE) return answer(pdu, NOT_PERMITTED);
    let at = 0;
    const codes = items.map((item) => {
      const length = item.isBit ? 1 : data.readUInt16BE(at + 2) / 8;
      const content = data.subarray(at + 4, at + 4 + length);
      at += 4 + length + (length % 2);
      return write(item, content);
    });
    return answer(pdu, 0, head, Buffer.from(codes));
  }

  function check({ db, bit, bytes }: Item): number {
    if (db !== DB || settings.dbBytes === 0) return NO_SUCH_OBJECT;
    return (bit >> 3) + bytes > settings.dbBytes ? OUT_OF_RANGE : OK;
  }

  function read(item: Item): Buffer {
    const code = check(item);
    if (code !== OK) return Buffer.from([code, 0, 0, 0]);
    const start = item.bit >> 3;
    if (item.isBit) return Buffer.from([OK, 3, 0, 1, ((memory[start] ?? 0) >> (item.bit & 7)) & 1]);
    const head = Buffer.from([OK, 4, 0, 0]);
    head.writeUInt16BE(item.bytes * 8, 2);
    return Buffer.concat([head, memory.subarray(start, start + item.bytes)]);
  }

  function write(item: Item, content: Buffer): number {
    const code = check(item);
    if (code !== OK) return code;
    const start = item.bit >> 3;
    if (!item.isBit) content.copy(memory, start);
    else if (content[0] === 1) memory[start] = (memory[start] ?? 0) | (1 << (item.bit & 7));
    else memory[start] = (memory[start] ?? 0) & ~(1 << (item.bit & 7));
    return OK;
  }

  const server = createServer({ noDelay: true }, serve).listen(port, '127.0.0.1');
  await once(server, 'listening');

  async function close(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }

  return {
    port: (server.address() as AddressInfo).port,
    settings,
    memory,
    requests,
    getWord: (offset) => Promise.resolve(memory.readUInt16BE(offset)),
    setWord: (offset, value) => Promise.resolve(void memory.writeUInt16BE(value, offset)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function itemAt(bytes: Buffer): Item {
  const isBit = bytes[3] === BIT;
  // Byte, char, word, int, double word, ...: what counts is how many bytes each is.
  const width = new Map([
    [0x04, 2],
    [0x05, 2],
    [0x06, 4],
    [0x07, 4],
    [0x08, 4],
  ]).get(bytes[3] ?? 0);
  return {
    db: bytes.readUInt16BE(6),
    isBit,
    bytes: isBit ? 1 : bytes.readUInt16BE(4) * (width ?? 1),
    bit: bytes.readUIntBE(9, 3),
  };
}

/** All but the last item end on an even byte. */
function padded(items: readonly Buffer[]): Buffer {
  return Buffer.concat(
    items.map((item, at) =>
      item.length % 2 === 1 && at < items.length - 1 ? Buffer.concat([item, Buffer.alloc(1)]) : item,
    ),
  );
}

/** The acknowledgement of a job, with an error or with parameters and data. */
function answer(
  request: Buffer,
  error: number,
  parameters: Buffer = request.subarray(10, 12),
  data: Buffer = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(0x3203, 0);
  request.copy(header, 4, 4, 6);
  header.writeUInt16BE(parameters.length, 6);
  header.writeUInt16BE(data.length, 8);
  header.writeUInt16BE(error, 10);
  return Buffer.concat([header, parameters, data]);
}

/** The answer to a question for a system status list: there is none with this number. */
function unknownList(request: Buffer): Buffer {
  const parameters = Buffer.from('00011208128401000000d401', 'hex');
  const data = Buffer.from([NO_SUCH_OBJECT, 0, 0, 0]);
  const header = Buffer.alloc(10);
  header.writeUInt16BE(0x3207, 0);
  request.copy(header, 4, 4, 6);
  header.writeUInt16BE(parameters.length, 6);
  header.writeUInt16BE(data.length, 8);
  return Buffer.concat([header, parameters, data]);
}
