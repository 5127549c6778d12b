/** Failures that nobody has caught: Electron would halt the process, and the host in it, behind a box until somebody closes that. */

/** Has them told, and goes on. */
export function onFault(tell: (error: unknown) => void): void {
  process.on('uncaughtException', tell);
  process.on('unhandledRejection', tell);
}

/** Lets whoever reads what is printed go away: to say so there would fail again, and again. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
