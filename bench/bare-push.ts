/** The bare WebSocket server that pushes are held against: `ws` with the host's TLS. `POST /broadcast {"message"}` sends it to all. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';
import { tlsOptions } from '../server/http/tls.ts';

const folder = process.argv[2] ?? '.';
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

const server = createServer(tlsOptions({ cert: read('server.crt'), key: read('server.key') }));
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket) => socket.on('error', () => socket.terminate()));
server.on('request', (request, response) => {
  void json(request).then((body) => {
    const { message } = body as { message: string };
    for (const socket of sockets.clients) socket.send(message);
    response.end('{}');
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(`ready: https://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
