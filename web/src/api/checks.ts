/** The list of checks, as pages that the server searches, sorts and counts. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { CheckView, Items } from './wire.ts';

const SLOW_MS = 30_000;
/** Rows that are read at a time. */
export const CHECKS_PAGE = 100;
/** The most that the server gives at once. */
const MOST_AT_ONCE = 1_000;
/** A panel and the palette know the first twenty thousand. */
const MOST_PAGES = 20;
const MOST_FOUND = 20;
/** More than the server takes finds nothing that these do not. */
const MOST_CHARS = 200;

export type CheckQuestion = { readonly q?: string | undefined; readonly team?: string | undefined };
export type CheckPage = Items<CheckView> & {
  readonly total: number;
  readonly by_state: Readonly<Record<CheckView['state'], number>>;
};

/** One page of what is found, the failing ones first. Another question shows the page that stood there until it is answered. */
export const checkPageQuery = ({ q, team }: CheckQuestion, page: number) => {
  const asked = { q: q?.slice(0, MOST_CHARS), team, order: 'trouble' };
  return queryOptions({
    queryKey: ['checks', 'page', page, asked],
    queryFn: ({ signal }) =>
      request<CheckPage>(withQuery('/api/checks', { ...asked, limit: CHECKS_PAGE, offset: page * CHECKS_PAGE }), { signal }),
    placeholderData: (data, query) => (query?.queryKey[2] === page ? data : undefined),
    refetchInterval: SLOW_MS,
  });
};

/** Every check, in the order of the configuration. */
export const checksQuery = () =>
  queryOptions({
    queryKey: ['checks', 'list'],
    queryFn: async ({ signal }) => {
      const items: CheckView[] = [];
      let after: string | undefined;
      for (let page = 0; page < MOST_PAGES; page++) {
        const read = await request<Items<CheckView>>(withQuery('/api/checks', { limit: MOST_AT_ONCE, after }), { signal });
        items.push(...read.items);
        after = read.next ?? undefined;
        if (after === undefined) break;
      }
      return { items };
    },
    refetchInterval: SLOW_MS,
  });

/** The first few that have all the words. */
export const checksFoundQuery = (q: string) =>
  queryOptions({
    queryKey: ['checks', 'found', q],
    queryFn: ({ signal }) => request<CheckPage>(withQuery('/api/checks', { q, limit: MOST_FOUND }), { signal }),
    placeholderData: keepPreviousData,
  });
