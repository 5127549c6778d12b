/** Following one app's current user, without the blink between one user and the next. */
import type { Bus } from '../events.ts';
import type { Session } from './session.ts';

/** Calls back with the app's session after every change, null for nobody, until the returned function is called. */
export function onCurrentUser(
  bus: Bus,
  appId: string,
  listener: (session: Session | null) => void,
): () => void {
  const stops = [
    bus.on('SessionOpened', ({ session }) => {
      if (session.app?.id === appId) listener(session);
    }),
    bus.on('SessionEnded', ({ session, successor }) => {
      // With a successor nobody was ever absent: its own opening follows at once.
      if (session.app?.id === appId && successor === null) listener(null);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
