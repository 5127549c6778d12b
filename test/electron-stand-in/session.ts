/** `session`: what the app lets its pages reach and ask for. */
import type { X509Certificate } from 'node:crypto';
import type { Request, Session, WebRequest } from 'electron';
import type { Request as PageRequest } from 'playwright-core';
import { chromium, type Chromium } from './chromium.ts';
import { modelled, ModelledEmitter, preventable } from './modelled.ts';

/** The app's own rules, for a test to ask. */
export const rules: {
  verify: Parameters<Session['setCertificateVerifyProc']>[0];
  mayAsk: Parameters<Session['setPermissionRequestHandler']>[0];
  mayUse: Parameters<Session['setPermissionCheckHandler']>[0];
  mayUseDevice: Parameters<Session['setDevicePermissionHandler']>[0];
  mayCapture: Parameters<Session['setDisplayMediaRequestHandler']>[0];
  mayPair: Parameters<Session['setBluetoothPairingHandler']>[0];
  mayRequest: { readonly urls: readonly RegExp[]; readonly listener: BeforeRequest } | null;
} = {
  verify: null,
  mayAsk: null,
  mayUse: null,
  mayUseDevice: null,
  mayCapture: null,
  mayPair: null,
  mayRequest: null,
};

type BeforeRequest = (
  details: Electron.OnBeforeRequestListenerDetails,
  callback: (response: Electron.CallbackResponse) => void,
) => void;

class StandInWebRequest {
  onBeforeRequest(filter: Electron.WebRequestFilter | BeforeRequest | null, listener?: BeforeRequest): void {
    if (filter === null) rules.mayRequest = null;
    else if (typeof filter === 'function') rules.mayRequest = { urls: [/^/], listener: filter };
    else if (listener !== undefined) {
      rules.mayRequest = { urls: (filter.urls ?? ['<all_urls>']).map(patternOf), listener };
    }
  }
}

class StandInSession
  extends ModelledEmitter
  implements
    Pick<
      Session,
      | 'setCertificateVerifyProc'
      | 'setPermissionRequestHandler'
      | 'setPermissionCheckHandler'
      | 'setDevicePermissionHandler'
      | 'setDisplayMediaRequestHandler'
      | 'setBluetoothPairingHandler'
      | 'setSpellCheckerEnabled'
      | 'clearCache'
      | 'closeAllConnections'
    >
{
  readonly webRequest = modelled('webRequest', new StandInWebRequest()) as Pick<
    WebRequest,
    'onBeforeRequest'
  >;

  constructor() {
    super('session.defaultSession', [
      'select-hid-device',
      'select-serial-port',
      'select-usb-device',
      'will-download',
    ]);
  }

  setCertificateVerifyProc(proc: typeof rules.verify): void {
    rules.verify = proc;
  }
  setPermissionRequestHandler(handler: typeof rules.mayAsk): void {
    rules.mayAsk = handler;
  }
  setPermissionCheckHandler(handler: typeof rules.mayUse): void {
    rules.mayUse = handler;
  }
  setDevicePermissionHandler(handler: typeof rules.mayUseDevice): void {
    rules.mayUseDevice = handler;
  }
  setDisplayMediaRequestHandler(handler: typeof rules.mayCapture): void {
    rules.mayCapture = handler;
  }
  setBluetoothPairingHandler(handler: typeof rules.mayPair): void {
    rules.mayPair = handler;
  }
  // Chromium's own business, which no test can see.
  setSpellCheckerEnabled(): void {}
  async clearCache(): Promise<void> {}
  async closeAllConnections(): Promise<void> {}
}

const defaultSession = modelled<StandInSession>('session.defaultSession', new StandInSession());
export const session = modelled('session', { defaultSession });

/** Asks the app's rule; without one, Chromium would refuse what the machine does not trust. */
export function mayTrust(hostname: string, certificate: X509Certificate): Promise<boolean> {
  const { verify } = rules;
  if (verify === null) return Promise.resolve(false);
  const request = { hostname, certificate: modelled('certificate', { data: certificate.toString() }) };
  return new Promise((resolve) => {
    verify(modelled('request', request) as Request, (result) => resolve(result === 0));
  });
}

/** Asks the app whether a request of its pages may go out. */
export function mayRequest(request: PageRequest): Promise<boolean> {
  const url = request.url();
  const { mayRequest: rule } = rules;
  if (rule === null || !rule.urls.some((pattern) => pattern.test(url))) return Promise.resolve(true);
  const details = { url, method: request.method(), resourceType: request.resourceType() };
  return new Promise((resolve) => {
    rule.listener(
      modelled('details', details) as Electron.OnBeforeRequestListenerDetails,
      ({ cancel = false }) => resolve(!cancel),
    );
  });
}

/** What Chromium's permissions are called in Electron. */
const PERMISSIONS = {
  camera: 'media',
  microphone: 'media',
  geolocation: 'geolocation',
  notifications: 'notifications',
  'clipboard-read': 'clipboard-read',
} as const;

/** Asks the app, before its first page, what its pages would be granted; without a rule Electron grants all. */
export async function grantPermissions({ session: browser }: Chromium): Promise<void> {
  for (const [name, permission] of Object.entries(PERMISSIONS)) {
    const isGranted = await new Promise<boolean>((resolve) => {
      if (rules.mayAsk === null) resolve(true);
      else rules.mayAsk({} as never, permission, resolve, {} as never);
    });
    const setting = isGranted ? 'granted' : 'denied';
    await browser.send('Browser.setPermission', { permission: { name }, setting });
  }
}

/** `<all_urls>`, or a match pattern with `*`. */
function patternOf(pattern: string): RegExp {
  if (pattern === '<all_urls>') return /^/;
  return new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
}

/** Chromium keeps nothing that a page offers to download: the app is told of it, and must refuse. */
async function watchDownloads(): Promise<void> {
  const { session: browser } = await chromium;
  browser.on('Browser.downloadWillBegin', ({ url, suggestedFilename }) => {
    const event = preventable({});
    const item = modelled('item', { getURL: () => url, getFilename: () => suggestedFilename });
    defaultSession.emit('will-download', event, item);
    if (!event.defaultPrevented) throw new Error('electron stand-in: a download is not modelled');
  });
  await browser.send('Browser.setDownloadBehavior', { behavior: 'deny', eventsEnabled: true });
}

watchDownloads().catch(() => {});
