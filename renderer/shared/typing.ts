/** Whether somebody is in the middle of typing, so that nothing takes what is half typed away from them. */

/** Starts to watch; what it returns tells whether the field that was typed in last holds something, and the focus is in its form still. */
export function watchTyping(document: Document): () => boolean {
  let field: EventTarget | null = null;
  document.addEventListener('input', ({ target }) => (field = target), { capture: true });
  return () => {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return false;
    const { activeElement } = document;
    // On to the next field, which is empty yet.
    const isNear = field.form !== null && field.form.contains(activeElement);
    return (field === activeElement || isNear) && field.value !== '';
  };
}
