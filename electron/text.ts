/** What the desktop itself says, outside its pages: in the tray, in dialogs, in notifications and on status pages. */
import { app } from 'electron';

const ENGLISH = {
  language: 'en',
  nobody: 'Nobody is signed in',
  signOut: 'Sign out',
  open: 'Open Keyswitch',
  quit: 'Quit',
  tray: {
    signedIn: (user: string, left: string) => `${user}, ${left}`,
    minutesLeft: (minutes: number) => `${minutes} min left`,
    hoursLeft: (hours: number, minutes: number) => `${hours} h ${minutes} min left`,
    emergency: (place: string, time: string) => `Emergency access in use: ${place}, since ${time}`,
    lock: 'Lock',
    switchUser: 'Switch user',
    apps: (used: number, all: number) => `Apps: ${used} of ${all} in use`,
    atApp: (app: string, who: string) => `${app}: ${who}`,
    nobody: 'nobody',
    signOutAll: 'Sign out everywhere',
    linksWell: (all: number) => `PLC links: ${all}, no trouble`,
    linksTroubled: (troubled: number, all: number) => `PLC links: ${troubled} of ${all} in trouble`,
    link: (name: string, state: string) => `${name}: ${state}`,
    bar: 'Compact bar',
    installUpdate: (version: string) => `Install version ${version}`,
    updateWaits: (version: string) => `Version ${version} waits until nobody is signed in`,
    updating: (version: string) => `Version ${version} is being installed`,
  },
  linkStates: {
    idle: 'Idle',
    connecting: 'Connecting',
    online: 'Online',
    degraded: 'Degraded',
    'backing-off': 'Unreachable',
  },
  notices: {
    ending: 'Signed out in 2 minutes',
    endingWhy: (user: string) => `The time of ${user} is up then. Signing in again gives it anew.`,
    emergency: 'Emergency access in use',
    linkLost: 'PLC link in trouble',
    linksLost: (count: number) => `${count} PLC links in trouble`,
    linkBack: 'PLC link is back',
    linksBack: (count: number) => `${count} PLC links are back`,
    more: (count: number) => `and ${count} more`,
    storageLow: 'The disk is filling up',
    storageLowWhy: (free: string) => `${free} MiB are free. Please tell an administrator.`,
    storageFull: 'The disk is full',
    storageFullWhy: 'Nobody new is signed in until there is room; emergency access goes on.',
    copyFailing: 'The audit trail is not copied',
    copyFailingWhy: (behind: number) =>
      `Entries that wait: ${behind}. They are copied as soon as it works again.`,
    copyBack: 'The audit trail is copied again',
    trailBroken: 'The audit trail has been changed',
    trailBrokenWhy: 'An entry is not as it was written. Please tell an administrator.',
    backupFailed: 'The database could not be backed up',
    backupFailedWhy: {
      'folder-missing': 'The folder for backups is not there. Please tell an administrator.',
      'no-rights': 'Keyswitch may not write in the folder for backups. Please tell an administrator.',
      'no-room': 'There is no room in the folder for backups. Please tell an administrator.',
      damaged: 'The database, or the copy of it, is damaged. Please tell an administrator at once.',
      'too-slow': 'The folder for backups does not answer. Please tell an administrator.',
      other: 'The log says more. Please tell an administrator.',
    },
    updateReady: (version: string) => `Version ${version} of Keyswitch is ready`,
    updateReadyWhy: 'It is installed when nobody is signed in.',
    updateSoon: (version: string, sec: number) => `Version ${version} will be installed in ${sec} seconds`,
    updateSoonWhy: 'Keyswitch starts anew for it. Whoever signs in before that puts it off.',
    updateSoonAllowedWhy: 'Keyswitch starts anew for it. Whoever is signed in stays signed in.',
    updateFailed: 'Updates of Keyswitch do not work',
    updateRefused: (version: string) => `Version ${version} was not installed`,
    updateRefusedWhy:
      'Keyswitch goes on as before. An administrator can install it from the icon of Keyswitch.',
  },
  /** By the code of the failure; `internal` for all that are not named. */
  noUpdate: {
    'update-unreachable': 'The folder or server that holds them cannot be read.',
    'update-unsigned': 'What lies there is not signed by the maker of this program.',
    'update-invalid': 'What lies there is not made for this computer.',
    'update-mismatch': 'The installer is not the one that was signed.',
    'update-not-staged': 'The installer could not be kept: perhaps the disk is full.',
    internal: 'The log says more.',
  },
  starting: 'Keyswitch is starting',
  details: 'Details',
  ways: { 'try-again': 'Try again', quit: 'Quit' },
  pageFailed: {
    title: 'The page cannot be shown',
    advice: [
      'Keyswitch itself goes on: whoever is signed in stays signed in.',
      'The page is loaded again by itself in a moment.',
    ],
  },
  /** By the code of the failure; `internal` for all that are not named. */
  cannotStart: {
    'port-in-use': {
      title: 'The port is in use',
      advice: [
        'Another program on this computer listens where Keyswitch wants to.',
        'Stop that program and try again, or set another port: http.port in keyswitch.yaml.',
      ],
    },
    'address-unavailable': {
      title: 'The network address is not there',
      advice: [
        'Keyswitch is to listen on an address that this computer does not have at present.',
        'Look whether the network is connected and try again, or set http.host in keyswitch.yaml.',
      ],
    },
    'data-folder-in-use': {
      title: 'Another Keyswitch runs on this data folder',
      advice: [
        'It may be a service of this computer, or the desktop of another user who is signed in to it.',
        'Stop it and try again. Never delete files of the folder to get past this page.',
      ],
    },
    'data-folder-unusable': {
      title: 'The data folder cannot be used',
      advice: [
        'Look whether its drive is connected and has room, and whether this account may write there.',
        'Then try again. Nothing has been changed.',
      ],
    },
    'store-corrupt': {
      title: 'The database is damaged',
      advice: [
        'It was left as it was found. Copy the data folder before anything else is done to it.',
        'Then restore a backup, and try again.',
      ],
    },
    'store-newer': {
      title: 'The database belongs to a newer Keyswitch',
      advice: [
        'It was left as it was found. Install the newer version again, or restore a backup of this one.',
      ],
    },
    'config-invalid': {
      title: 'The settings have a fault',
      advice: ['Mend what is listed, in keyswitch.yaml or on the command line, and try again.'],
    },
    'secrets-invalid': {
      title: 'The secrets cannot be read',
      advice: ['Mend the line named in keyswitch.env, or put back the copy that you keep, and try again.'],
    },
    'secrets-sealed': {
      title: 'The secrets are sealed for somebody else',
      advice: [
        'keyswitch.env was sealed by another account or on another computer, and can be opened only there.',
        'Start Keyswitch under that account, or put back the plain copy that you keep.',
      ],
    },
    'certificate-unusable': {
      title: 'The certificate cannot be used',
      advice: ['Put the certificate and its key where keyswitch.yaml names them, and try again.'],
    },
    internal: {
      title: 'Keyswitch cannot start',
      advice: ['Try again. If that does not help, send the log to whoever looks after Keyswitch.'],
    },
  },
  firstSignIn: 'The first sign-in',
  username: 'User name:',
  secret: 'One-time secret:',
  shownOnce: 'It is shown this once and asks for a password of your own.',
  copy: 'Copy the secret',
  done: 'Done',
};

