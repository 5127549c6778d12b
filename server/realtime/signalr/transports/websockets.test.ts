import { expect, test } from 'vitest';
import type { AcceptedSocket } from '../../sockets.ts';
import type { Carried } from '../transport.ts';
import { SocketTransport } from './websockets.ts';

/** A socket whose events the test brings about, and what was done to it. */
function setUp() {
  const done: unknown[] = [];
  const listeners: { message?: (data: string | Buffer) => void; gone?: () => void } = {};
  const socket = {
    isBehind: false,
    onMessage: (listener: (data: string | Buffer) => void) => void (listeners.message = listener),
    onDrained: () => {},
    onGone: (listener: () => void) => void (listeners.gone = listener),
    close: (code: number) => void done.push(code),
    terminate: () => void done.push('terminated'),
  } as unknown as AcceptedSocket;
  const heard: string[] = [];
  const carried: Carried = {
    attach: () => void heard.push('attached'),
    receive: (_transport, bytes) => void heard.push(bytes.toString()),
    drained: () => {},
    lost: () => void heard.push('lost'),
  };
  return { transport: new SocketTransport(socket), listeners, carried, heard, done };
}

test('what comes before it is known whose it is waits, in its order', () => {
  const { transport, listeners, carried, heard } = setUp();
  listeners.message?.('a');
  listeners.message?.(Buffer.from('b'));
  expect(heard).toEqual([]);
  transport.carry(carried);
  listeners.message?.('c');
  expect(heard).toEqual(['attached', 'a', 'b', 'c']);
});

test('a socket that goes meanwhile is lost at once', () => {
  const { transport, listeners, carried, heard } = setUp();
  listeners.gone?.();
  transport.carry(carried);
  expect(heard).toEqual(['attached', 'lost']);
});

test('who reads too slowly is cut off, and nobody else', () => {
  const { transport, done } = setUp();
  transport.end('stopping');
  transport.end('too-slow');
  expect(done).toEqual([1001, 4408, 'terminated']);
});
