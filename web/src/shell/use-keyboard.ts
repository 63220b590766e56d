import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { SEQUENCE_MS, meaningOf } from './keys.ts';

const WRITES = 'input:not([type="checkbox"]):not([type="radio"]), textarea, select, [contenteditable="true"]';

/** Moves the focus to the main link of the next or previous row of the page's lists. */
function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  const current = rows.findIndex(
    (row) => row === document.activeElement || row.closest('tr, li')?.contains(document.activeElement) === true,
  );
  const next = rows[current < 0 ? (step > 0 ? 0 : rows.length - 1) : current + step];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

/** Single keys of the whole product, silent while someone types or a dialog is open; and `Ctrl K`, which finds everything. */
export function useKeyboard(onHelp: () => void, onFind: () => void): void {
  const navigate = useNavigate();
  useEffect(() => {
    let gAtMs = Number.NEGATIVE_INFINITY;
    const onKeyDown = (event: KeyboardEvent) => {
      // Also while someone types: it writes nothing.
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        onFind();
        return;
      }
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.closest(`${WRITES}, [role="dialog"]`) !== null) return;
      const meaning = meaningOf(event.key, event.timeStamp - gAtMs < SEQUENCE_MS);
      gAtMs = Number.NEGATIVE_INFINITY;
      if (meaning.kind === 'none') return;
      event.preventDefault();
      if (meaning.kind === 'await') gAtMs = event.timeStamp;
      if (meaning.kind === 'go') void navigate({ to: meaning.to });
      if (meaning.kind === 'help') onHelp();
      if (meaning.kind === 'next') moveRow(1);
      if (meaning.kind === 'previous') moveRow(-1);
      if (meaning.kind === 'filter') document.querySelector<HTMLElement>('main [data-filter]')?.focus();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [navigate, onHelp, onFind]);
}
