/** A lean HTTP/1.1 client: one kept TLS connection, one request at a time, so that its own cost is not what is measured. */
import { once } from 'node:events';
import { connect } from 'node:tls';

/** Where a server answers, and the certificate it is trusted by. */
export interface Endpoint {
  readonly url: string;
  readonly ca: string;
}

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

export interface Connection {
  /** Sends one whole request, see `requestTo`; rejects on any status but 200, unless any will do. */
  exchange(request: Buffer): Promise<Answer>;
  close(): void;
}

/** Renders a request once, to be sent as often as it takes: `GET`, or `POST` with a JSON body, where nothing else is said. */
export function requestTo(
  { url }: Endpoint,
  path: string,
  {
    headers = {},
    body,
    method = body === undefined ? 'GET' : 'POST',
  }: { headers?: Readonly<Record<string, string>>; body?: unknown; method?: string } = {},
): Buffer {
  const { host, origin } = new URL(url);
  const content = body === undefined ? '' : JSON.stringify(body);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined
      ? []
      : [
          `Origin: ${origin}`,
          'Content-Type: application/json',
          `Content-Length: ${Buffer.byteLength(content)}`,
        ]),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${content}`);
}

export interface ConnectionOptions {
  /** The address to come from, such as another one of this machine's loopback network. */
  readonly localAddress?: string;
  readonly anyStatus?: boolean;
}

export async function openConnection(
  { url, ca }: Endpoint,
  { anyStatus = false, ...from }: ConnectionOptions = {},
): Promise<Connection> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port), ca, ...from });
  socket.setNoDelay();
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`${url} did not answer in time`)));
  let received = Buffer.alloc(0);
  let waiting: PromiseWithResolvers<Answer> | null = null;

  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = parse(received);
    if (answer === null) return;
    received = Buffer.alloc(0);
    if (answer.status === 200 || anyStatus) waiting?.resolve(answer);
    else waiting?.reject(new Error(`${url} answered ${answer.status}: ${answer.body}`));
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error(`${url} closed the connection`)));
  await once(socket, 'secureConnect');

  return {
    exchange(request) {
      waiting = Promise.withResolvers<Answer>();
      socket.write(request);
      return waiting.promise;
    },
    close: () => void socket.destroy(),
  };
}

export function openConnections(endpoint: Endpoint, count: number): Promise<Connection[]> {
  return Promise.all(Array.from({ length: count }, () => openConnection(endpoint)));
}

/** Far beyond the slowest answer of a server that still lives. */
const PATIENCE_MS = 30_000;
/** Has neither a body nor its length. */
const NO_CONTENT = 204;
const LAST_CHUNK = '\r\n0\r\n\r\n';

/** The answer, or null while it is incomplete. Its end is its length, or for a chunked one the empty chunk. */
function parse(bytes: Buffer): Answer | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const bodyStart = headEnd + 4;
  const status = Number(head.slice(9, 12));
  const length = status === NO_CONTENT ? 0 : /^content-length: (\d+)/im.exec(head)?.[1];
  const isComplete =
    length === undefined
      ? bytes.toString('latin1', bytes.length - LAST_CHUNK.length) === LAST_CHUNK
      : bytes.length >= bodyStart + Number(length);
  return isComplete ? { status, head, body: bytes.toString('utf8', bodyStart) } : null;
}
