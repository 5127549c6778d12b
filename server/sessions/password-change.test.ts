import { describe, expect, test } from 'vitest';
import {
  ADMINISTRATOR,
  DOOR,
  filesWith,
  MINUTE_MS,
  openControlRoom,
  PASSWORD,
  type ControlRoom,
  type SignInOptions,
} from '../../test/house.ts';
import type { User } from '../users/user.ts';
import type { SignedIn } from './sessions.ts';

const NEW_PASSWORD = 'the password of my own choice';

interface Newcomer extends ControlRoom {
  readonly newcomer: User;
  /** Signs in with the one-time secret; resolves with the ticket that this gives. */
  askForTicket(options?: SignInOptions): Promise<string>;
  changePassword(ticket: string, password?: string): Promise<SignedIn>;
}

/** A control room and a newcomer, who has a one-time secret and may use both apps. */
async function openWithNewcomer(): Promise<Newcomer> {
  const room = await openControlRoom();
  const { house, hmi, boiler } = room;
  const newcomer = await house.addUser('newcomer', { mustChange: true });
  for (const app of [hmi, boiler]) await house.features.apps.grant(app, newcomer, '7', ADMINISTRATOR);
  return {
    ...room,
    newcomer,
    async askForTicket(options) {
      const error = await house.signIn('newcomer', options).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'password-change-required', ticket: expect.any(String) as string });
      return (error as { ticket: string }).ticket;
    },
    changePassword: (ticket, password = NEW_PASSWORD) =>
      house.features.sessions.changePassword(ticket, password, DOOR),
  };
}

describe('a one-time secret', () => {
  test('opens nothing but the way to replace it', async () => {
    const { house, hmi, askForTicket } = await openWithNewcomer();
    for (const options of [{ app: hmi }, {}, { presentation: 'bearer' } as const])
      await askForTicket(options);
    expect(house.features.sessions.list()).toEqual([]);
    expect(await house.sessionRows()).toEqual([]);
    expect(house.story()).toEqual([]);
  });

  test('gives no ticket for a wrong one', async () => {
    const { house } = await openWithNewcomer();
    await expect(house.signIn('newcomer', { password: 'not the right one' })).rejects.toMatchObject({
      code: 'sign-in-refused',
      ticket: undefined,
    });
  });

  test('gives a ticket that is nowhere in the data folder', async () => {
    const { house, askForTicket } = await openWithNewcomer();
    const ticket = await askForTicket();
    await house.settle();
    expect(filesWith(house.folder, ticket)).toEqual([]);
    expect(JSON.stringify(house.log.lines)).not.toContain(ticket);
  });
});

describe('replacing a password', () => {
  test('finishes the sign-in that asked for it: at the app and as it was presented', async () => {
    const { house, hmi, askForTicket, changePassword } = await openWithNewcomer();
    const signedIn = await changePassword(await askForTicket({ app: hmi, presentation: 'token' }));
    expect(signedIn).toMatchObject({
      session: { kind: 'app', user: { name: 'newcomer' }, app: { name: 'HMI' }, role: '7' },
      accessToken: expect.any(String) as string,
    });
    expect(house.features.sessions.ofApp(hmi.id)).toEqual(signedIn.session);
    expect(house.story()).toEqual(['newcomer at HMI opened']);
  });

  test('makes the new password the only one', async () => {
    const { house, askForTicket, changePassword } = await openWithNewcomer();
    await changePassword(await askForTicket());
    await expect(house.signIn('newcomer')).rejects.toMatchObject({ code: 'sign-in-refused' });
    await house.signIn('newcomer', { password: NEW_PASSWORD });
  });

  test('is audited by the name of the user, from where it was done', async () => {
    const { house, askForTicket, changePassword } = await openWithNewcomer();
    await changePassword(await askForTicket());
    const entries = (await house.audit()).slice(-2);
    const by = { actor: 'newcomer', subject: 'newcomer', door: DOOR.door, address: DOOR.address };
    expect(entries).toMatchObject([
      { action: 'password-changed', ...by },
      { action: 'sign-in', reason: 'password', ...by },
    ]);
    expect(filesWith(house.folder, NEW_PASSWORD)).toEqual([]);
  });

  test('ends the other sessions of the user, and nobody else, before the new one opens', async () => {
    const { house, hmi, boiler, newcomer, askForTicket, changePassword } = await openWithNewcomer();
    await house.plcSignIn(newcomer, boiler);
    const other = await house.signIn('operator', { app: hmi });
    house.story();
    const { session } = await changePassword(await askForTicket());
    expect(house.story()).toEqual([
      'newcomer at Boiler ended: password-changed',
      'newcomer at Keyswitch opened',
    ]);
    expect(new Set(house.features.sessions.list())).toEqual(new Set([other.session, session]));
  });

  test('leaves no moment without a user at an app where the user was signed in already', async () => {
    const { house, hmi, newcomer, askForTicket, changePassword } = await openWithNewcomer();
    await house.plcSignIn(newcomer, hmi);
    house.story();
    await changePassword(await askForTicket({ app: hmi }));
    expect(house.story()).toEqual([
      'newcomer at HMI ended: replaced, then newcomer',
      'newcomer at HMI opened',
    ]);
  });
});

