import { useEffect } from 'react';

/** The tab says what the page says: a glance at the tab is enough. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === '' ? 'Nines' : `${title} · Nines`;
  }, [title]);
}
