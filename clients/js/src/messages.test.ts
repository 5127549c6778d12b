import fc from 'fast-check';
import { expect, expectTypeOf, test } from 'vitest';
import type * as host from '../../../server/http/contract.ts';
import type { ProblemDetails } from './problem.ts';
import {
  readMessage,
  type AppMessage,
  type EmergenciesMessage,
  type OverviewMessage,
  type PlcMessage,
  type PongMessage,
  type ServerMessage,
  type Session,
  type SessionMessage,
  type SessionsMessage,
  type UnchangedMessage,
} from './messages.ts';

// `npm run check` holds these: what the host says fits what the client has been told to expect.
test("the host's messages are those that the client knows", () => {
  expectTypeOf<host.AppStateMessage>().toExtend<AppMessage>();
  expectTypeOf<host.UnchangedMessage>().toExtend<UnchangedMessage>();
  expectTypeOf<host.OverviewMessage>().toExtend<OverviewMessage>();
  expectTypeOf<host.EmergenciesMessage>().toExtend<EmergenciesMessage>();
  expectTypeOf<host.SessionsMessage>().toExtend<SessionsMessage>();
  expectTypeOf<host.PlcMessage>().toExtend<PlcMessage>();
  expectTypeOf<host.OwnSessionMessage>().toExtend<SessionMessage>();
  expectTypeOf<host.PongMessage>().toExtend<PongMessage>();
  expectTypeOf<host.ServerMessage['type']>().toEqualTypeOf<ServerMessage['type']>();
  expectTypeOf<host.SessionView>().toExtend<Session>();
  // What the host may leave out is undefined there, and never sent.
  expectTypeOf<host.ProblemView['code']>().toExtend<NonNullable<ProblemDetails['code']>>();
  expectTypeOf<host.ProblemView['why']>().toEqualTypeOf<ProblemDetails['why']>();
});

test('whatever comes is a message with a type or none', () => {
  expect(readMessage('{"type":"pong"}')).toEqual({ type: 'pong' });
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.anything()), (data) => {
      const message = readMessage(data);
      expect(message === null || typeof message.type === 'string').toBe(true);
    }),
  );
});