describe('a ticket', () => {
  test('is good once', async () => {
    const { askForTicket, changePassword } = await openWithNewcomer();
    const ticket = await askForTicket();
    await changePassword(ticket);
    await expect(changePassword(ticket, 'yet another long password')).rejects.toMatchObject({
      code: 'ticket-invalid',
    });
  });

  test('is good once, also when the password has to be replaced anew', async () => {
    const { house, newcomer, askForTicket, changePassword } = await openWithNewcomer();
    const ticket = await askForTicket();
    await changePassword(ticket);
    const { passwords, store } = house.features;
    const hash = await passwords.prepare('a second one-time secret', newcomer);
    await store.write((writer) => passwords.set(writer, newcomer.id, hash, { mustChange: true }));
    await expect(changePassword(ticket, 'yet another long password')).rejects.toMatchObject({
      code: 'ticket-invalid',
    });
  });

  test('is good once, also when it is used twice at the same time', async () => {
    const { house, askForTicket, changePassword } = await openWithNewcomer();
    const ticket = await askForTicket();
    const passwords = ['the first of two passwords', 'the second of two passwords'];
    const outcomes = await Promise.allSettled(passwords.map((password) => changePassword(ticket, password)));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
    await house.signIn('newcomer', { password: passwords[winner] ?? '' });
    expect(outcomes[1 - winner]).toMatchObject({ reason: { code: 'ticket-invalid' } });
  });

  test('that was also given out is worth nothing once the password has been replaced', async () => {
    const { house, askForTicket, changePassword } = await openWithNewcomer();
    const stolen = await askForTicket();
    const { session } = await changePassword(await askForTicket());
    await expect(changePassword(stolen, 'the password of an intruder')).rejects.toMatchObject({
      code: 'ticket-invalid',
    });
    await house.signIn('newcomer', { password: NEW_PASSWORD });
    expect(house.features.sessions.byId(session.id)).toEqual(session);
  });

  test('is good for ten minutes', async () => {
    const { house, askForTicket, changePassword } = await openWithNewcomer();
    const [early, late] = [await askForTicket(), await askForTicket()];
    await house.advance(10 * MINUTE_MS - 1);
    await changePassword(early);
    await house.advance(1);
    await expect(changePassword(late)).rejects.toMatchObject({ code: 'ticket-invalid' });
  });

  test.each(['', 'not a ticket'])('that was never given out is refused: %j', async (ticket) => {
    const { changePassword } = await openWithNewcomer();
    await expect(changePassword(ticket)).rejects.toMatchObject({ code: 'ticket-invalid' });
  });

  test('is not good at another house, nor after a restart', async () => {
    const { house, askForTicket } = await openWithNewcomer();
    const ticket = await askForTicket();
    await house.restart();
    await expect(house.features.sessions.changePassword(ticket, NEW_PASSWORD, DOOR)).rejects.toMatchObject({
      code: 'ticket-invalid',
    });
  });

  test.each([
    ['u$7qx', 'the policy names each rule it breaks', ['min-length']],
    ['newcomer', 'the user name', ['min-length', 'not-common', 'not-user-name']],
    [PASSWORD, 'the one-time secret itself', ['not-present']],
    [`${PASSWORD}`.normalize('NFD'), 'the one-time secret in another form', ['not-present']],
  ])('stays good when the new password is refused: %j, %s', async (password, _why, rules) => {
    const { house, askForTicket, changePassword } = await openWithNewcomer();
    const ticket = await askForTicket();
    await expect(changePassword(ticket, password)).rejects.toMatchObject({
      code: 'password-unacceptable',
      faults: rules.map((rule) => expect.objectContaining({ field: 'newPassword', rule }) as unknown),
    });
    await askForTicket();
    expect(house.features.sessions.list()).toEqual([]);
    await changePassword(ticket);
  });

  test('of a user who was disabled meanwhile changes nothing, and the audit trail tells why', async () => {
    const { house, askForTicket, changePassword } = await openWithNewcomer();
    const ticket = await askForTicket();
    await house.features.users.change('newcomer', { enabled: false }, ADMINISTRATOR);
    await expect(changePassword(ticket)).rejects.toMatchObject({ code: 'sign-in-refused' });
    expect(await house.lastAudit()).toMatchObject({
      action: 'sign-in-refused',
      subject: 'newcomer',
      reason: 'user-disabled',
      address: DOOR.address,
    });
    await house.features.users.change('newcomer', { enabled: true }, ADMINISTRATOR);
    await askForTicket();
  });
});
