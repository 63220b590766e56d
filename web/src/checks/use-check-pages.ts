import { useQueries } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { CHECKS_PAGE, type CheckPage, type CheckQuestion, checkPageQuery } from '../api/checks.ts';
import type { CheckView } from '../api/wire.ts';

export type CheckPages = {
  /** As many as there are; those that were not read yet are undefined. */
  readonly rows: readonly (CheckView | undefined)[];
  /** The first page, which knows how many there are. */
  readonly head: { readonly data: CheckPage | undefined; readonly error: Error | null; readonly refetch: () => Promise<unknown> };
  /** Tells which rows are in sight. */
  readonly onSight: (first: number, last: number) => void;
};

/** The checks that a question finds, of which only those in sight are read, and read again. */
export function useCheckPages(question: CheckQuestion): CheckPages {
  const [sight, setSight] = useState<readonly [first: number, last: number]>([0, 0]);
  const pages = [0, ...Array.from({ length: sight[1] - sight[0] + 1 }, (_, more) => sight[0] + more).filter((page) => page > 0)];
  const read = useQueries({ queries: pages.map((page) => checkPageQuery(question, page)) });
  const [head] = read;
  if (head === undefined) throw new Error('BUG: the first page is always asked for');
  const rows = Array.from<unknown, CheckView | undefined>({ length: head.data?.total ?? 0 }, () => undefined);
  for (const [at, { data }] of read.entries()) {
    const from = (pages[at] ?? 0) * CHECKS_PAGE;
    for (const [place, check] of (data?.items ?? []).entries()) if (from + place < rows.length) rows[from + place] = check;
  }
  const onSight = useCallback((first: number, last: number) => {
    const next = [Math.floor(first / CHECKS_PAGE), Math.floor(last / CHECKS_PAGE)] as const;
    setSight((before) => (before[0] === next[0] && before[1] === next[1] ? before : next));
  }, []);
  return { rows, head, onSight };
}
