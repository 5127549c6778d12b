/** Which rows of a long table are drawn: those that are seen, and a few around them. */

/** Drawn above and below what is seen, so that scrolling shows no gap. */
const MARGIN_ROWS = 12;

export interface RowWindow {
  /** The first row that is drawn, and the first that is not. */
  readonly start: number;
  readonly end: number;
}

/** All lengths in pixels. */
export function rowWindow(
  rowHeight: number,
  rowCount: number,
  scrollTop: number,
  viewHeight: number,
): RowWindow {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight);
  const start = Math.max(0, Math.min(first, rowCount) - MARGIN_ROWS);
  const end = Math.min(rowCount, first + Math.ceil(viewHeight / rowHeight) + 1 + MARGIN_ROWS);
  return { start, end: Math.max(start, end) };
}

/** Where to scroll so that row `index` is seen whole; as little as that takes. */
export function scrollToShow(
  rowHeight: number,
  index: number,
  scrollTop: number,
  viewHeight: number,
): number {
  const top = index * rowHeight;
  return Math.max(0, Math.min(top, Math.max(scrollTop, top + rowHeight - viewHeight)));
}

/** The row that a key leads to; null for a key that leads nowhere. */
export function rowAfterKey(key: string, index: number, rowCount: number, pageRows: number): number | null {
  if (rowCount === 0) return null;
  const to = {
    ArrowDown: index + 1,
    ArrowUp: index < 0 ? rowCount - 1 : index - 1,
    PageDown: index + pageRows,
    PageUp: index - pageRows,
    Home: 0,
    End: rowCount - 1,
  }[key];
  return to === undefined ? null : Math.max(0, Math.min(rowCount - 1, to));
}
