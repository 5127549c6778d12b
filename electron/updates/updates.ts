/** Updates: looks for releases, stages what is newer, and installs it when nobody is in the way, or an administrator asks. */
import type { KeyObject } from 'node:crypto';
import { isKeyswitchError, KeyswitchError, messageOf } from '../../server/errors.ts';
import type { Host } from '../../server/host.ts';
import type { CancelTimer, Clock } from '../../server/ports/clock.ts';
import type { Log } from '../../server/ports/log.ts';
import type { Random } from '../../server/ports/random.ts';
import type { Station } from '../station.ts';
import type { Installer } from './installer.ts';
import { artefactOf, checkSignature, readManifest } from './manifest.ts';
import { readWhole } from './source.ts';
import { clear, isWhole, stage, type StagingNeeds } from './staging.ts';
import { IDLE, next, wayFor, type UpdateEvent, type UpdateState } from './update-state.ts';

export interface Updates {
  state(): UpdateState;
  /** Whether what is staged could be installed now, if an administrator at the station asked. */
  mayBeAsked(): boolean;
  /** Does nothing where it may not be. */
  install(): void;
  /** Tells the present state at once, then every change of it. */
  follow(listener: (state: UpdateState) => void): void;
}

/** For a desktop that has no source of updates, or cannot be updated. */
export const NO_UPDATES: Updates = {
  state: () => IDLE,
  mayBeAsked: () => false,
  install: () => {},
  follow: () => {},
};

export interface UpdatesNeeds extends StagingNeeds {
  readonly host: Pick<Host, 'features'>;
  readonly station: Pick<Station, 'app' | 'isAdministrator'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly installer: Installer;
  /** Of releases. */
  readonly key: KeyObject;
  /** Of this program. */
  readonly version: string;
  /** Ends this process in order, and has the new version started where the installer does not. */
  leave(): void;
}

const LOOK_MS = 6 * 3_600_000;
/** Many stations that were started by the same switch do not ask at the same time ever after. */
const JITTER_MS = 3_600_000;
/** Long enough to sign in, which puts it off. */
export const COUNTDOWN_MS = 30_000;
const MOST_MANIFEST_BYTES = 65_536;
const MOST_SIGNATURE_BYTES = 1024;

export function startUpdates(
  needs: UpdatesNeeds,
  { updateWhileSignedIn }: { readonly updateWhileSignedIn: boolean },
): Updates {
  const { host, station, clock, log, installer, version: own } = needs;
  const { bus, sessions } = host.features;
  const listeners = new Set<(state: UpdateState) => void>();
  let state = IDLE;
  let stopCounting: CancelTimer = () => {};

  const way = (): ReturnType<typeof wayFor> => wayFor(sessions.list(), station.app.id, updateWhileSignedIn);

  function step(event: UpdateEvent): void {
    const former = state;
    state = next(next(state, event), { type: 'way', isClear: way().byItself });
    if (state === former) return;
    if (former.doing !== state.doing) turnTo(state.doing);
    for (const listener of listeners) listener(state);
  }

  function turnTo(doing: UpdateState['doing']): void {
    stopCounting();
    if (doing === 'counting') stopCounting = clock.after(COUNTDOWN_MS, () => step({ type: 'counted-down' }));
    if (doing === 'looking') void attempt(look);
    if (doing === 'installing') void attempt(install);
    if (doing === 'leaving') needs.leave();
  }

  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const code = isKeyswitchError(error) ? error.code : 'internal';
      log.warn({ code, reason: messageOf(error) }, 'no update');
      step({ type: 'failed', code });
    }
  }

  async function look(): Promise<void> {
    const bytes = await readWhole(needs.source, installer.manifest, MOST_MANIFEST_BYTES);
    const signature = await readWhole(needs.source, `${installer.manifest}.sig`, MOST_SIGNATURE_BYTES);
    checkSignature(bytes, signature, needs.key);
    const manifest = readManifest(bytes);
    const { version } = manifest;
    step({ type: 'found', version, own });
    if (state.doing !== 'staging') return state.staged === null ? clear(needs.folder) : undefined;
    const artefact = artefactOf(manifest, installer.nameOf(version));
    const file = await stage(artefact, needs);
    log.info({ version, file }, 'an update is staged');
    step({ type: 'staged', staged: { version, artefact, file } });
  }

  async function install(): Promise<void> {
    const { staged } = state;
    if (staged === null) return;
    const { version, file, artefact } = staged;
    log.info({ version }, 'an update is being installed');
    if (!(await isWhole(file, artefact))) throw new KeyswitchError('update-mismatch');
    await installer.install(file);
    log.info({ version }, 'an update is installed');
    step({ type: 'installed' });
  }

  function lookAgain(): void {
    const jitterMs = (needs.random.bytes(2).readUInt16BE() / 0xffff) * JITTER_MS;
    clock.after(LOOK_MS + jitterMs, () => {
      step({ type: 'look' });
      lookAgain();
    });
  }

  const consider = (): void => step({ type: 'way', isClear: way().byItself });
  bus.on('SessionOpened', consider);
  bus.on('SessionEnded', ({ successor }) => void (successor === null && consider()));
  step({ type: 'look' });
  lookAgain();
  return {
    state: () => state,
    mayBeAsked: () => way().asked,
    install: () => void (station.isAdministrator() && way().asked && step({ type: 'asked' })),
    follow(listener) {
      listeners.add(listener);
      listener(state);
    },
  };
}
