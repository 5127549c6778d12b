/** The apps beside this screen's own. */
import type { OverviewMessage, SessionView } from '../../server/http/contract.ts';

export function otherApps(overview: OverviewMessage | null, { app }: SessionView): OverviewMessage['apps'] {
  return (overview?.apps ?? []).filter(({ id }) => id !== app?.id);
}
