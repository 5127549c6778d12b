/** The names of backups: `keyswitch-<station>-<installation>-20261122T143000123Z.db`, in UTC, so that they sort by time. */

export interface BackupNames {
  fileOf(at: number): string;
  /** When it was begun, milliseconds since the epoch; null for a file that is no backup of this installation. */
  timeOf(file: string): number | null;
  draftOf(file: string): string;
  isDraft(file: string): boolean;
}

const DRAFT = '.new';
const STAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.db$/;

/** What is before the time. The station is for people; `id` tells stations of one name apart. */
export function prefixOf(station: string, id: string): string {
  return `keyswitch-${station.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${id}-`;
}

export function namesOf(prefix: string): BackupNames {
  function timeOf(file: string): number | null {
    if (!file.startsWith(prefix)) return null;
    const [stamp, year, month, day, hour, minute, second, ms] = STAMP.exec(file.slice(prefix.length)) ?? [];
    return stamp === undefined
      ? null
      : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
  }
  return {
    fileOf: (at) => `${prefix}${new Date(at).toISOString().replaceAll(/[-:.]/g, '')}.db`,
    timeOf,
    draftOf: (file) => `${file}${DRAFT}`,
    isDraft: (file) => file.endsWith(DRAFT) && timeOf(file.slice(0, -DRAFT.length)) !== null,
  };
}
