/** The station: the app that this PC is, whoever is at its controls, and their way out. */
import type { App } from '../server/apps/app.ts';
import type { Actor } from '../server/audit/audit.ts';
import type { Host } from '../server/host.ts';
import type { Log } from '../server/ports/log.ts';
import type { EndReason, Session } from '../server/sessions/session.ts';
import type { EndDetail } from '../server/sessions/sessions.ts';

/** Whoever stands at the station: nobody is asked for a password to end a session. */
export const ANYONE: Actor = { name: 'anonymous', door: 'desktop', address: null };

export interface Station {
  readonly app: App;
  /** Of the user at the controls; null where nobody is. */
  session(): Session | null;
  /** Whether the user at the controls may leave the full screen and quit the desktop. */
  isAdministrator(): boolean;
  /** Ends the session, if there is one; a failure is logged, for nobody waits for it. */
  end(reason: EndReason, by?: Actor, detail?: EndDetail): void;
  /** Tells the present session at once, then every change of it. */
  follow(listener: (session: Session | null) => void): void;
}

export function createStation(
  { features: { apps, appStates, sessions } }: Pick<Host, 'features'>,
  log: Log,
): Station {
  const app = apps.station();
  if (app === null) throw new Error('the host has no app for its station');
  const session = (): Session | null => sessions.ofApp(app.id);
  return {
    app,
    session,
    isAdministrator: () => session()?.user.type === 'Admin',
    end(reason, by = ANYONE, detail) {
      sessions
        .endAtApp(app.id, reason, by, detail)
        .catch((err: unknown) => log.error({ err, reason }, 'the session at the station could not be ended'));
    },
    follow: (listener) => void appStates.follow(app.id, (state) => listener(state.session)),
  };
}
