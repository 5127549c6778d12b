import { afterAll, describe, expect, test } from 'vitest';
import { startTestHost } from '../../../test/host.ts';
import { badInput, expectScenario, GUID, problem, type Scenario } from '../../../test/scenario.ts';

const UNKNOWN = 'eb97a642-78f5-4458-b8ca-036fe70298ef';

const house = await startTestHost();
await house.addUser('adam', { type: 'Admin' });
const { app: hmi } = await house.addApp('HMI');
const { accessToken: token } = await house.signIn('adam');
afterAll(() => house.close());

// Nothing listens on port 1: the links stay offline, which is no concern of these routes.
const link = {
  connection: ' data source = 127.0.0.1:1 , 0 , 2 ',
  area: 'DB250',
  address: 'W188',
  appId: hmi.id.toUpperCase(),
};
const added = {
  id: GUID,
  appId: hmi.id,
  connection: 'Data Source=127.0.0.1:1,0,2',
  area: 'DB250',
  address: 'W188',
  defaultValue: 0,
  onConnect: 'host',
  allowAdmin: false,
};

describe('/api/v1/links', () => {
  const get = { path: '/api/v1/links', ask: { token } };
  const post = (json: unknown): Pick<Scenario, 'method' | 'path' | 'ask'> => ({
    method: 'POST',
    path: '/api/v1/links',
    ask: { token, json },
  });
  const scenarios: Scenario[] = [
    { title: 'lists nothing where there is none', ...get, status: 200, body: [] },
    {
      title: 'adds a link, its connection in one form',
      ...post(link),
      status: 201,
      body: added,
      events: ['LinkChanged'],
      trail: [expect.stringMatching(/^link-added by adam via api of [0-9a-f-]{36} at HMI$/)],
    },
    {
      title: 'lists what was added',
      ...get,
      status: 200,
      body: [added],
      headers: { 'cache-control': 'no-store' },
    },
    {
      title: 'asks for what is needed',
      ...post({}),
      status: 400,
      body: badInput(
        'connection: is missing',
        'area: is missing',
        'address: is missing',
        'appId: is missing',
      ),
    },
    {
      title: 'names the limits',
      ...post({
        ...link,
        connection: 'x'.repeat(257),
        defaultValue: -1,
        onConnect: 'both',
        allowAdmin: 'no',
      }),
      status: 400,
      body: badInput(
        'connection: must have at most 256 characters',
        'defaultValue: must be at least 0',
        'onConnect: must be one of host, plc',
        'allowAdmin: must be true or false',
      ),
    },
    {
      title: 'says what a connection string looks like',
      ...post({ ...link, connection: '127.0.0.1' }),
      status: 400,
      body: badInput('connection: must begin with "Data Source=". Example: Data Source=127.0.0.1:102,0,2'),
    },
    {
      title: 'says that a value is too large for its address',
      ...post({ ...link, defaultValue: 65_536 }),
      status: 400,
      body: badInput('defaultValue: 65536 does not fit W188 (0 to 65535).'),
    },
    {
      title: 'does not know every app',
      ...post({ ...link, appId: UNKNOWN }),
      status: 404,
      body: problem(404, 'not-found', { detail: `No app has the id ${UNKNOWN}.` }),
    },
  ];
  test.each(scenarios)('$title', async (scenario) => {
    await expectScenario(house, scenario);
  });
});
