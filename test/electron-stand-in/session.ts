/** `session`: what the app lets its pages reach and ask for. */
import type { X509Certificate } from 'node:crypto';
import type { Request, Session } from 'electron';
import { modelled } from './modelled.ts';

/** The app's own rules, for a test to ask. */
export const rules: {
  verify: Parameters<Session['setCertificateVerifyProc']>[0];
  mayAsk: Parameters<Session['setPermissionRequestHandler']>[0];
  mayUse: Parameters<Session['setPermissionCheckHandler']>[0];
} = { verify: null, mayAsk: null, mayUse: null };

export const session = modelled('session', {
  defaultSession: modelled('session.defaultSession', {
    setCertificateVerifyProc: (proc) => void (rules.verify = proc),
    setPermissionRequestHandler: (handler) => void (rules.mayAsk = handler),
    setPermissionCheckHandler: (handler) => void (rules.mayUse = handler),
  } satisfies Pick<
    Session,
    'setCertificateVerifyProc' | 'setPermissionRequestHandler' | 'setPermissionCheckHandler'
  >),
});

/** Asks the app's rule; without one, Chromium would refuse what the machine does not trust. */
export function mayTrust(hostname: string, certificate: X509Certificate): Promise<boolean> {
  const { verify } = rules;
  if (verify === null) return Promise.resolve(false);
  const request = { hostname, certificate: modelled('certificate', { data: certificate.toString() }) };
  return new Promise((resolve) => {
    verify(modelled('request', request) as Request, (result) => resolve(result === 0));
  });
}
