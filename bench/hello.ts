/** The bare server that the host is held against: Express 5 and helmet answer JSON, with the host's TLS. `node hello.ts TLS-FOLDER` */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import helmet from 'helmet';
import { tlsOptions } from '../server/http/tls.ts';

const folder = process.argv[2] ?? '.';
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

const app = express();
// As the host has it: a tag for each answer would slow this server down and flatter the host.
app.disable('x-powered-by');
app.disable('etag');
app.use(helmet());
app.get('/hello', (_request, response) => {
  response.json({ hello: 'control room' });
});
const server = createServer(tlsOptions({ cert: read('server.crt'), key: read('server.key') }), app);
server.listen(0, '127.0.0.1', () => {
  console.log(`ready: https://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
