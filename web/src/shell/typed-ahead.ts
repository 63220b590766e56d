/**
 * What is typed between asking for the palette and its field having the focus, while its code is on its way: kept for the field, and no
 * shortcut of the page. Ends when the field takes it, or the palette is closed.
 */
let held = '';
let release: (() => void) | undefined;

/** Begins to keep what is typed. Call what it returns when the palette is closed. */
export function holdTyping(onEscape: () => void): () => void {
  held = '';
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === 'Escape') onEscape();
    else if (event.key === 'Backspace') held = held.slice(0, -1);
    else if (event.key.length === 1) held += event.key;
    else if (event.key !== 'Enter') return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  window.addEventListener('keydown', onKeyDown, { capture: true });
  release = () => window.removeEventListener('keydown', onKeyDown, { capture: true });
  return release;
}

/** What was typed so far, once; from now on the field hears it itself. */
export function takeTyped(): string {
  release?.();
  release = undefined;
  const typed = held;
  held = '';
  return typed;
}
