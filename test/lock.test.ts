/** The station is locked: everyone in the plant knows at once, in the PLC too. */
import { expect, test, vi } from 'vitest';
import { HOST_ACTOR } from '../server/audit/audit.ts';
import { ANYONE } from '../electron/station.ts';
import { startTestHost } from './host.ts';
import { startS7Server } from './s7-server.ts';
import { connect } from './socket.ts';

const WORD = 188;
/** Longer than any recovery, for a machine that is busy with other tests. */
const WAIT = { timeout: 20_000, interval: 5 };

test('a lock, from the page or the operating system, is told to screens of either kind, and to the PLC', async () => {
  await using plc = await startS7Server({ db: 250 });
  await using host = await startTestHost({ config: { 'plc.pollIntervalMs': '20' } });
  const { apps, links, sessions } = host.features;
  const station = apps.station();
  if (station === null) throw new Error('the host has no station');
  await apps.grant(station, await host.addUser('olivia'), '9', HOST_ACTOR);
  await links.add(
    {
      connection: `Data Source=127.0.0.1:${plc.port},0,2`,
      area: 'DB250',
      address: `W${WORD}`,
      appId: station.id,
      defaultValue: 3,
      onConnect: 'host',
      allowAdmin: false,
    },
    HOST_ACTOR,
  );
  const word = (value: number) => vi.waitFor(async () => expect(await plc.getWord(WORD)).toBe(value), WAIT);
  await word(3);
  const native = await connect(host);
  native.send({ type: 'subscribe', topic: 'app', appId: station.id });
  const iauth = await connect(host);
  iauth.send(station.id);
  await Promise.all([native.next(), iauth.next()]);

  const ways: ((cookie: string) => Promise<unknown>)[] = [
    (cookie) => host.ask('POST', '/api/v1/lock', { cookie }),
    () => sessions.endAtApp(station.id, 'screen-locked', ANYONE, { event: 'lock-screen' }),
  ];
  for (const lock of ways) {
    const cookie = await host.signInForCookie('olivia', station.id);
    await word(9);
    expect(await native.next()).toMatchObject({ state: { user: 'olivia' } });
    expect(await iauth.next()).toMatchObject({ Authenticated: true });

    await lock(cookie);
    expect(await native.next()).toMatchObject({ state: { authenticated: false, user: null } });
    expect(await iauth.next()).toEqual({ Authenticated: false });
    await word(3);
  }
  native.close();
  iauth.close();
});
