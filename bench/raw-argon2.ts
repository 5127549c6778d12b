/** Argon2 and nothing else: as many checks side by side as the host computes, for `SECONDS`; prints its throughput as JSON. */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import argon2 from 'argon2';
import { configSchema } from '../server/config/schema.ts';
import type { Throughput } from './harness.ts';

const seconds = Number(process.argv[2]);
const { memoryKib, iterations, parallelism, maxConcurrent } = configSchema.parse({}).passwords;
const secret = randomBytes(32);
const password = 'as long as the users have';
const hash = await argon2.hash(password, {
  type: argon2.argon2id,
  memoryCost: memoryKib,
  timeCost: iterations,
  parallelism,
  secret,
});

let done = 0;
const startedAt = performance.now();
const busyBefore = process.cpuUsage();
const end = startedAt + seconds * 1000;
const turns = Array.from({ length: maxConcurrent || availableParallelism() }, async () => {
  for (; performance.now() < end; done++) await argon2.verify(hash, password, { secret });
});
await Promise.all(turns);
const elapsed = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage(busyBefore);
const throughput: Throughput = { rate: done / elapsed, cores: (user + system) / 1e6 / elapsed };
console.log(JSON.stringify(throughput));
