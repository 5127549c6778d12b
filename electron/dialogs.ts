/** What is said outside the window: that the host cannot start, and how to sign in for the first time. */
import { app, clipboard, dialog } from 'electron';
import { reportFailure } from '../server/cli/output.ts';
import { messageOf } from '../server/errors.ts';
import type { Host } from '../server/host.ts';
import { text } from './text.ts';

/** Tells why there is no host, in a dialog and as `serve` does, and ends the app. */
export async function endWithFailure(error: unknown): Promise<void> {
  const exitCode = reportFailure(error);
  await app.whenReady();
  dialog.showErrorBox(text().cannotStart, messageOf(error));
  app.exit(exitCode);
}

/** Shows what a first start has made: started from an icon, nobody sees what the host prints. */
export async function showFirstSignIn({ firstRun: { administrator } }: Host): Promise<void> {
  if (administrator === null) return;
  const { firstSignIn, username, secret, shownOnce, copy, done } = text();
  const { response } = await dialog.showMessageBox({
    type: 'info',
    message: firstSignIn,
    detail: `${username} ${administrator.username}\n${secret} ${administrator.oneTimeSecret}\n\n${shownOnce}`,
    buttons: [copy, done],
    defaultId: 1,
    cancelId: 1,
  });
  if (response === 0) clipboard.writeText(administrator.oneTimeSecret);
}
