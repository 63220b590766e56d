import { useEffect } from 'react';
import { SEQUENCE_MS } from '../shell/keys.ts';

/** What keys do in the inbox. Single letters; a letter with Ctrl, Alt or ⌘ is the browser's. */
export type InboxKeys = {
  readonly move: (step: 1 | -1) => void;
  readonly open: () => void;
  readonly close: () => void;
  readonly select: (range: boolean) => void;
  readonly undo: () => void;
  readonly act: (letter: string) => void;
};

/** Letters that act on the selected alerts, or on the one at the cursor. */
export const ACT_LETTERS = 'aesrcmzt';

const WRITES = 'input:not([type="checkbox"]):not([type="radio"]), textarea, select, [contenteditable="true"], [role="dialog"]';

/** Listens below the page's own keys, which leave alone what was taken here. */
export function useInboxKeys(keys: InboxKeys): void {
  useEffect(() => {
    let gAtMs = Number.NEGATIVE_INFINITY;
    const onKeyDown = (event: KeyboardEvent) => {
      // After a `g` the letter names a page.
      const afterG = event.timeStamp - gAtMs < SEQUENCE_MS;
      gAtMs = event.key === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY;
      if (afterG || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target instanceof Element ? event.target : null;
      if ((target?.closest(WRITES) ?? null) !== null || document.querySelector('[role="dialog"]') !== null) return;
      if (!take(event.key, event.shiftKey, target, keys)) return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [keys]);
}

function take(key: string, shift: boolean, target: Element | null, keys: InboxKeys): boolean {
  const letter = key.toLowerCase();
  if (letter === 'j' || key === 'ArrowDown') keys.move(1);
  else if (letter === 'k' || key === 'ArrowUp') keys.move(-1);
  else if (letter === 'x') keys.select(shift);
  else if (letter === 'u') keys.undo();
  else if (key === 'Escape') keys.close();
  else if (key === 'Enter' && (target?.closest('button, a, summary') ?? null) === null) keys.open();
  else if (letter.length === 1 && ACT_LETTERS.includes(letter)) keys.act(letter);
  else return false;
  return true;
}
