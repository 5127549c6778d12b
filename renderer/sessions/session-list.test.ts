import { expect, test } from 'vitest';
import { createApi } from '../shared/api.ts';
import {
  createSession,
  createTestPorts,
  iso,
  json,
  problem,
  settle,
  type Answers,
} from '../shared/testing.ts';
import { SessionList, type SessionRow } from './session-list.svelte.ts';

const MINE = 'GET /api/v1/sessions';
const EVERYONE = 'GET /api/v1/sessions?all=true';
const END_OTHERS = 'POST /api/v1/sessions/end-others';
const gone = () => new Response(null, { status: 204 });

function row(id: string, over: Partial<SessionRow> = {}): SessionRow {
  return { ...createSession({ id }), own: false, door: 'page', address: '192.0.2.7', ...over };
}

const OWN = row('own', { own: true });
const OLDER = row('older', { openedAt: iso(-2) });
const NEWER = row('newer', { openedAt: iso(-1) });

async function open(answers: Answers = {}) {
  const ports = createTestPorts({ [MINE]: json([OLDER, OWN, NEWER]), ...answers });
  const list = new SessionList(createApi(ports.fetch), ports.clock);
  list.refresh();
  await settle();
  const ids = () => list.rows?.map(({ id }) => id) ?? null;
  const asked = (route: string) => ports.calls.filter((call) => call.route === route).length;
  return { ...ports, list, ids, asked };
}

test("shows one's own session first, then the latest", async () => {
  const { ids, list } = await open();
  expect(ids()).toEqual(['own', 'newer', 'older']);
  expect(list.others.map(({ id }) => id)).toEqual(['newer', 'older']);
});

test('asks again only when there is news, and once however much there was', async () => {
  const { list, answers, ids, asked } = await open();
  list.catchUp();
  expect(asked(MINE)).toBe(1);
  answers[MINE] = json([OWN]);
  for (let news = 0; news < 5; news += 1) list.noteNews();
  list.catchUp();
  list.catchUp();
  await settle();
  list.catchUp();
  expect([asked(MINE), ids()]).toEqual([2, ['own']]);
});

test('news that comes with an answer on its way is not lost', async () => {
  const { list, answers, ids } = await open();
  list.refresh();
  answers[MINE] = json([OWN]);
  list.refresh();
  await settle();
  list.catchUp();
  await settle();
  expect(ids()).toEqual(['own']);
});

test('keeps what was known last while the host does not answer, and recovers', async () => {
  const { list, answers, ids } = await open();
  answers[MINE] = 'silent';
  list.refresh();
  await settle();
  expect([list.problem?.code, ids()]).toEqual(['unreachable', ['own', 'newer', 'older']]);
  answers[MINE] = json([OWN]);
  list.refresh();
  await settle();
  expect([list.problem, ids()]).toEqual([null, ['own']]);
});

test("shows everyone's when that is chosen, and never mixes the two", async () => {
  const { list, ids } = await open({ [EVERYONE]: json([OWN, NEWER, row('foreign')]) });
  list.choose('others');
  list.scope = 'everyone';
  expect([list.rows, list.choice]).toEqual([null, null]);
  await settle();
  expect(ids()).toContain('foreign');
});

test('an answer to the former choice is not shown', async () => {
  const ports = createTestPorts({ [MINE]: json([OWN, OLDER]), [EVERYONE]: json([OWN]) });
  const list = new SessionList(createApi(ports.fetch), ports.clock);
  list.refresh();
  list.scope = 'everyone';
  await settle();
  expect(list.rows?.map(({ id }) => id)).toEqual(['own']);
});

test('ends a session only after it was asked for and confirmed', async () => {
  const { list, ids, asked } = await open({ 'DELETE /api/v1/sessions/newer': gone });
  list.choose({ id: 'newer' });
  expect(list.isChosen(NEWER)).toBe(true);
  list.cancel();
  await list.end();
  expect(asked('DELETE /api/v1/sessions/newer')).toBe(0);
  list.choose({ id: 'newer' });
  await list.end();
  expect(asked('DELETE /api/v1/sessions/newer')).toBe(1);
  expect([list.choice, ids()]).toEqual([null, ['own', 'older']]);
});

test('a session that has ended by itself is ended', async () => {
  const { list, ids } = await open({ 'DELETE /api/v1/sessions/newer': problem(404, 'not-found') });
  list.choose({ id: 'newer' });
  await list.end();
  expect([list.ending.problem, ids()]).toEqual([null, ['own', 'older']]);
});

test('stays at the question when ending fails', async () => {
  const { list, ids } = await open({ 'DELETE /api/v1/sessions/newer': problem(500, 'internal') });
  list.choose({ id: 'newer' });
  await list.end();
  expect([list.ending.problem?.code, list.choice, ids()?.length]).toEqual(['internal', { id: 'newer' }, 3]);
});

test.each([
  ['mine', MINE],
  ['everyone', EVERYONE],
] as const)('ends all others: %s', async (scope, route) => {
  const { list, calls } = await open({ [END_OTHERS]: json({ ended: 2 }), [EVERYONE]: json([OWN]) });
  list.scope = scope;
  await settle();
  list.choose('others');
  await list.end();
  await settle();
  expect(calls.find((call) => call.route === END_OTHERS)?.body).toEqual({ whose: scope });
  expect([list.endedCount, list.choice]).toEqual([2, null]);
  expect(calls.at(-1)?.route).toBe(route);
  list.choose({ id: 'older' });
  expect(list.endedCount).toBeNull();
});