const GERMAN: typeof ENGLISH = {
  language: 'de',
  nobody: 'Niemand ist angemeldet',
  signOut: 'Abmelden',
  open: 'Keyswitch öffnen',
  quit: 'Beenden',
  tray: {
    signedIn: (user, left) => `${user}, ${left}`,
    minutesLeft: (minutes) => `noch ${minutes} min`,
    hoursLeft: (hours, minutes) => `noch ${hours} h ${minutes} min`,
    emergency: (place, time) => `Notfallzugang in Benutzung: ${place}, seit ${time}`,
    lock: 'Sperren',
    switchUser: 'Benutzer wechseln',
    apps: (used, all) => `Apps: ${used} von ${all} in Benutzung`,
    atApp: (app, who) => `${app}: ${who}`,
    nobody: 'niemand',
    signOutAll: 'Überall abmelden',
    linksWell: (all) => `SPS-Kopplungen: ${all}, ohne Störung`,
    linksTroubled: (troubled, all) => `SPS-Kopplungen: ${troubled} von ${all} gestört`,
    link: (name, state) => `${name}: ${state}`,
    bar: 'Kompakte Leiste',
    installUpdate: (version) => `Version ${version} installieren`,
    updateWaits: (version) => `Version ${version} wartet, bis niemand angemeldet ist`,
    updating: (version) => `Version ${version} wird installiert`,
  },
  linkStates: {
    idle: 'Ruht',
    connecting: 'Verbindet',
    online: 'Online',
    degraded: 'Eingeschränkt',
    'backing-off': 'Nicht erreichbar',
  },
  notices: {
    ending: 'Abmeldung in 2 Minuten',
    endingWhy: (user) =>
      `Dann ist die Zeit von ${user} um. Wer sich erneut anmeldet, hat wieder die volle Zeit.`,
    emergency: 'Notfallzugang in Benutzung',
    linkLost: 'SPS-Kopplung gestört',
    linksLost: (count) => `${count} SPS-Kopplungen gestört`,
    linkBack: 'SPS-Kopplung wieder in Ordnung',
    linksBack: (count) => `${count} SPS-Kopplungen wieder in Ordnung`,
    more: (count) => `und ${count} weitere`,
    storageLow: 'Der Datenträger wird voll',
    storageLowWhy: (free) => `${free} MiB sind frei. Bitte den Administrator verständigen.`,
    storageFull: 'Der Datenträger ist voll',
    storageFullWhy:
      'Neue Anmeldungen sind erst wieder möglich, wenn Platz ist; der Notfallzugang funktioniert weiterhin.',
    copyFailing: 'Das Protokoll wird nicht kopiert',
    copyFailingWhy: (behind) => `Wartende Einträge: ${behind}. Sie werden kopiert, sobald es wieder geht.`,
    copyBack: 'Das Protokoll wird wieder kopiert',
    trailBroken: 'Das Protokoll wurde verändert',
    trailBrokenWhy:
      'Ein Eintrag ist nicht mehr, wie er geschrieben wurde. Bitte den Administrator verständigen.',
    backupFailed: 'Die Datenbank konnte nicht gesichert werden',
    backupFailedWhy: {
      'folder-missing': 'Der Ordner für Sicherungen ist nicht da. Bitte den Administrator verständigen.',
      'no-rights':
        'Keyswitch darf im Ordner für Sicherungen nicht schreiben. Bitte den Administrator verständigen.',
      'no-room': 'Im Ordner für Sicherungen ist kein Platz. Bitte den Administrator verständigen.',
      damaged: 'Die Datenbank oder ihre Kopie ist beschädigt. Bitte sofort den Administrator verständigen.',
      'too-slow': 'Der Ordner für Sicherungen antwortet nicht. Bitte den Administrator verständigen.',
      other: 'Mehr steht im Log. Bitte den Administrator verständigen.',
    },
    updateReady: (version) => `Version ${version} von Keyswitch liegt bereit`,
    updateReadyWhy: 'Sie wird installiert, sobald niemand angemeldet ist.',
    updateSoon: (version, sec) => `Version ${version} wird in ${sec} Sekunden installiert`,
    updateSoonWhy: 'Keyswitch startet dafür neu. Wer sich vorher anmeldet, schiebt das auf.',
    updateSoonAllowedWhy: 'Keyswitch startet dafür neu. Wer angemeldet ist, bleibt es.',
    updateFailed: 'Keyswitch lässt sich nicht aktualisieren',
    updateRefused: (version) => `Version ${version} wurde nicht installiert`,
    updateRefusedWhy:
      'Keyswitch läuft weiter wie bisher. Ein Administrator kann sie über das Keyswitch-Symbol installieren.',
  },
  noUpdate: {
    'update-unreachable': 'Der Ordner oder Server, auf dem die Aktualisierungen liegen, ist nicht lesbar.',
    'update-unsigned': 'Was dort liegt, ist nicht vom Hersteller dieses Programms unterschrieben.',
    'update-invalid': 'Was dort liegt, ist nicht für diesen Rechner gemacht.',
    'update-mismatch': 'Das Installationsprogramm ist nicht das, das unterschrieben wurde.',
    'update-not-staged':
      'Das Installationsprogramm ließ sich nicht ablegen. Vielleicht ist der Datenträger voll.',
    internal: 'Mehr steht im Protokoll des Programms.',
  },
  starting: 'Keyswitch startet',
  details: 'Einzelheiten (englisch)',
  ways: { 'try-again': 'Erneut versuchen', quit: 'Beenden' },
  pageFailed: {
    title: 'Die Seite kann nicht angezeigt werden',
    advice: [
      'Keyswitch selbst läuft weiter: Wer angemeldet ist, bleibt angemeldet.',
      'Die Seite wird gleich von selbst neu geladen.',
    ],
  },
  cannotStart: {
    'port-in-use': {
      title: 'Der Port ist belegt',
      advice: [
        'Ein anderes Programm auf diesem Rechner benutzt den Port, den Keyswitch braucht.',
        'Beenden Sie dieses Programm und versuchen Sie es erneut, oder stellen Sie in keyswitch.yaml unter http.port einen anderen ein.',
      ],
    },
    'address-unavailable': {
      title: 'Die Netzwerkadresse fehlt',
      advice: [
        'Keyswitch soll unter einer Adresse erreichbar sein, die dieser Rechner zurzeit nicht hat.',
        'Prüfen Sie die Netzwerkverbindung und versuchen Sie es erneut, oder ändern Sie http.host in keyswitch.yaml.',
      ],
    },
    'data-folder-in-use': {
      title: 'Ein anderes Keyswitch benutzt diesen Datenordner',
      advice: [
        'Es kann ein Dienst dieses Rechners sein oder das Keyswitch eines anderen, hier angemeldeten Benutzers.',
        'Beenden Sie es und versuchen Sie es erneut. Löschen Sie keinesfalls Dateien des Ordners, um weiterzukommen.',
      ],
    },
    'data-folder-unusable': {
      title: 'Der Datenordner ist nicht benutzbar',
      advice: [
        'Prüfen Sie, ob sein Laufwerk verbunden ist, ob darauf Platz ist und ob dieses Benutzerkonto dort schreiben darf.',
        'Versuchen Sie es dann erneut. Es wurde nichts verändert.',
      ],
    },
    'store-corrupt': {
      title: 'Die Datenbank ist beschädigt',
      advice: [
        'Sie wurde nicht angerührt. Kopieren Sie den Datenordner, bevor Sie irgendetwas daran ändern.',
        'Spielen Sie danach eine Sicherung zurück und versuchen Sie es erneut.',
      ],
    },
    'store-newer': {
      title: 'Die Datenbank gehört zu einem neueren Keyswitch',
      advice: [
        'Sie wurde nicht angerührt. Installieren Sie wieder die neuere Version, oder spielen Sie eine Sicherung aus dieser zurück.',
      ],
    },
    'config-invalid': {
      title: 'Die Einstellungen sind fehlerhaft',
      advice: [
        'Berichtigen Sie in keyswitch.yaml oder auf der Befehlszeile, was hier aufgeführt ist, und versuchen Sie es erneut.',
      ],
    },
    'secrets-invalid': {
      title: 'Die Geheimnisse sind nicht lesbar',
      advice: [
        'Berichtigen Sie die genannte Zeile in keyswitch.env, oder legen Sie Ihre aufbewahrte Kopie zurück, und versuchen Sie es erneut.',
      ],
    },
    'secrets-sealed': {
      title: 'Die Geheimnisse sind für jemand anderen versiegelt',
      advice: [
        'keyswitch.env wurde unter einem anderen Benutzerkonto oder auf einem anderen Rechner versiegelt und lässt sich nur dort öffnen.',
        'Starten Sie Keyswitch unter jenem Konto, oder legen Sie Ihre aufbewahrte unversiegelte Kopie zurück.',
      ],
    },
    'certificate-unusable': {
      title: 'Das Zertifikat ist nicht benutzbar',
      advice: [
        'Legen Sie Zertifikat und Schlüssel dort ab, wo keyswitch.yaml sie nennt, und versuchen Sie es erneut.',
      ],
    },
    internal: {
      title: 'Keyswitch kann nicht starten',
      advice: [
        'Versuchen Sie es erneut. Hilft das nicht, geben Sie das Protokoll an die Stelle weiter, die Keyswitch betreut.',
      ],
    },
  },
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
