/** What no page in this app may do, whatever it holds: Electron's security list, items 1, 5 and 11 to 15. */
import { X509Certificate } from 'node:crypto';
import { app, session, type Session, type WebContents } from 'electron';
import type { Host } from '../server/host.ts';

/** The results that `setCertificateVerifyProc` knows, beside net error codes. */
const ACCEPTED = 0;
const REFUSED = -2;

/** The one thing that may be saved to a file. */
const EXPORT_PATH = '/api/v1/audit/export';

export interface Guards {
  /** Lets the pages of this host in. Until then there is nothing that a page may reach. */
  admit(host: Pick<Host, 'url' | 'tls'>, mayDownload: () => boolean): void;
}

/** The host that was let in. */
interface Admitted {
  readonly origin: string;
  readonly tls: Host['tls'];
  readonly mayDownload: () => boolean;
}

export function setupGuards(): Guards {
  let admitted: Admitted | null = null;
  const isOurs = (url: string): boolean => admitted !== null && originOf(url) === admitted.origin;

  const { defaultSession } = session;
  pinCertificate(defaultSession, () => admitted?.tls.fingerprint256() ?? null);
  refuseRequests(defaultSession, isOurs);
  refuseDevices(defaultSession, isOurs);
  refuseDownloads(
    defaultSession,
    (url) => isOurs(url) && new URL(url).pathname === EXPORT_PATH && (admitted?.mayDownload() ?? false),
  );
  refuseIdentities();
  app.on('web-contents-created', (_event, contents) => keepIn(contents, isOurs));

  return {
    admit({ url, tls }, mayDownload) {
      admitted = { origin: new URL(url).origin, tls, mayDownload };
    },
  };
}

/** Trusts the very certificate that the host shows at present, and nothing else. */
function pinCertificate(pages: Session, pinned: () => string | null): void {
  pages.setCertificateVerifyProc(({ certificate }, callback) => {
    const { fingerprint256 } = new X509Certificate(certificate.data);
    callback(fingerprint256 === pinned() ? ACCEPTED : REFUSED);
  });
}

/** Lets nothing onto the network but what goes to the host; status pages and pictures in a page need none. */
function refuseRequests(pages: Session, isOurs: (url: string) => boolean): void {
  pages.webRequest.onBeforeRequest(({ url }, callback) => {
    callback({ cancel: !isOurs(url) && !/^(data|blob):/.test(url) });
  });
}

/**
 * Refuses what a page may ask the operating system for: camera, position, notifications, screens, devices. Text is all
 * that a page of ours may put on the clipboard, when somebody clicks; no browser asks about that.
 */
function refuseDevices(pages: Session, isOurs: (url: string) => boolean): void {
  const isCopying = (permission: string, url: string): boolean =>
    permission === 'clipboard-sanitized-write' && isOurs(url);
  pages.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) =>
    answer(isCopying(permission, requestingUrl)),
  );
  pages.setPermissionCheckHandler((_contents, permission, origin) => isCopying(permission, origin));
  pages.setDevicePermissionHandler(() => false);
  pages.setDisplayMediaRequestHandler((_request, answer) => answer(null));
  pages.setBluetoothPairingHandler((_details, answer) => answer({ confirmed: false }));
  pages.on('select-hid-device', (event, _details, choose) => {
    event.preventDefault();
    choose(null);
  });
  pages.on('select-serial-port', (event, _ports, _contents, choose) => {
    event.preventDefault();
    choose('');
  });
  pages.on('select-usb-device', (event, _details, choose) => {
    event.preventDefault();
    choose();
  });
}

function refuseDownloads(pages: Session, maySave: (url: string) => boolean): void {
  pages.on('will-download', (event, item) => {
    if (!maySave(item.getURL())) event.preventDefault();
  });
}

/** Answers no server that asks who this computer or its user is, and overlooks no faulty certificate. */
function refuseIdentities(): void {
  app.on('certificate-error', (event, _contents, _url, _error, _certificate, trust) => {
    event.preventDefault();
    trust(false);
  });
  app.on('login', (event, _contents, _details, _info, answer) => {
    event.preventDefault();
    answer();
  });
  app.on('select-client-certificate', (event, _contents, _url, _certificates, choose) => {
    event.preventDefault();
    choose();
  });
}

/** Keeps a page on the host's origin and in its window; a file dropped on it would be a navigation. */
function keepIn(contents: WebContents, isOurs: (url: string) => boolean): void {
  const stay = (event: { readonly url: string; preventDefault(): void }): void => {
    if (!isOurs(event.url)) event.preventDefault();
  };
  // Of frames within the page and of the page itself, which then has no 'will-navigate' any more.
  contents.on('will-frame-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.on('select-bluetooth-device', (event, _devices, choose) => {
    event.preventDefault();
    choose('');
  });
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
}

/** That of the page whose socket it is, for a WebSocket; null for what is no address. */
function originOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url.replace(/^wss:/i, 'https:')).origin : null;
}
