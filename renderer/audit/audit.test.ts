import { expect, test } from 'vitest';
import type { AuditStatusView } from '../../server/http/contract.ts';
import { createApi } from '../shared/api.ts';
import { HostClock } from '../shared/host-clock.svelte.ts';
import { createTestPorts, iso, json, problem, settle } from '../shared/testing.ts';
import { Audit } from './audit.svelte.ts';
import { EVERYTHING } from './filter.ts';
import { createPage, createStatus } from './testing.ts';

type Verification = AuditStatusView['verification'];

function open() {
  const ports = createTestPorts();
  const trail = { lastSeq: 50 };
  const status = { answer: createStatus({ lastSeq: 50 }) as AuditStatusView };
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    const url = new URL(String(input), 'https://host');
    if (url.pathname !== '/api/v1/audit') return ports.fetch(input, init);
    asked.push(url.search);
    return Promise.resolve(Response.json(createPage(trail.lastSeq, 50, { next: null })));
  };
  ports.answers['GET /api/v1/audit/status'] = () => Response.json(status.answer);
  const audit = new Audit(EVERYTHING, createApi(fetch), ports, new HostClock(ports.clock));
  const say = (verification: Partial<Verification>): void => {
    const before = status.answer.verification;
    status.answer = { ...status.answer, verification: { ...before, ...verification } };
  };
  return { ...ports, audit, asked, trail, status, say };
}

test('looks for what is typed once the typing rests, and only then', async () => {
  const { audit, asked, clock } = open();
  await audit.start();
  for (const text of ['p', 'pu', 'pum', 'pump']) {
    audit.type({ text });
    await clock.advance(300);
  }
  expect(asked).toHaveLength(1);
  await clock.advance(100);
  expect(asked).toHaveLength(2);
  expect(asked[1]).toContain('text=pump');
});

test('a choice is looked for at once, together with what is still being typed', async () => {
  const { audit, asked, clock } = open();
  await audit.start();
  audit.type({ user: 'anna' });
  audit.change({ outcome: 'refused' });
  await clock.advance(1000);
  expect(asked).toHaveLength(2);
  expect(asked[1]).toContain('user=anna');
  expect(asked[1]).toContain('outcome=refused');
});

test('does not ask for a time that ends before it begins', async () => {
  const { audit, asked } = open();
  await audit.start();
  audit.change({ from: 2000 });
  audit.change({ to: 1000 });
  expect(audit.inOrder).toBe(false);
  expect(asked).toHaveLength(2);
  audit.change({ to: 2000 });
  expect(asked).toHaveLength(3);
});

test('does not look for newer entries while the trail has not grown', async () => {
  const { audit, asked, trail, status } = open();
  await audit.start();
  await audit.refresh();
  const before = asked.length;
  await audit.refresh();
  expect(asked).toHaveLength(before);
  trail.lastSeq = status.answer.lastSeq + 3;
  status.answer = createStatus({ lastSeq: trail.lastSeq });
  await audit.refresh();
  expect(audit.trail.newer).toEqual({ count: 3, more: false });
});

test('the opened entry moves with the keys, and stops at both ends', async () => {
  const { audit } = open();
  await audit.start();
  audit.opened = audit.trail.entries[0] ?? null;
  audit.move(-1);
  expect(audit.opened?.seq).toBe(50);
  audit.move(1);
  expect(audit.opened?.seq).toBe(49);
  audit.opened = audit.trail.entries[49] ?? null;
  audit.move(1);
  expect(audit.opened?.seq).toBe(1);
});

test('exports what is filtered', async () => {
  const { audit } = open();
  await audit.start();
  audit.change({ user: 'Anna & Co', preset: '24h' });
  await settle();
  const address = new URL(audit.exportAddress('csv'), 'https://host');
  expect(address.pathname).toBe('/api/v1/audit/export');
  expect(Object.fromEntries(address.searchParams)).toEqual({
    from: iso(-24 * 3_600_000),
    user: 'Anna & Co',
    format: 'csv',
  });
});

test('begins no download while the host does not answer, and says why', async () => {
  const { audit, answers } = open();
  let downloads = 0;
  await audit.export(() => (downloads += 1));
  expect([downloads, audit.exportStarted]).toEqual([1, true]);
  answers['GET /api/v1/audit/status'] = 'silent';
  await audit.export(() => (downloads += 1));
  expect([downloads, audit.exportStarted]).toEqual([1, false]);
  expect(audit.exporting.problem?.code).toBe('unreachable');
});

test('follows a verification to its end, and asks no more then', async () => {
  const { audit, answers, calls, clock, say } = open();
  const { status } = audit;
  answers['POST /api/v1/audit/verify'] = json({});
  say({ state: 'running', checked: 0, total: 400 });
  await status.verify();
  expect(status.running).toBe(true);
  say({ checked: 100 });
  await clock.advance(1000);
  expect(status.progress).toBe(0.25);
  say({ state: 'intact', at: iso(2000), checked: 400 });
  await clock.advance(1000);
  expect(status.running).toBe(false);
  const asked = calls.length;
  await clock.advance(60_000);
  expect(calls).toHaveLength(asked);
});

test('goes on following while the host does not answer for a moment', async () => {
  const { audit, answers, clock, say, status } = open();
  say({ state: 'running', checked: 0, total: 400 });
  await audit.status.load();
  answers['GET /api/v1/audit/status'] = 'silent';
  await clock.advance(1000);
  expect(audit.status.stale).toBe(true);
  answers['GET /api/v1/audit/status'] = () => Response.json(status.answer);
  say({ state: 'intact' });
  await clock.advance(1000);
  expect(audit.status.stale).toBe(false);
  expect(audit.status.running).toBe(false);
});

test('says why a verification cannot begin', async () => {
  const { audit, answers } = open();
  answers['POST /api/v1/audit/verify'] = problem(403, 'forbidden');
  await audit.status.verify();
  expect(audit.status.verifying.problem?.code).toBe('forbidden');
});
