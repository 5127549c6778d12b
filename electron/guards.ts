/** What no page in this app may do, whatever it holds: Electron's security list, items 5 and 11 to 15. */
import { X509Certificate } from 'node:crypto';
import { app, session } from 'electron';
import type { Host } from '../server/host.ts';

/** The results that `setCertificateVerifyProc` knows, beside net error codes. */
const ACCEPTED = 0;
const REFUSED = -2;

/** Lets the windows talk to the very certificate that the host shows at present, and to nothing else. */
export function setupPinnedCertificate({ tls }: Host): void {
  session.defaultSession.setCertificateVerifyProc(({ certificate }, callback) => {
    const { fingerprint256 } = new X509Certificate(certificate.data);
    callback(fingerprint256 === tls.fingerprint256() ? ACCEPTED : REFUSED);
  });
}

/** Refuses what a page may ask the operating system for: camera, position, notifications and the like. */
export function setupNoPermissions(): void {
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  session.defaultSession.setPermissionCheckHandler(() => false);
}

/** Keeps every page on the host's origin and in its one window. */
export function setupNoWayOut({ url }: Host): void {
  const { origin } = new URL(url);
  app.on('web-contents-created', (_event, contents) => {
    const stayHere = (event: { readonly url: string; preventDefault(): void }): void => {
      if (!URL.canParse(event.url) || new URL(event.url).origin !== origin) event.preventDefault();
    };
    contents.on('will-navigate', stayHere);
    contents.on('will-redirect', stayHere);
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}
