/** An S7 PLC in a process of its own (Snap7), so that it can be killed and frozen; steered by JSON lines on standard input. */
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

/** What is used of node-snap7, which comes without types. */
interface Snap7 {
  readonly S7Server: new () => {
    SetParam(parameter: number, value: number): boolean;
    SetEventMask(mask: number): void;
    RegisterArea(area: number, block: number, content: Buffer): boolean;
    GetArea(area: number, block: number): Buffer;
    StartTo(address: string): boolean;
    LastError(): number;
    ErrorText(error: number): string;
    readonly srvAreaDB: number;
  };
  readonly S7Client: new () => {
    SetParam(parameter: number, value: number): boolean;
    ConnectTo(address: string, rack: number, slot: number): boolean;
    DBWrite(block: number, start: number, size: number, content: Buffer): boolean;
  };
}

/** Asks for `bytes` bytes at `offset`, big-endian as S7 has them; sets them first where `value` is given. */
export interface S7ServerRequest {
  readonly id: number;
  readonly offset: number;
  readonly bytes: 1 | 2 | 4;
  readonly value?: number;
}

/** The first line on standard output is `{"port":N}`; each further one answers a request by its `id`. */
export interface S7ServerAnswer {
  readonly id: number;
  readonly value: number;
}

const LOOPBACK = '127.0.0.1';
/** Snap7's number for the port, in a server and in a client. */
const PORT_PARAMETER = { server: 1, client: 2 };

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    db: { type: 'string', default: '250' },
    size: { type: 'string', default: '512' },
  },
});
const block = Number(values.db);
const snap7 = createRequire(import.meta.url)('node-snap7') as Snap7;
const server = new snap7.S7Server();
const client = new snap7.S7Client();
await start(Number(values.port), Number(values.size));

async function start(wantedPort: number, size: number): Promise<void> {
  const port = wantedPort === 0 ? await freePort() : wantedPort;
  server.SetParam(PORT_PARAMETER.server, port);
  server.SetEventMask(0);
  server.RegisterArea(server.srvAreaDB, block, Buffer.alloc(size));
  if (!server.StartTo(LOOPBACK)) throw new Error(`port ${port}: ${server.ErrorText(server.LastError())}`);
  client.SetParam(PORT_PARAMETER.client, port);
  client.ConnectTo(LOOPBACK, 0, 2);
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => say(serve(JSON.parse(line) as S7ServerRequest)));
  // Whoever started this is gone: so is its PLC. Snap7's threads would keep the process alive.
  lines.on('close', () => process.exit());
  say({ port });
}

function serve({ id, offset, bytes, value }: S7ServerRequest): S7ServerAnswer {
  if (value !== undefined) set(offset, bytes, value);
  return { id, value: server.GetArea(server.srvAreaDB, block).readUIntBE(offset, bytes) };
}

/** Sets through a client of its own: the server could only replace the whole block, and with it what others just wrote. */
function set(offset: number, bytes: number, value: number): void {
  const content = Buffer.alloc(bytes);
  content.writeUIntBE(value, 0, bytes);
  client.DBWrite(block, offset, bytes, content);
}

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, LOOPBACK, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
