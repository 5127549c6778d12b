import { expect, test, vi } from 'vitest';
import { setupGuards } from './guards.ts';

type Answer = (isGranted: boolean) => void;

/** What the session was told to ask. */
const rules = vi.hoisted(() => ({
  mayAsk: (
    _contents: null,
    _permission: string,
    _answer: (isGranted: boolean) => void,
    _details: object,
  ) => {},
  mayUse: (_contents: null, _permission: string, _origin: string): boolean => true,
}));
vi.mock('electron', () => ({
  app: { on() {} },
  session: {
    defaultSession: {
      on() {},
      webRequest: { onBeforeRequest() {} },
      setCertificateVerifyProc() {},
      setDevicePermissionHandler() {},
      setDisplayMediaRequestHandler() {},
      setBluetoothPairingHandler() {},
      setPermissionRequestHandler: (handler: typeof rules.mayAsk) => (rules.mayAsk = handler),
      setPermissionCheckHandler: (handler: typeof rules.mayUse) => (rules.mayUse = handler),
    },
  },
}));

const HOST = 'https://127.0.0.1:8443';

/** What both of the session's questions are answered. */
function isGranted(permission: string, from: string): boolean[] {
  const answer = vi.fn<Answer>();
  rules.mayAsk(null, permission, answer, { requestingUrl: `${from}/users` });
  return [rules.mayUse(null, permission, `${from}/`), answer.mock.lastCall![0]];
}

test('a page of the host may copy, once there is a host, and nobody may read what others have copied', () => {
  const guards = setupGuards();
  expect(isGranted('clipboard-sanitized-write', HOST)).toEqual([false, false]);
  const tls = { fingerprint256: () => '', caCertificate: null };
  guards.admit({ url: HOST, tls }, () => true);
  expect(isGranted('clipboard-sanitized-write', HOST)).toEqual([true, true]);
  for (const permission of ['clipboard-read', 'deprecated-sync-clipboard-read', 'media', 'fullscreen']) {
    expect(isGranted(permission, HOST)).toEqual([false, false]);
  }
  expect(isGranted('clipboard-sanitized-write', 'https://127.0.0.1:8444')).toEqual([false, false]);
});
