/** Listens to badge readers on a page: what they type reaches no field, no button and no form. */
import type { BadgeRulesView } from '../../server/http/contract.ts';
import type { Clock } from './ports.ts';
import { strokeOf, Wedge, type Scan } from './wedge.ts';

export interface BadgeListener {
  /** A number, or null where what a reader typed is none. */
  scanned(scan: Scan): void;
  /** Whether this page is the one to be heard; by default always. */
  wanted?(): boolean;
}

/** Listens until the function that it returns is called. */
export function listenToReaders(
  rules: BadgeRulesView,
  clock: Pick<Clock, 'after'>,
  { scanned, wanted = () => true }: BadgeListener,
): () => void {
  const wedge = new Wedge(rules);
  /** Puts back what a reader has typed into before it was known for one. */
  const putBack = new Map<Element, () => void>();
  const swallowed = new Set<string>();
  let cancelWait = (): void => {};

  function press(event: KeyboardEvent): void {
    if (!wanted()) return;
    const stroke = strokeOf(event);
    if (stroke === null) return;
    if (wedge.reads && wedge.isOver(event.timeStamp)) finish();
    const verdict = wedge.press(stroke, event.timeStamp);
    if (verdict === 'begin') putBack.clear();
    if (verdict === 'begin' || verdict === 'follow') remember(document.activeElement);
    // On a button a character does nothing, but a space presses it.
    const isLost = verdict === 'follow' && !isText(document.activeElement);
    if (verdict === 'swallow' || verdict === 'reclaim' || isLost) swallow(event);
    if (verdict === 'reclaim') for (const back of putBack.values()) back();
    if (wedge.reads) wait();
  }

  function release(event: KeyboardEvent): void {
    if (!swallowed.delete(event.code)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  function swallow(event: KeyboardEvent): void {
    swallowed.add(event.code);
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  function remember(element: Element | null): void {
    if (element !== null && !putBack.has(element)) putBack.set(element, restorerOf(element));
  }

  function wait(): void {
    cancelWait();
    cancelWait = clock.after(rules.maxGapMs, finish);
  }

  function finish(): void {
    cancelWait();
    scanned(wedge.end());
  }

  // Before everything else that listens, in the document and on the window.
  addEventListener('keydown', press, { capture: true });
  addEventListener('keyup', release, { capture: true });
  return () => {
    cancelWait();
    removeEventListener('keydown', press, { capture: true });
    removeEventListener('keyup', release, { capture: true });
  };
}

function isText(element: Element | null): boolean {
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
}

/** Remembers what is in a field, and what is selected there. */
function restorerOf(element: Element): () => void {
  if (element instanceof HTMLSelectElement) {
    const { selectedIndex } = element;
    return () => {
      if (element.selectedIndex === selectedIndex) return;
      element.selectedIndex = selectedIndex;
      tell(element);
    };
  }
  if (!(element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement)) return () => {};
  const { value, selectionStart, selectionEnd } = element;
  return () => {
    if (element.value === value) return;
    element.value = value;
    if (selectionStart !== null) element.setSelectionRange(selectionStart, selectionEnd);
    tell(element);
  };
}

/** As if a person had changed it: whoever follows the field has heard what the reader typed. */
function tell(element: Element): void {
  element.dispatchEvent(new Event('input', { bubbles: true }));
  if (element instanceof HTMLSelectElement) element.dispatchEvent(new Event('change', { bubbles: true }));
}
