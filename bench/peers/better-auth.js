/**
 * The peer: better-auth on Express 5 and better-sqlite3, with the host's certificate and TLS settings.
 * `node better-auth.js TLS-FOLDER DATABASE`; adds the user `bench@example.com` with the password in BENCH_PASSWORD.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import Database from 'better-sqlite3';
import express from 'express';
import { tlsOptions } from '../../server/http/tls.ts';

const [tlsFolder, file] = process.argv.slice(2);
const read = (name) => readFileSync(join(tlsFolder, name), 'utf8');

const app = express();
const server = createServer(tlsOptions({ cert: read('server.crt'), key: read('server.key') }), app);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const baseURL = `https://127.0.0.1:${server.address().port}`;

const database = new Database(file);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
const auth = betterAuth({
  baseURL,
  database,
  secret: 'only-for-the-benchmarks-on-loopback-7c1f',
  emailAndPassword: { enabled: true },
  // One address asks for everything here; a limit would refuse most of it.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
});
await (await getMigrations(auth.options)).runMigrations();
await auth.api.signUpEmail({
  body: { email: 'bench@example.com', password: process.env.BENCH_PASSWORD, name: 'Bench' },
});
app.all('/api/auth/{*path}', toNodeHandler(auth));
console.log(`ready: ${baseURL}`);
