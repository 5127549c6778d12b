/** Types into a field of a page as a keyboard does: over what is selected, and heard by whoever follows the field. */

export type TextField = HTMLInputElement | HTMLTextAreaElement;

/** Those whose text can be selected; a field for a number or a date has no place to type at. */
const TYPES = ['text', 'password', 'search', 'tel', 'url'];

/** Tells whether `element` is a field for text. */
export function isTextField(element: EventTarget | null): element is TextField {
  if (element instanceof HTMLTextAreaElement) return true;
  return element instanceof HTMLInputElement && TYPES.includes(element.type);
}

/** Tells whether the field takes text just now. */
export function isOpenToText({ readOnly, disabled }: TextField): boolean {
  return !readOnly && !disabled;
}

/** Puts `text` in the place of what is selected, unless the field is full. */
export function insert(field: TextField, text: string): void {
  const [start, end] = selectionOf(field);
  const length = field.value.length - (end - start) + text.length;
  if (!isOpenToText(field) || (field.maxLength >= 0 && length > field.maxLength)) return;
  change(field, { text, start, end, inputType: 'insertText' });
}

/** Takes away what is selected, or the character before. */
export function backspace(field: TextField): void {
  const [start, end] = selectionOf(field);
  const before = start < end ? 0 : ([...field.value.slice(0, start)].at(-1)?.length ?? 0);
  if (!isOpenToText(field) || start - before === end) return;
  change(field, { text: '', start: start - before, end, inputType: 'deleteContentBackward' });
}

/** Submits the form, as Enter does; begins a line where the field has lines. */
export function enter(field: TextField): void {
  if (field instanceof HTMLTextAreaElement) insert(field, '\n');
  else field.form?.requestSubmit();
}

interface Change {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly inputType: 'insertText' | 'deleteContentBackward';
}

function change(field: TextField, { text, start, end, inputType }: Change): void {
  field.setRangeText(text, start, end, 'end');
  field.dispatchEvent(new InputEvent('input', { inputType, data: text || null, bubbles: true }));
}

function selectionOf({ selectionStart, selectionEnd, value }: TextField): [start: number, end: number] {
  return [selectionStart ?? value.length, selectionEnd ?? value.length];
}
