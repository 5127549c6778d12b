/** Server-Sent Events: one answer that never ends, an event for each message; what the client says comes by POST. */
import type { ServerResponse } from 'node:http';
import type { Payload } from '../../outbox.ts';
import type { Carried, Transport, Traits } from '../transport.ts';

const TRAITS: Traits = { isBinary: false, keepsAlive: false, opensLate: true, isDuplex: false };

/** From the last byte to the first question of the system whether the other machine is there. */
const KEEP_ALIVE_MS = 60_000;

/** Answers with the events of `carried`, until one of both sides ends it; `already-exists` where another does. */
export function carryByEvents(response: ServerResponse, carried: Carried): void {
  const transport: Transport = {
    traits: TRAITS,
    write: (payload) => void response.write(eventOf(payload)),
    get isBehind() {
      return response.writableNeedDrain;
    },
    end(ending) {
      if (ending === 'too-slow') response.destroy();
      else response.end();
    },
  };
  carried.attach(transport);
  response.on('drain', () => carried.drained(transport));
  response.on('close', () => carried.lost(transport));
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache, no-store',
    // Proxies that collect answers before they pass them on are asked not to.
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  // One that never shakes hands is ended by its machine alone.
  response.socket?.setKeepAlive(true, KEEP_ALIVE_MS);
}

/** JSON has no line feed outside of its escapes, so that one line holds a message. */
function eventOf(payload: Payload): string {
  return `data: ${payload as string}\n\n`;
}
