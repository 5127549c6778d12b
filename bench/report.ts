/** Renders what was measured: a table for people, with every missed target named, and JSON for machines. */
import { median, type Row, type Target } from './harness.ts';

export interface Judged extends Row {
  readonly value: number;
  /** To `against`: the median of the rounds' own ratios; where the difference is the target, the difference. */
  readonly ratio?: number;
  readonly difference?: number;
  readonly isReached?: boolean;
}

export function judge(row: Row): Judged {
  const { rounds, against, target } = row;
  const value = median(rounds);
  const others = against?.rounds ?? [];
  const difference = value - median(others);
  const ratio = median(rounds.map((figure, round) => figure / (others[round] ?? NaN)));
  const isReached = {
    times: (limit: number) => ratio >= limit,
    within: (limit: number) => ratio <= limit,
    below: (limit: number) => value < limit,
    beyond: (limit: number) => difference < limit,
  };
  return {
    ...row,
    value,
    ...(against !== undefined && (target?.kind === 'beyond' ? { difference } : { ratio })),
    ...(target !== undefined && { isReached: isReached[target.kind](target.limit) }),
  };
}

const HEADINGS = ['', 'MEDIAN', 'ROUNDS', 'AGAINST', 'RATIO', 'TARGET', ''] as const;

export function renderTable(rows: readonly Judged[]): string {
  const cells = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cellsOf(row: Judged): string[] {
  const { what, value, unit, rounds, against, ratio, difference, target, isReached } = row;
  return [
    what,
    figure(value, unit),
    rounds.length > 1 ? `${digits(Math.min(...rounds))} to ${digits(Math.max(...rounds))}` : '',
    against === undefined ? '' : `${figure(median(against.rounds), against.unit)} ${against.what}`,
    difference === undefined ? (ratio?.toPrecision(3) ?? '') : `${figure(difference, unit)} more`,
    target === undefined ? '' : targetText(target, unit),
    isReached === undefined ? '' : isReached ? 'reached' : 'MISSED',
  ];
}

function targetText({ kind, limit }: Target, unit: string): string {
  return {
    times: `ratio at least ${limit}`,
    within: `ratio at most ${limit}`,
    below: `below ${limit} ${unit}`,
    beyond: `less than ${limit} ${unit} more`,
  }[kind];
}

function figure(value: number, unit: string): string {
  return `${digits(value)}${unit.startsWith('/') ? '' : ' '}${unit}`.trim();
}

function digits(value: number): string {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}
