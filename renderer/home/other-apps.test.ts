import { expect, test } from 'vitest';
import type { OverviewMessage } from '../../server/http/contract.ts';
import { APP_ID, createSession } from '../shared/testing.ts';
import { otherApps } from './other-apps.ts';

const overview = { apps: [{ id: APP_ID }, { id: 'other' }] } as OverviewMessage;

test('shows every app but its own', () => {
  const session = createSession({ app: { id: APP_ID, name: 'HMI' } });
  expect(otherApps(null, session)).toEqual([]);
  expect(otherApps(overview, session)).toEqual([{ id: 'other' }]);
  expect(otherApps(overview, createSession())).toHaveLength(2);
});
