/** Administration of a running host, through its API. */
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Control } from '../control.ts';
import { KeyswitchError, messageOf, type ErrorCode } from '../errors.ts';
import type { ProblemView } from '../http/contract.ts';
import type { Administration } from './administration.ts';

const TIMEOUT_MS = 30_000;
/** A large database, a slow share. */
const BACKUP_TIMEOUT_MS = 3_600_000;

export function administrationOf(control: Control): Administration {
  const call = <Result>(method: string, path: string, body?: unknown, timeoutMs?: number): Promise<Result> =>
    send(control, method, path, body, timeoutMs) as Promise<Result>;
  return {
    firstRun: (options) => call('POST', '/api/v1/first-run', options),
    addUser: (input) => call('POST', '/api/v1/users', input),
    listUsers: () => call('GET', '/api/v1/users'),
    resetPassword: (userName) => call('POST', `/api/v1/users/${encodeURIComponent(userName)}/password-reset`),
    unlock: (userName) => call('POST', `/api/v1/users/${encodeURIComponent(userName)}/unlock`),
    addEmergency: (input) => call('POST', '/api/v1/emergency', input),
    sealEmergency: (userName) => call('POST', `/api/v1/emergency/${encodeURIComponent(userName)}/seal`),
    listEmergencies: () => call('GET', '/api/v1/emergency'),
    addBadge: (input) => call('POST', '/api/v1/badges', input),
    listBadges: () => call('GET', '/api/v1/badges'),
    revokeBadge: (id) => call('DELETE', `/api/v1/badges/${encodeURIComponent(id)}`),
    addApp: (input) => call('POST', '/api/v1/apps', input),
    changeApp: (id, input) => call('PATCH', `/api/v1/apps/${id}`, input),
    listApps: () => call('GET', '/api/v1/apps'),
    grant: (appId, userName, data) =>
      call('PUT', `/api/v1/apps/${appId}/users/${encodeURIComponent(userName)}`, { data }),
    addLink: (input) => call('POST', '/api/v1/links', input),
    changeLink: (id, input) => call('PUT', `/api/v1/links/${id}`, input),
    removeLink: (id) => call('DELETE', `/api/v1/links/${id}`),
    testLink: (input) => call('POST', '/api/v1/links/test', input),
    listLinks: () => call('GET', '/api/v1/links'),
    archiveAudit: () => call('POST', '/api/v1/audit/archive'),
    makeBackup: () => call('POST', '/api/v1/backups', undefined, BACKUP_TIMEOUT_MS),
    backupStatus: () => call('GET', '/api/v1/backups'),
  };
}

function send(
  control: Control,
  method: string,
  path: string,
  body: unknown,
  timeoutMs = TIMEOUT_MS,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const outgoing = request(
    new URL(path, control.url),
    {
      method,
      timeout: timeoutMs,
      headers: {
        Authorization: `Bearer ${control.key}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      // Trust is this one certificate, so the name in it does not matter: a site's own names the LAN, not loopback.
      ca: control.trust,
      allowPartialTrustChain: true,
      checkServerIdentity: () => undefined,
    },
    (response) => {
      read(response).then(resolve, (error: unknown) => {
        reject(error instanceof KeyswitchError ? error : unreachable(control, error));
      });
    },
  );
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
  outgoing.on('error', (error) => reject(unreachable(control, error)));
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

async function read(response: IncomingMessage): Promise<unknown> {
  const text = Buffer.concat(await response.toArray()).toString('utf8');
  const answer: unknown = text === '' ? undefined : JSON.parse(text);
  if ((response.statusCode ?? 500) >= 400) throw fromProblem(answer as ProblemView);
  return answer;
}

function unreachable({ url }: Control, cause: unknown): KeyswitchError {
  const text = `A Keyswitch holds the data folder, but does not answer at ${url} (${messageOf(cause)}).`;
  return new KeyswitchError('host-unreachable', text, { cause });
}

function fromProblem({ code, detail, faults }: ProblemView): KeyswitchError {
  return new KeyswitchError(code as ErrorCode, detail, { faults: faults ?? [] });
}
