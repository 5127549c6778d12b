import { describe, expect, onTestFinished, test } from 'vitest';
import { ADMINISTRATOR, openControlRoom, type ControlRoom } from '../../test/house.ts';
import type { Store } from '../store/store.ts';
import { createPlcDoor } from './door.ts';
import type { PlcDoor } from './link.ts';
import { createLinks, type Links, type NewLink } from './links.ts';

/** Nothing listens there. */
const NOWHERE = 'Data Source=127.0.0.1:1,0,2';

const linkTo = ({ hmi }: ControlRoom, change: Partial<NewLink> = {}): NewLink => ({
  connection: NOWHERE,
  area: 'DB250',
  address: 'W188',
  appId: hmi.id,
  defaultValue: 0,
  onConnect: 'host',
  allowAdmin: false,
  ...change,
});

describe('adding a link', () => {
  test('keeps it in its one form, audits and announces it', async () => {
    const room = await openControlRoom();
    const { house, hmi } = room;
    const link = await house.features.links.add(
      linkTo(room, {
        connection: ' data source = "127.0.0.1 , 0 , 2" ;',
        appId: hmi.id.toUpperCase(),
        defaultValue: 4,
        onConnect: 'plc',
        allowAdmin: true,
      }),
      ADMINISTRATOR,
    );
    const { id, ...rest } = link;
    expect(rest).toEqual({
      ...linkTo(room),
      connection: 'Data Source=127.0.0.1:102,0,2',
      defaultValue: 4,
      onConnect: 'plc',
      allowAdmin: true,
    });
    expect(await house.features.links.list()).toEqual([link]);
    expect(house.events.at(-1)).toEqual({ name: 'LinkChanged', linkId: id });
    const { appId: _, ...detail } = rest;
    expect(await house.lastAudit()).toMatchObject({
      at: house.clock.now(),
      action: 'link-added',
      actor: ADMINISTRATOR.name,
      subject: id,
      app: 'HMI',
      address: ADMINISTRATOR.address,
      detail,
    });
  });

  test.each<[string, Partial<NewLink>, string]>([
    ['a connection string without a data source', { connection: '127.0.0.1:102,0,2' }, 'connection'],
    ['no rack', { connection: 'Data Source=127.0.0.1:102' }, 'connection'],
    ['an area that is none', { area: 'XY7' }, 'area'],
    ['data block 0', { area: 'DB0' }, 'area'],
    ['an address that is none', { address: 'Q188' }, 'address'],
    ['an address beyond the area', { address: 'W65535' }, 'address'],
    ['a default value too large for a word', { defaultValue: 65_536 }, 'defaultValue'],
    ['a default value too large for a byte', { address: 'B188', defaultValue: 256 }, 'defaultValue'],
    ['a default value too large for a bit', { address: 'X188', defaultValue: 2 }, 'defaultValue'],
    ['a negative default value', { defaultValue: -1 }, 'defaultValue'],
    ['a default value that is no whole number', { defaultValue: 0.5 }, 'defaultValue'],
    ['a default value that is no number', { defaultValue: NaN }, 'defaultValue'],
  ])('with %s is refused and names the field', async (_name, change, field) => {
    const room = await openControlRoom();
    const { links } = room.house.features;
    const audited = (await room.house.audit()).length;
    await expect(links.add(linkTo(room, change), ADMINISTRATOR)).rejects.toMatchObject({
      code: 'invalid-input',
      faults: [{ field }],
    });
    expect(await links.list()).toEqual([]);
    expect(await room.house.audit()).toHaveLength(audited);
  });

  test('to an app that is not there is refused', async () => {
    const room = await openControlRoom();
    const link = linkTo(room, { appId: '00000000-0000-4000-8000-000000000000' });
    await expect(room.house.features.links.add(link, ADMINISTRATOR)).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test.each([
    ['W188', 65_535],
    ['B188', 255],
    ['X1507', 1],
    ['D188', 4_294_967_295],
  ])('at %s takes default values up to %d', async (address, defaultValue) => {
    const room = await openControlRoom();
    const link = await room.house.features.links.add(linkTo(room, { address, defaultValue }), ADMINISTRATOR);
    await room.house.restart();
    expect(await room.house.features.links.list()).toEqual([link]);
  });
});

describe('starting', () => {
  /** Links over a door that counts who listens; closed after the test. */
  function createCountedLinks({ house }: ControlRoom, store: Store = house.features.store) {
    const { features, clock, random, log } = house;
    const real = createPlcDoor({ ...features, log });
    const listening: string[] = [];
    const door: PlcDoor = {
      ...real,
      onChange(appId, listener) {
        listening.push(appId);
        return real.onChange(appId, listener);
      },
    };
    const options = { pollIntervalMs: 100, timeoutMs: 1500 };
    const links: Links = createLinks({ ...features, store, door, clock, random, log }, options);
    onTestFinished(() => links.close());
    return { links, listening };
  }

  test('runs every link that is defined, and those that are added later', async () => {
    const room = await openControlRoom();
    const { links, listening } = createCountedLinks(room);
    const first = await links.add(linkTo(room), ADMINISTRATOR);
    expect(links.status()).toEqual([]);
    await links.start();
    const second = await links.add(linkTo(room, { address: 'W200', appId: room.boiler.id }), ADMINISTRATOR);
    expect(links.status()).toMatchObject([
      { id: first.id, appId: room.hmi.id, connection: NOWHERE, area: 'DB250', address: 'W188' },
      { id: second.id, appId: room.boiler.id, connection: NOWHERE, area: 'DB250', address: 'W200' },
    ]);
    expect(listening).toEqual([room.hmi.id, room.boiler.id]);
  });

  test('runs a link once that is added while it starts', async () => {
    const room = await openControlRoom();
    const { store } = room.house.features;
    const { links, listening } = createCountedLinks(room, {
      ...store,
      // The start comes between the link's way to disk and its own running.
      async write(operation) {
        const result = await store.write(operation);
        await links.start();
        return result;
      },
    });
    await links.add(linkTo(room), ADMINISTRATOR);
    expect(links.status()).toHaveLength(1);
    expect(listening).toEqual([room.hmi.id]);
  });

  test('is not held up by a link that cannot be run', async () => {
    const room = await openControlRoom();
    const { links } = createCountedLinks(room);
    const broken = await links.add(linkTo(room), ADMINISTRATOR);
    const good = await links.add(linkTo(room, { address: 'W200' }), ADMINISTRATOR);
    await room.house.features.store.write((writer) =>
      writer.updateTable('links').set({ address: 'spoilt' }).where('id', '=', broken.id).execute(),
    );
    await links.start();
    expect(links.status().map(({ id }) => id)).toEqual([good.id]);
    expect(room.house.log.lines).toContainEqual(expect.objectContaining({ level: 'error', link: broken.id }));
  });

  test('leaves nothing running when it is closed', async () => {
    const room = await openControlRoom();
    const { links } = createCountedLinks(room);
    await links.add(linkTo(room), ADMINISTRATOR);
    await links.start();
    links.close();
    expect(links.status()).toEqual([]);
  });
});
