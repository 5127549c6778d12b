import { describe, expect, onTestFinished, test } from 'vitest';
import { ADMINISTRATOR, openControlRoom, type ControlRoom } from '../../test/house.ts';
import type { KeyswitchError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { createPlcDoor, type PlcDoor } from './door.ts';
import { createLinks, type Links, type NewLink } from './links.ts';

/** Nothing listens there. */
const NOWHERE = 'Data Source=127.0.0.1:1,0,2';

const NO_EXTRAS = { lifeBit: null, userName: null, signInTime: null, request: null, acknowledge: null };

const linkTo = ({ hmi }: ControlRoom, change: Partial<NewLink> = {}): NewLink => ({
  connection: NOWHERE,
  area: 'DB250',
  address: 'W188',
  appId: hmi.id,
  defaultValue: 0,
  onConnect: 'host',
  allowAdmin: false,
  ...NO_EXTRAS,
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

describe('the addresses of a link', () => {
  const FULL = {
    lifeBit: 'X1920',
    userName: 'S190.32',
    signInTime: 'DTL224',
    request: 'W236',
    acknowledge: 'W238',
  };

  async function faultsOf(room: ControlRoom, change: Partial<NewLink>): Promise<string[]> {
    const error: unknown = await room.house.features.links
      .add(linkTo(room, change), ADMINISTRATOR)
      .catch((thrown: unknown) => thrown);
    return (error as KeyswitchError).faults?.map(({ field, message }) => `${field}: ${message}`) ?? [];
  }

  test('are kept in their one form', async () => {
    const room = await openControlRoom();
    const { links } = room.house.features;
    const spelt = { lifeBit: ' x1920 ', userName: 's 190.32', signInTime: 'dtl 224', request: 'w236' };
    const link = await links.add(linkTo(room, { ...FULL, ...spelt }), ADMINISTRATOR);
    expect(link).toMatchObject(FULL);
    await room.house.restart();
    expect(await room.house.features.links.list()).toEqual([link]);
  });

  test.each<[string, Partial<NewLink>, string[]]>([
    ['two bits of a byte', { lifeBit: 'X1921', address: 'X1920' }, []],
    ['neighbours', { address: 'W222', userName: 'S188.32', lifeBit: 'X1792' }, []],
    ['a bit of the word', { lifeBit: 'X1511' }, ['lifeBit: DB250.X1511 overlaps address (DB250.W188)']],
    [
      'the end of a text',
      { address: 'B223', userName: 'S190.32' },
      ['userName: DB250.S190.32 overlaps address (DB250.B223)'],
    ],
    [
      'request and acknowledge',
      { request: 'W10', acknowledge: 'W11' },
      ['acknowledge: DB250.W11 overlaps request (DB250.W10)'],
    ],
    [
      'a time in a text',
      { userName: 'S10.32', signInTime: 'DT40' },
      ['signInTime: DB250.DT40 overlaps userName (DB250.S10.32)'],
    ],
    [
      'a request without an answer',
      { request: 'W10' },
      ['acknowledge: is needed with request: set both or neither'],
    ],
    [
      'an answer without a request',
      { acknowledge: 'W10' },
      ['request: is needed with acknowledge: set both or neither'],
    ],
  ])('are held against each other: %s', async (_title, change, faults) => {
    expect(await faultsOf(await openControlRoom(), change)).toEqual(faults);
  });

  test.each<[string, Partial<NewLink>, string[]]>([
    ['the same word for two apps', {}, []],
    ['the same request, answered elsewhere', { address: 'W300', request: 'W236', acknowledge: 'W302' }, []],
    ['another PLC', { ...FULL, connection: 'Data Source=127.0.0.1:2,0,2' }, []],
    ['another area', { ...FULL, area: 'DB251' }, []],
    [
      'its own life bit',
      { address: 'W300', lifeBit: 'X1920' },
      ['lifeBit: DB250.X1920 overlaps DB250.X1920 of another link'],
    ],
    [
      'a name over a word',
      { address: 'W300', userName: 'S160.32' },
      ['userName: DB250.S160.32 overlaps DB250.W188 of another link'],
    ],
    ['a word in a name', { address: 'W200' }, ['address: DB250.W200 overlaps DB250.S190.32 of another link']],
    ['a word in a request', { address: 'W236' }, ['address: DB250.W236 overlaps DB250.W236 of another link']],
    [
      'a request that another one writes',
      { address: 'W300', request: 'W238', acknowledge: 'W302' },
      ['request: DB250.W238 overlaps DB250.W238 of another link'],
    ],
  ])('are held against other links: %s', async (_title, change, faults) => {
    const room = await openControlRoom();
    await room.house.features.links.add(linkTo(room, FULL), ADMINISTRATOR);
    expect(await faultsOf(room, { appId: room.boiler.id, ...change })).toEqual(faults);
  });

  test('are not held against the link that is changed', async () => {
    const room = await openControlRoom();
    const { links } = room.house.features;
    const { id } = await links.add(linkTo(room, FULL), ADMINISTRATOR);
    const changed = await links.change(id, linkTo(room, { ...FULL, allowAdmin: true }), ADMINISTRATOR);
    expect(changed).toEqual({ ...linkTo(room, FULL), id, allowAdmin: true });
  });

  test('cannot be taken by two at the same time', async () => {
    const room = await openControlRoom();
    const { links } = room.house.features;
    const added = await Promise.allSettled(
      ['W300', 'W310'].map((address) =>
        links.add(linkTo(room, { address, lifeBit: 'X1920' }), ADMINISTRATOR),
      ),
    );
    expect(added.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
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
      follow(appId, listener) {
        listening.push(appId);
        return real.follow(appId, listener);
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
