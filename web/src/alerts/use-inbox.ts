import { useInfiniteQuery, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { type AlertGroupWire, alertGroupsQuery, alertsOfGroupQuery, endedInboxQuery, openInboxQuery, stretchOf } from '../api/alerts.ts';
import { problemsQuery } from '../api/problems.ts';
import { useFacts } from '../api/live.tsx';
import type { AlertView, FactWire } from '../api/wire.ts';
import { t } from '../language/t.ts';
import type { AlertSearch } from '../shell/search.ts';
import { belongs, questionOf, searchOfGroup } from './inbox-search.ts';
import { causeText } from './problem.tsx';
import { type OpenList, alertsIn, unreadWithin, withFacts, withStretch } from './inbox-state.ts';

/** Facts of one burst are drawn together. */
const GATHER_MS = 200;
/** With more at once the list is read again: that is less work than so many changes. */
const MOST_FACTS = 300;
/** What facts leave open is asked at most so often. */
const REREAD_MS = 1_000;
/** Rows are read by the hundred, and before they come into sight. */
const STEP = 100;
const AHEAD = 100;

/** One line of the inbox. */
export type InboxRow =
  | { readonly kind: 'alert'; readonly key: string; readonly alert: AlertView }
  | { readonly kind: 'group'; readonly key: string; readonly group: AlertGroupWire; readonly isOpen: boolean; readonly title: string }
  /** The rest of a group, or of a list that is longer than anybody reads. */
  | { readonly kind: 'more'; readonly key: string; readonly text: string; readonly search: AlertSearch | null };

export type InboxList = {
  /** As many as there are; those that were not read yet are undefined. */
  readonly rows: readonly (InboxRow | undefined)[];
  /** Every alert that was read, those of the list in its order. */
  readonly alerts: readonly AlertView[];
  readonly isRead: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
  /** Tells which rows are in sight: what is to be read there is read. */
  readonly onSight: (first: number, last: number) => void;
};

const NONE: readonly InboxRow[] = [];
const nothing = (): void => undefined;

/** Lists of alerts that ended have another order, and no places. */
const hasEnded = ({ status }: AlertSearch): boolean => status === 'all' || status === 'resolved';

/** The alerts that a search finds, as one list. */
export function useFlatInbox(search: AlertSearch, me: string, enabled: boolean): InboxList {
  const ended = hasEnded(search);
  const past = useEndedInbox(search, enabled && ended);
  const open = useOpenInbox(search, me, enabled && !ended);
  return ended ? past : open;
}

/** Alerts that ended page by page, read again when anything happens. */
function useEndedInbox(search: AlertSearch, enabled: boolean): InboxList {
  const client = useQueryClient();
  const asked = endedInboxQuery(questionOf(search));
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useInfiniteQuery({ ...asked, enabled });
  useGatheredFacts(() => void client.invalidateQueries({ queryKey: asked.queryKey }), enabled);
  const onSight = useCallback(
    (_first: number, last: number) => {
      const read = data?.pages.reduce((sum, { items }) => sum + items.length, 0) ?? 0;
      if (last >= read - AHEAD && hasNextPage && !isFetchingNextPage) void fetchNextPage();
    },
    [data, hasNextPage, isFetchingNextPage, fetchNextPage],
  );
  const alerts = useMemo(() => [...new Map(data?.pages.flatMap(({ items }) => items.map((one) => [one.id, one]))).values()], [data]);
  const rows = useMemo(() => {
    const found: InboxRow[] = alerts.map((alert) => ({ kind: 'alert', key: alert.id, alert }));
    if (!hasNextPage && (data?.pages.at(-1)?.next ?? null) !== null)
      found.push({
        kind: 'more',
        key: 'rest',
        text: t('The first {found} are listed. Filter or group to see the others.', { found: found.length }),
        search: null,
      });
    return found;
  }, [alerts, data, hasNextPage]);
  return { rows: enabled ? rows : NONE, alerts, isRead: data !== undefined, error, retry: () => void refetch(), onSight };
}

/** Open alerts, of which only those in sight are read, changed by facts one at a time. */
function useOpenInbox(search: AlertSearch, me: string, enabled: boolean): InboxList {
  const client = useQueryClient();
  const question = useMemo(() => questionOf(search), [JSON.stringify(questionOf(search))]);
  const sight = useRef({ offset: 0, limit: STEP });
  const asked = useMemo(() => openInboxQuery(question, () => sight.current), [question]);
  const { data, error, refetch } = useQuery({ ...asked, enabled });
  const rereading = useRef<number | undefined>(undefined);
  const readSoon = useCallback(() => {
    rereading.current ??= window.setTimeout(() => {
      rereading.current = undefined;
      void client.refetchQueries({ queryKey: asked.queryKey }, { cancelRefetch: false });
    }, REREAD_MS);
  }, [client, asked]);
  useEffect(() => () => window.clearTimeout(rereading.current), []);
  const reading = useRef(false);
  /** One stretch at a time: who scrolls past a thousand rows waits for what is in sight then. */
  const read = useCallback(async () => {
    const list = client.getQueryData<OpenList>(asked.queryKey);
    const { offset, limit } = sight.current;
    const unread = list === undefined ? undefined : unreadWithin(list, offset, offset + limit);
    if (unread === undefined || reading.current) return;
    reading.current = true;
    // What could not be read is asked again as one scrolls on and with each answer of the list, whose own read tells what is wrong.
    const stretch = await stretchOf(question, unread).catch(() => undefined);
    reading.current = false;
    if (stretch === undefined) return;
    client.setQueryData<OpenList>(asked.queryKey, (before) => before && withStretch(before, stretch));
    if (stretch.total !== list?.rows.length) readSoon();
  }, [client, asked, question, readSoon]);
  useEffect(() => void read(), [data, read]);
  const onSight = useCallback(
    (first: number, last: number) => {
      const offset = Math.max(0, Math.floor((first - AHEAD) / STEP) * STEP);
      sight.current = { offset, limit: Math.ceil((last + 1 + AHEAD) / STEP) * STEP - offset };
      void read();
    },
    [read],
  );
  useGatheredFacts((facts) => {
    const judged = facts.map((fact) => {
      const alert = fact.data as AlertView;
      return { alert, belongs: fact.type === 'alert.dropped' ? false : belongs(alert, search, me) };
    });
    const list = client.getQueryData<OpenList>(asked.queryKey);
    if (list === undefined) return;
    if (facts.length > MOST_FACTS) {
      readSoon();
      return;
    }
    const told = withFacts(list, judged);
    client.setQueryData<OpenList>(asked.queryKey, told.list);
    if (!told.certain) readSoon();
  }, enabled);
  const rows = useMemo(
    () => data?.rows.map((alert): InboxRow | undefined => alert && { kind: 'alert', key: alert.id, alert }) ?? NONE,
    [data],
  );
  const alerts = useMemo(() => (data === undefined ? [] : alertsIn(data)), [data]);
  return { rows: enabled ? rows : NONE, alerts, isRead: data !== undefined, error, retry: () => void refetch(), onSight };
}

/** Hears facts about alerts, some at a time. */
function useGatheredFacts(told: (facts: readonly FactWire[]) => void, enabled: boolean): void {
  const waiting = useRef<FactWire[]>([]);
  const timer = useRef<number | undefined>(undefined);
  const latest = useRef(told);
  latest.current = told;
  const hear = useCallback(
    (fact: FactWire) => {
      if (!enabled || fact.topic !== 'alerts' || !fact.type.startsWith('alert.')) return;
      waiting.current.push(fact);
      timer.current ??= window.setTimeout(() => {
        timer.current = undefined;
        latest.current(waiting.current.splice(0));
      }, GATHER_MS);
    },
    [enabled],
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
  const alerts = rows.flatMap((row) => (row.kind === 'alert' ? [row.alert] : []));
  return { rows, alerts, isRead: groups.data !== undefined, error: groups.error, retry: () => void groups.refetch(), onSight: nothing };
}
