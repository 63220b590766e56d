import { type InfiniteData, useInfiniteQuery, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { type AlertGroupWire, MOST_PAGES, alertGroupsQuery, alertsOfGroupQuery, inboxQuery } from '../api/alerts.ts';
import { problemsQuery } from '../api/problems.ts';
import { useFacts } from '../api/live.tsx';
import type { AlertView, FactWire } from '../api/wire.ts';
import { t } from '../language/t.ts';
import type { AlertSearch } from '../shell/search.ts';
import { belongs, questionOf, searchOfGroup } from './inbox-search.ts';
import { causeText } from './problem.tsx';
import { type AlertPage, withFact } from './inbox-state.ts';

/** Facts of one burst are drawn together. */
const GATHER_MS = 200;
/** With more at once the list is read again: that is less work than so many changes. */
const MOST_FACTS = 300;

/** One line of the inbox. */
export type InboxRow =
  | { readonly kind: 'alert'; readonly key: string; readonly alert: AlertView }
  | { readonly kind: 'group'; readonly key: string; readonly group: AlertGroupWire; readonly isOpen: boolean; readonly title: string }
  /** The rest of a group, or of a list that is longer than anybody reads. */
  | { readonly kind: 'more'; readonly key: string; readonly text: string; readonly search: AlertSearch | null };

export type InboxList = {
  readonly rows: readonly InboxRow[];
  readonly isRead: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
  /** Reads the next page, if there is one. */
  readonly more: () => void;
};

const NONE: readonly InboxRow[] = [];

/** Open alerts page by page, changed by facts one at a time. */
export function useFlatInbox(search: AlertSearch, me: string, enabled: boolean): InboxList {
  const question = useMemo(() => questionOf(search), [JSON.stringify(questionOf(search))]);
  const query = useInfiniteQuery({ ...inboxQuery(question), enabled });
  useLivePages(search, me, enabled);
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const rows = useMemo(() => {
    const seen = new Set<string>();
    const found: InboxRow[] = [];
    for (const alert of data?.pages.flatMap(({ items }) => items) ?? []) {
      if (!seen.has(alert.id)) found.push({ kind: 'alert', key: alert.id, alert });
      seen.add(alert.id);
    }
    if (!hasNextPage && (data?.pages.length ?? 0) >= MOST_PAGES && data?.pages.at(-1)?.next !== null)
      found.push({
        kind: 'more',
        key: 'rest',
        text: t('The first {found} are listed. Filter or group to see the others.', { found: found.length }),
        search: null,
      });
    return found;
  }, [data, hasNextPage]);
  return { rows: enabled ? rows : NONE, isRead: data !== undefined, error: query.error, retry: () => void refetch(), more };
}

/** Puts facts about alerts into the pages that were read, some at a time. */
function useLivePages(search: AlertSearch, me: string, enabled: boolean): void {
  const client = useQueryClient();
  const waiting = useRef<FactWire[]>([]);
  const timer = useRef<number | undefined>(undefined);
  const latest = useRef({ search, me });
  latest.current = { search, me };
  const draw = useCallback(() => {
    timer.current = undefined;
    const facts = waiting.current.splice(0);
    const { search: asked, me: person } = latest.current;
    const key = inboxQuery(questionOf(asked)).queryKey;
    const judged = facts.map((fact) => {
      const alert = fact.data as AlertView;
      return { alert, belongs: fact.type === 'alert.dropped' ? false : belongs(alert, asked, person) };
    });
    // Lists of ended alerts have another order: what is new there is read.
    const ordered = asked.status !== 'all' && asked.status !== 'resolved';
    if (facts.length > MOST_FACTS || !ordered || judged.some((one) => one.belongs === undefined)) {
      void client.invalidateQueries({ queryKey: key });
      return;
    }
    client.setQueryData<InfiniteData<AlertPage>>(key, (data) => {
      if (data === undefined) return data;
      return { ...data, pages: [...judged.reduce<readonly AlertPage[]>((pages, fact) => withFact(pages, fact), data.pages)] };
    });
  }, [client]);
  const hear = useCallback(
    (fact: FactWire) => {
      if (!enabled || fact.topic !== 'alerts' || !fact.type.startsWith('alert.')) return;
      waiting.current.push(fact);
      timer.current ??= window.setTimeout(draw, GATHER_MS);
    },
    [draw, enabled],
  );
  useFacts(hear);
  useEffect(() => () => window.clearTimeout(timer.current), []);
}

/** Open alerts under what they have in common; the alerts of a group are read when it is opened. */
export function useGroupedInbox(search: AlertSearch, opened: ReadonlySet<string>): InboxList {
  const by = search.group ?? '';
  const groups = useQuery({ ...alertGroupsQuery(questionOf(search), by), enabled: by !== '' });
  const problems = useQuery({ ...problemsQuery(), enabled: by === 'problem' });
  const shown = groups.data?.items ?? [];
  const problemOf = new Map(by === 'problem' ? problems.data?.items.map((one) => [one.id, one]) : []);
  const keys = shown.map(({ key }) => key).filter((key) => opened.has(key));
  const read = useQueries({ queries: keys.map((key) => alertsOfGroupQuery(questionOf(searchOfGroup(search, key)))) });
  const rows = shown.flatMap((group): readonly InboxRow[] => {
    const place = keys.indexOf(group.key);
    const problem = problemOf.get(group.key);
    const head: InboxRow = { kind: 'group', key: `group ${group.key}`, group, isOpen: place >= 0, title: problem?.title ?? group.key };
    const page = place < 0 ? undefined : read[place]?.data;
    if (page === undefined) return [head];
    const alerts = page.items.map((alert): InboxRow => ({ kind: 'alert', key: alert.id, alert }));
    const cause = problem === undefined || group.total < 2 ? '' : causeText(problem);
    if (cause !== '') alerts.unshift({ kind: 'more', key: `cause ${group.key}`, text: cause, search: null });
    const rest = group.total - page.items.length;
    if (rest <= 0 || (page.next ?? null) === null) return [head, ...alerts];
    return [
      head,
      ...alerts,
      {
        kind: 'more',
        key: `more ${group.key}`,
        text: t('Show the other {rest} of this group', { rest }),
        search: searchOfGroup(search, group.key),
      },
    ];
  });
  return { rows, isRead: groups.data !== undefined, error: groups.error, retry: () => void groups.refetch(), more: () => undefined };
}
