import { expect, test, vi } from 'vitest';
import { Problem } from './api.ts';
import { Submission } from './submission.svelte.ts';
import { TestClock } from './testing.ts';

test('is on its way until the work is done, and does not start twice', async () => {
  const submission = new Submission(new TestClock());
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = submission.run(() => promise);
  expect(submission.sending).toBe(true);
  const second = vi.fn();
  await submission.run(second);
  expect(second).not.toHaveBeenCalled();
  resolve();
  await running;
  expect(submission.ready).toBe(true);
});

test('keeps the problem until the next try', async () => {
  const submission = new Submission(new TestClock());
  await submission.run(() => Promise.reject(new Problem({ code: 'sign-in-refused' })));
  expect(submission.problem?.code).toBe('sign-in-refused');
  await submission.run(() => Promise.resolve());
  expect(submission.problem).toBeNull();
});

test('counts the seconds that a busy host asks for, and is ready after them', async () => {
  const clock = new TestClock();
  const submission = new Submission(clock);
  await submission.run(() => Promise.reject(new Problem({ code: 'busy' }, 3)));
  expect(submission.waitSec).toBe(3);
  expect(submission.ready).toBe(false);
  await clock.advance(1_000);
  expect(submission.waitSec).toBe(2);
  await clock.advance(2_000);
  expect(submission.ready).toBe(true);
});

test('lets a defect through', async () => {
  const submission = new Submission(new TestClock());
  await expect(submission.run(() => Promise.reject(new TypeError('defect')))).rejects.toThrow('defect');
  expect(submission.ready).toBe(true);
});

test('forgets a wait with its problem, and a later one counts alone', async () => {
  const clock = new TestClock();
  const submission = new Submission(clock);
  const refuse = (seconds: number) => () => Promise.reject(new Problem({ code: 'sign-in-refused' }, seconds));
  await submission.run(refuse(30));
  submission.forget();
  expect([submission.ready, submission.problem]).toEqual([true, null]);
  await submission.run(refuse(10));
  await clock.advance(1_000);
  expect(submission.waitSec).toBe(9);
});
