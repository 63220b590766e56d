import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { type AlertCountsWire, alertCountsQuery } from '../api/alerts.ts';
import type { AlertView } from '../api/wire.ts';
import { ErrorNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { type Selection, useSelection } from '../pages/use-selection.ts';
import type { AlertSearch } from '../shell/search.ts';
import { useCan, useSession } from '../shell/session.tsx';
import { ActionButtons, type Asked, type Asking } from './action-buttons.tsx';
import { ActionDialog } from './action-dialog.tsx';
import { AlertDetail } from './alert-detail.tsx';
import { InboxFilters } from './inbox-filters.tsx';
import { type InboxKeys, useInboxKeys } from './inbox-keys.ts';
import { InboxRows } from './inbox-rows.tsx';
import { filtersIn, questionOf } from './inbox-search.ts';
import { ProblemNote } from './problem.tsx';
import type { AlertAction } from './undo.ts';
import { type Actions, useActions } from './use-actions.ts';
import { type InboxList, type InboxRow, useFlatInbox, useGroupedInbox } from './use-inbox.ts';

type Props = { readonly search: AlertSearch; readonly onSearch: (search: AlertSearch) => void };

const LETTERS: Readonly<Record<string, Asking | AlertAction['name'] | 'take'>> = {
  a: 'acknowledge',
  e: 'escalate',
  s: 'silence',
  r: 'resolve',
  c: 'comment',
  m: 'assign',
  z: 'snooze',
  t: 'take',
};

/** The list and one alert beside it, worked through with the keyboard or the mouse. */
export function Inbox({ search, onSearch }: Props) {
  const { actor } = useSession();
  const mayAct = useCan('operate', 'alerts');
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const grouped = search.group !== undefined;
  const flat = useFlatInbox(search, actor.name, !grouped);
  const groups = useGroupedInbox(search, opened);
  const list = grouped ? groups : flat;
  const { severity: _severity, status: _status, ...elsewhere } = search;
  const counts = useQuery(alertCountsQuery(questionOf(elsewhere)));
  const { alerts } = list;
  const selection = useSelection(alerts.map(({ id }) => id));
  const actions = useActions();
  const [asked, setAsked] = useState<Asked | null>(null);
  const open = useCallback((id: string | undefined) => onSearch(withAlert(search, id)), [onSearch, search]);
  const cursor = useCursor(list.rows, search.alert, open);
  const targets = targetsOf(alerts, selection, cursor.at ?? search.alert);
  const act = (action: AlertAction, on: readonly AlertView[] = targets) => {
    setAsked(null);
    actions.act(action, on, selection.clear);
  };
  const openAtCursor = (id: string) => {
    cursor.put(id);
    open(id);
  };
  const toggleGroup = (key: string) =>
    setOpened((before) => new Set(before.has(key) ? [...before].filter((one) => one !== key) : [...before, key]));
  useInboxKeys(
    keysOf({ actions, act, selection, cursor, targets, mayAct, me: actor.name, search, open, setAsked, toggleGroup, rows: list.rows }),
  );
  return (
    <>
      <InboxFilters search={search} counts={counts.data} onSearch={(next) => onSearch(withAlert(next, undefined))} />
      {actions.error === null ? null : <ErrorNotice error={actions.error} />}
      <div className={search.alert === undefined ? 'inbox' : 'inbox with-detail'}>
        <div className="inbox-list">
          {search.problem === undefined || search.problem === '' ? null : <ProblemNote id={search.problem} />}
          <Nothing list={list} search={search} counts={counts.data} />
          {list.rows.length === 0 ? null : (
            <InboxRows
              rows={list.rows}
              cursor={cursor.at}
              place={cursor.place}
              moved={cursor.moved}
              opened={search.alert}
              selection={mayAct ? selection : null}
              onOpen={openAtCursor}
              onGroup={toggleGroup}
              onMore={(row) => row.search !== null && onSearch(row.search)}
              onSight={list.onSight}
            />
          )}
        </div>
        {search.alert === undefined ? null : (
          <AlertDetail id={search.alert} me={actor.name} actions={actions} onAsk={setAsked} onClose={() => open(undefined)} />
        )}
      </div>
      <Selected
        alerts={alerts.filter(({ id }) => selection.has(id))}
        selection={selection}
        me={actor.name}
        pending={actions.pending}
        onAct={act}
        onAsk={(asking) => setAsked({ asking, alerts: targets })}
      />
      <Done actions={actions} />
      <ActionDialog asked={asked} me={actor.name} onAct={(action) => act(action, asked?.alerts)} onClose={() => setAsked(null)} />
    </>
  );
}

type SelectedProps = {
  readonly alerts: readonly AlertView[];
  readonly selection: Selection;
  readonly me: string;
  readonly pending: boolean;
  readonly onAct: (action: AlertAction) => void;
  readonly onAsk: (asking: Asking) => void;
};

/** What can be done to all that is selected. */
function Selected({ selection, ...buttons }: SelectedProps) {
  if (selection.size === 0) return null;
  return (
    <div className="bulk" role="region" aria-label={t('Selected alerts')}>
      <span>{t('{count} selected', { count: selection.size })}</span>
      <ActionButtons {...buttons} />
      <Button size="xs" variant="subtle" onClick={selection.clear}>
        {t('Clear the selection')}
      </Button>
    </div>
  );
}

function withAlert({ alert: _before, ...rest }: AlertSearch, id: string | undefined): AlertSearch {
  return id === undefined ? rest : { ...rest, alert: id };
}

/** What an action is about: the selected alerts, else the one at the cursor. */
function targetsOf(alerts: readonly AlertView[], selection: Selection, at: string | undefined): readonly AlertView[] {
  return selection.size > 0 ? alerts.filter(({ id }) => selection.has(id)) : alerts.filter(({ id }) => id === at);
}

type Cursor = {
  readonly at: string | undefined;
  readonly place: number;
  readonly moved: number;
  readonly move: (step: 1 | -1) => void;
  readonly put: (key: string) => void;
};

/** The row that keys act on. It stays where it was when its row goes, and takes the open alert along. */
function useCursor(rows: readonly (InboxRow | undefined)[], opened: string | undefined, open: (id: string) => void): Cursor {
  const [state, setState] = useState<{ readonly key: string | undefined; readonly place: number; readonly moved: number }>({
    key: opened,
    place: 0,
    moved: 0,
  });
  const found = state.key === undefined ? -1 : rows.findIndex((row) => row?.key === state.key);
  const place = found < 0 ? Math.min(state.place, rows.length - 1) : found;
  const nowhere = found < 0 && state.moved === 0;
  return {
    at: nowhere ? undefined : rows[place]?.key,
    place,
    moved: state.moved,
    put: (key) => setState((before) => ({ ...before, key, place: rows.findIndex((row) => row?.key === key) })),
    move: (step) => {
      if (rows.length === 0) return;
      const next = nowhere ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, place + step));
      // Where nothing was read yet, the row is the cursor's as soon as it is.
      const row = rows[next];
      setState((before) => ({ key: row?.key, place: next, moved: before.moved + 1 }));
      if (opened !== undefined && row?.kind === 'alert') open(row.alert.id);
    },
  };
}

