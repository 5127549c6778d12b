/** Where updates come from: a folder, or an HTTPS server that the site's own CA vouches for, or the operating system. */
import { once } from 'node:events';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { createSecureContext, getCACertificates, type ConnectionOptions, type SecureContext } from 'node:tls';
import { KeyswitchError, messageOf } from '../../server/errors.ts';
import type { CancelTimer, Clock } from '../../server/ports/clock.ts';

export interface Source {
  /** The bytes of a file, in pieces as they come; throws `update-unreachable`. */
  open(name: string): AsyncIterable<Buffer>;
}

export interface SourceNeeds {
  readonly clock: Clock;
  /** PEM file with the CAs to trust instead of the operating system's; it may be missing. */
  readonly caFile: string;
}

type Trust = Pick<ConnectionOptions, 'ca' | 'secureContext'>;

/** A server that says nothing for so long is taken as gone. */
const STALL_MS = 60_000;

/** `from` is the path of a folder, or an address that begins with `https:`. */
export function createSource(from: string, needs: SourceNeeds): Source {
  const { clock, caFile } = needs;
  let ofSystem: SecureContext | undefined;
  function trust(): Trust {
    if (existsSync(caFile)) return { ca: readFileSync(caFile) };
    // Once: reading some hundred certificates takes a tenth of a second, in which nobody else has a turn.
    ofSystem ??= createSecureContext({ ca: [...new Set(getCACertificates('system'))] });
    return { secureContext: ofSystem };
  }
  const pieces = from.startsWith('https:')
    ? (name: string) => download(new URL(name, from.endsWith('/') ? from : `${from}/`), trust(), clock)
    : (name: string) => createReadStream(join(from, name));
  return {
    async *open(name) {
      try {
        yield* pieces(name) as AsyncIterable<Buffer>;
      } catch (error) {
        throw new KeyswitchError('update-unreachable', `${name} in ${from}: ${messageOf(error)}`, {
          cause: error,
        });
      }
    },
  };
}

/** Reads a small file whole; throws `update-invalid` where it is longer than `mostBytes`. */
export async function readWhole(source: Source, name: string, mostBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of source.open(name)) {
    bytes += piece.length;
    if (bytes > mostBytes)
      throw new KeyswitchError('update-invalid', `${name} has more than ${mostBytes} bytes.`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function* download(url: URL, trust: Trust, clock: Clock): AsyncGenerator<Buffer> {
  const stalled = new AbortController();
  let stopWaiting: CancelTimer = () => {};
  const wait = (): void => {
    stopWaiting();
    stopWaiting = clock.after(STALL_MS, () => stalled.abort());
  };
  wait();
  try {
    const request = get(url, { ...trust, agent: false, signal: stalled.signal });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    // What goes wrong from now on is told by the answer as well.
    request.on('error', () => {});
    // A redirect is an answer like any other that is not the file: whoever was named is asked, and nobody else.
    if (response.statusCode !== 200) throw new Error(`the server answers ${response.statusCode}`);
    for await (const piece of response as AsyncIterable<Buffer>) {
      wait();
      yield piece;
    }
  } catch (error) {
    throw stalled.signal.aborted ? new Error(`nothing came for ${STALL_MS / 1000} s`) : error;
  } finally {
    stopWaiting();
    stalled.abort();
  }
}
