/** What a client says in the native protocol (docs/clients/websocket.md). */
import { z } from 'zod';
import { guidSchema } from '../../http/contract.ts';

const topics = ['overview', 'emergencies', 'sessions', 'plc'] as const;

const since = z.strictObject({ run: z.string().max(64), revision: z.int().min(0) });

const messageSchema = z.discriminatedUnion('type', [
  z.discriminatedUnion('topic', [
    z.strictObject({
      type: z.literal('subscribe'),
      topic: z.literal('app'),
      appId: guidSchema,
      /** Proves the app's key, for who is to be told the token. */
      key: z.string().min(1).max(128).optional(),
      /** What the client knows already. */
      since: since.optional(),
    }),
    z.strictObject({ type: z.literal('subscribe'), topic: z.enum(topics) }),
  ]),
  z.discriminatedUnion('topic', [
    z.strictObject({ type: z.literal('unsubscribe'), topic: z.literal('app'), appId: guidSchema }),
    z.strictObject({ type: z.literal('unsubscribe'), topic: z.enum(topics) }),
  ]),
  /** The user touched the page: the idle limit starts anew. */
  z.strictObject({ type: z.literal('activity') }),
  z.strictObject({ type: z.literal('ping'), id: z.string().max(64).optional() }),
]);

export type ClientMessage = z.output<typeof messageSchema>;
export type SubscribeMessage = Extract<ClientMessage, { type: 'subscribe' }>;
export type TopicName = (typeof topics)[number];

/** Whether a text is of this protocol at all, well-formed or not. */
export function isNative(text: string): boolean {
  return text.trimStart().startsWith('{"') || typeof parse(text) === 'object';
}

/** The message, or what is wrong with it, in a clause that a close frame has room for. */
export function readMessage(text: string): { message: ClientMessage } | { fault: string } {
  const value = parse(text);
  if (value === undefined) return { fault: 'send JSON such as {"type":"subscribe","topic":"overview"}' };
  const { data, error } = messageSchema.safeParse(value);
  if (data !== undefined) return { message: data };
  const [issue] = error.issues;
  const field = issue?.path.join('.') || 'type';
  return { fault: `send a message of the native protocol: look at its field ${field}` };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
