/** What the desktop itself says, outside its pages: in the tray and in dialogs. */
import { app } from 'electron';

const ENGLISH = {
  nobody: 'Nobody is signed in',
  signOut: 'Sign out',
  open: 'Open Keyswitch',
  quit: 'Quit',
  cannotStart: 'Keyswitch cannot start',
  firstSignIn: 'The first sign-in',
  username: 'User name:',
  secret: 'One-time secret:',
  shownOnce: 'It is shown this once and asks for a password of your own.',
  copy: 'Copy the secret',
  done: 'Done',
};

const GERMAN: typeof ENGLISH = {
  nobody: 'Niemand ist angemeldet',
  signOut: 'Abmelden',
  open: 'Keyswitch öffnen',
  quit: 'Beenden',
  cannotStart: 'Keyswitch kann nicht starten',
  firstSignIn: 'Die erste Anmeldung',
  username: 'Benutzername:',
  secret: 'Einmalgeheimnis:',
  shownOnce: 'Es wird nur dieses eine Mal gezeigt und verlangt danach ein eigenes Passwort.',
  copy: 'Geheimnis kopieren',
  done: 'Fertig',
};

export type Text = typeof ENGLISH;

/** The texts in the operating system's language; English where we have none. Only once the app is ready. */
export function text(): Text {
  return /^de\b/.test(app.getLocale()) ? GERMAN : ENGLISH;
}
