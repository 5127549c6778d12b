/** Takes a port of 127.0.0.1 and never accepts: a thread, started by tcp-proxy.ts with `workerData: { port }`. */
import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { port } = workerData as { readonly port: number };
const listener = createServer().listen({ port, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort?.postMessage('taken');
  // The event loop stands still until the thread is ended, so nothing is taken from the backlog.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
listener.on('error', (error) => {
  throw error;
});
