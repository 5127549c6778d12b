/** What is said outside the windows: how to sign in for the first time. */
import { clipboard, dialog } from 'electron';
import type { Host } from '../server/host.ts';
import { text } from './text.ts';

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
