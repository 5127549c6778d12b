/** The messages of the SignalR hub protocol, whatever they are encoded in (HubProtocol.md of dotnet/aspnetcore). */
import { KeyswitchError } from '../../errors.ts';
import type { Payload } from '../outbox.ts';
import type { Framing } from './framing.ts';

export const TYPE = {
  invocation: 1,
  streamItem: 2,
  completion: 3,
  streamInvocation: 4,
  cancelInvocation: 5,
  ping: 6,
  close: 7,
  ack: 8,
  sequence: 9,
} as const;

type Type = typeof TYPE;

export interface Invocation {
  readonly type: Type['invocation'] | Type['streamInvocation'];
  /** Absent: nobody waits for a completion. */
  readonly invocationId?: string;
  readonly target: string;
  readonly arguments: readonly unknown[];
}

export interface Completion {
  readonly type: Type['completion'];
  readonly invocationId: string;
  /** Absent: it succeeded. The methods of our hubs have no result. */
  readonly error?: string;
}

/** Parts of streams, which our hubs have none of. */
export interface StreamPart {
  readonly type: Type['streamItem'] | Type['cancelInvocation'];
  readonly invocationId: string;
}

export interface Ping {
  readonly type: Type['ping'];
}

export interface Close {
  readonly type: Type['close'];
  readonly error?: string;
  readonly allowReconnect?: boolean;
}

/** How far messages were received, or with which number they go on after a reconnect. */
export interface Numbered {
  readonly type: Type['ack'] | Type['sequence'];
  readonly sequenceId: number;
}

export type HubMessage = Invocation | Completion | StreamPart | Ping | Close | Numbered;

/** What the host itself says. */
export type HostMessage = Exclude<HubMessage, StreamPart>;

/** One encoding of the messages. */
export interface HubProtocol {
  readonly name: string;
  /** What it makes is no text. */
  readonly isBinary: boolean;
  framing(maxBytes: number): Framing;
  /** One message, unframed; null for a type that is not known yet. `hub-protocol` where it is none. */
  decode(message: Buffer): HubMessage | null;
  /** With its framing; text or bytes, as the transport is to send it. */
  encode(message: HostMessage): Payload;
}

/** Says what is wrong with what a client has sent; it goes to the client, and ends its connection. */
export function hubFault(message: string, cause?: unknown): KeyswitchError {
  return new KeyswitchError('hub-protocol', message, { cause });
}

/** A message as it came, each field by its name, nothing checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Checks what came; fields that are not known are passed over, as the protocol asks for. */
export function messageOf(fields: Fields): HubMessage | null {
  const { type } = fields;
  switch (type) {
    case TYPE.invocation:
    case TYPE.streamInvocation:
      return {
        type,
        ...optionalText(fields, 'invocationId'),
        target: text(fields, 'target'),
        arguments: list(fields),
      };
    case TYPE.completion:
      return { type, invocationId: text(fields, 'invocationId'), ...optionalText(fields, 'error') };
    case TYPE.streamItem:
    case TYPE.cancelInvocation:
      return { type, invocationId: text(fields, 'invocationId') };
    case TYPE.ping:
      return { type };
    case TYPE.close:
      return { type, ...optionalText(fields, 'error') };
    case TYPE.ack:
    case TYPE.sequence:
      return { type, sequenceId: count(fields) };
    default:
      if (typeof type !== 'number') throw hubFault('a message has a number as its type');
      return null;
  }
}

/** Whether a message has a number that acknowledgements count by. */
export function isNumbered({ type }: HubMessage): boolean {
  return type <= TYPE.cancelInvocation;
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw hubFault(`${name} is a text`);
  return value;
}

function optionalText<Name extends string>(fields: Fields, name: Name): { readonly [N in Name]?: string } {
  const value = fields[name];
  if (value === undefined || value === null) return {};
  return { [name]: text(fields, name) } as { [N in Name]: string };
}

function list(fields: Fields): readonly unknown[] {
  const { arguments: value } = fields;
  if (!Array.isArray(value)) throw hubFault('arguments is a list');
  return value;
}

function count({ sequenceId }: Fields): number {
  if (!Number.isSafeInteger(sequenceId) || (sequenceId as number) < 0)
    throw hubFault('sequenceId is a number');
  return sequenceId as number;
}