type KeyContext = {
  readonly actions: Actions;
  readonly act: (action: AlertAction) => void;
  readonly selection: Selection;
  readonly cursor: Cursor;
  readonly targets: readonly AlertView[];
  readonly mayAct: boolean;
  readonly me: string;
  readonly search: AlertSearch;
  readonly open: (id: string | undefined) => void;
  readonly setAsked: (asked: Asked) => void;
  readonly toggleGroup: (key: string) => void;
  readonly rows: readonly (InboxRow | undefined)[];
};

function keysOf(context: KeyContext): InboxKeys {
  const { actions, selection, cursor, targets, mayAct, search, open } = context;
  const row = cursor.at === undefined ? undefined : context.rows.find((one) => one?.key === cursor.at);
  return {
    move: cursor.move,
    open: () => {
      if (row?.kind === 'alert') open(row.alert.id);
      if (row?.kind === 'group') context.toggleGroup(row.group.key);
    },
    close: () => {
      if (search.alert !== undefined) open(undefined);
      else selection.clear();
    },
    select: (range) => {
      if (mayAct && row?.kind === 'alert') selection.toggle(row.alert.id, range);
    },
    undo: actions.undo,
    act: (letter) => {
      if (mayAct && targets.length > 0) actOnLetter(letter, context);
    },
  };
}

function actOnLetter(letter: string, { act, setAsked, targets, me }: KeyContext): void {
  const meant = LETTERS[letter];
  switch (meant) {
    case 'acknowledge':
      act({ name: meant });
      return;
    case 'take':
      act({ name: 'assign', assignee: me });
      return;
    case 'silence':
    case 'escalate':
    case 'resolve':
    case 'comment':
    case 'assign':
    case 'snooze':
      setAsked({ asking: meant, alerts: targets });
      return;
    default:
  }
}

/** What was done, for ten seconds, with the way back. */
function Done({ actions: { done, undo, pending } }: { readonly actions: Actions }) {
  return (
    <div className="inbox-done" role="status" aria-live="polite">
      {done === null ? null : (
        <p className="panel">
          <span>{`${done.text}.`}</span>
          {done.canUndo ? (
            <Button size="compact-sm" variant="light" loading={pending} onClick={undo}>
              {t('Undo ( u )')}
            </Button>
          ) : null}
        </p>
      )}
    </div>
  );
}

function Nothing({
  list,
  search,
  counts,
}: {
  readonly list: InboxList;
  readonly search: AlertSearch;
  readonly counts: AlertCountsWire | undefined;
}) {
  if (list.error !== null) return <ErrorNotice error={list.error} retry={list.retry} />;
  if (!list.isRead) {
    return (
      <div className="loading" role="status">
        {t('Reading alerts …')}
      </div>
    );
  }
  if (list.rows.length > 0) return null;
  if (filtersIn(search) === 0) return <p className="empty">{t('Nothing is open. An alert appears here the moment it fires.')}</p>;
  const others = counts?.total ?? 0;
  return (
    <p className="empty">
      {others === 0 ? t('No alert matches these filters.') : t('No alert matches these filters. {count} are open.', { count: others })}
    </p>
  );
}
