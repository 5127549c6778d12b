import { expect, test } from 'vitest';
import type { AuditPageView } from '../../server/http/contract.ts';
import { createApi } from '../shared/api.ts';
import { HostClock } from '../shared/host-clock.svelte.ts';
import { createTestPorts, iso, settle } from '../shared/testing.ts';
import { EVERYTHING } from './filter.ts';
import { createEntry, createPage } from './testing.ts';
import { Trail } from './trail.svelte.ts';

type Answer = (query: URLSearchParams) => AuditPageView | 'silent' | Promise<AuditPageView>;

function open(answer: Answer) {
  const ports = createTestPorts();
  const asked: Record<string, string>[] = [];
  const steered = { answer };
  const fetch: typeof globalThis.fetch = async (input) => {
    const query = new URL(String(input), 'https://host').searchParams;
    asked.push(Object.fromEntries(query));
    const page = await steered.answer(query);
    if (page === 'silent') throw new TypeError('Failed to fetch');
    return Response.json(page);
  };
  const trail = new Trail(createApi(fetch), new HostClock(ports.clock));
  return { trail, asked, steered, clock: ports.clock, seqs: () => trail.entries.map(({ seq }) => seq) };
}

/** A trail of `count` entries without gaps. */
function whole(count: number): Answer {
  return (query) => {
    const newest = Math.min(count, Number(query.get('before') ?? Infinity) - 1);
    return createPage(newest, Math.min(newest, Number(query.get('limit'))));
  };
}

test('loads page after page, without a gap and nothing twice', async () => {
  const { trail, seqs } = open(whole(250));
  await trail.load(EVERYTHING);
  expect(trail.hasOlder).toBe(true);
  await trail.older();
  await trail.older();
  expect(seqs()).toEqual(Array.from({ length: 250 }, (_, i) => 250 - i));
  expect(trail.hasOlder).toBe(false);
  await trail.older();
  expect(seqs()).toHaveLength(250);
});

test('asks once for what is older although the end is seen again and again', async () => {
  const { trail, asked } = open(whole(250));
  await trail.load(EVERYTHING);
  await Promise.all([trail.older(), trail.older(), trail.older()]);
  expect(asked).toHaveLength(2);
});

test('drops the answer to a filter that is no longer asked for', async () => {
  const { trail, steered, seqs } = open(whole(250));
  let answer = (_: AuditPageView): void => {};
  steered.answer = () => new Promise((resolve) => (answer = resolve));
  const slow = trail.load({ ...EVERYTHING, text: 'slow' });
  await settle();
  steered.answer = () => createPage(7, 1, { next: null });
  await trail.load({ ...EVERYTHING, text: 'quick' });
  answer(createPage(99, 1));
  await slow;
  expect(seqs()).toEqual([7]);
  expect(trail.loading).toBeNull();
});

test('a preset stands still while one scrolls: its times are those of the first page', async () => {
  const { trail, asked, clock } = open(whole(250));
  await trail.load({ ...EVERYTHING, preset: '24h' });
  await clock.advance(3_600_000);
  await trail.older();
  expect(asked[1]?.['from']).toBe(asked[0]?.['from']);
  expect(asked[1]).toMatchObject({ before: '151', limit: '100' });
});

test('a search that finds little goes on for a moment, says how far it has come, and goes on when told', async () => {
  let pages = 0;
  const { trail, clock, asked } = open(async (query) => {
    pages += 1;
    await clock.advance(400);
    const before = Number(query.get('before') ?? 10_000);
    return { entries: [createEntry(before - 500)], next: before - 1000, searchedBackTo: iso(-pages) };
  });
  await trail.load({ ...EVERYTHING, text: 'rare' });
  expect(pages).toBe(4);
  expect(trail.searchedBackTo).toBe(Date.parse(iso(-4)));
  await trail.older();
  expect(pages).toBe(4);
  await trail.searchFurther();
  expect(pages).toBe(8);
  expect(asked.at(-1)?.['before']).toBe('3000');
  expect(trail.entries).toHaveLength(8);
});

test('a full page is no search that had to stop', async () => {
  const { trail } = open(() => createPage(500, 100, { searchedBackTo: iso(-1) }));
  await trail.load(EVERYTHING);
  expect(trail.searchedBackTo).toBeNull();
});

test('announces what has come in and leaves what one reads alone, until it is asked for', async () => {
  const { trail, steered, asked, seqs } = open(whole(250));
  await trail.load(EVERYTHING);
  await trail.lookForNewer();
  expect(trail.newer).toBeNull();
  steered.answer = whole(262);
  await trail.lookForNewer();
  expect(trail.newer).toEqual({ count: 12, more: false });
  expect(seqs()[0]).toBe(250);
  expect(Date.parse(asked.at(-1)?.['from'] ?? '')).toBeGreaterThan(Date.parse(iso(-120_000)));
  await trail.showNewer();
  expect(seqs()[0]).toBe(262);
  expect(trail.newer).toBeNull();
});

test('says that there are more than it has counted', async () => {
  const { trail, steered } = open(whole(250));
  await trail.load(EVERYTHING);
  steered.answer = whole(900);
  await trail.lookForNewer();
  expect(trail.newer).toEqual({ count: 100, more: true });
});

test('says nothing where looking for newer ones fails', async () => {
  const { trail, steered } = open(whole(250));
  await trail.load(EVERYTHING);
  steered.answer = () => 'silent';
  await trail.lookForNewer();
  expect(trail.problem).toBeNull();
});

test('keeps what is loaded where older entries cannot be, and goes on from there', async () => {
  const { trail, steered, seqs } = open(whole(250));
  await trail.load(EVERYTHING);
  steered.answer = () => 'silent';
  await trail.older();
  expect(trail.problem?.code).toBe('unreachable');
  expect(seqs()).toHaveLength(100);
  steered.answer = whole(250);
  await trail.older();
  expect(seqs()).toHaveLength(100);
  await trail.retry(EVERYTHING);
  expect(seqs()).toHaveLength(200);
});

test('shows nothing rather than what another filter had found', async () => {
  const { trail, steered, seqs } = open(whole(250));
  await trail.load(EVERYTHING);
  steered.answer = () => 'silent';
  await trail.load({ ...EVERYTHING, user: 'anna' });
  expect(seqs()).toEqual([]);
  expect(trail.known).toBe(false);
});
