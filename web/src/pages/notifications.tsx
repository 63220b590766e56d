import { Button, NativeSelect, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useRetryNotification } from '../api/actions.ts';
import { deliveriesQuery } from '../api/notifications.ts';
import { channelsQuery } from '../api/queries.ts';
import type { NotificationView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { EmptyState, RefusedNotice, Waiting } from '../components/notices.tsx';
import { lengthText } from '../figures/length.ts';
import { readableLengths } from '../figures/readable.ts';
import type { NotificationSearch } from '../shell/search.ts';
import { useCan } from '../shell/session.tsx';
import { groupWords } from './group-words.ts';
import { useTitle } from './use-title.ts';

const STATUS_WORDS: Readonly<Record<NotificationView['status'], string>> = {
  queued: 'Waiting',
  delivered: 'Delivered',
  suppressed: 'Kept back',
  dead: 'Given up',
};

/** Every message: what became of it, why it was sent or kept back, and sending again what was given up. */
export function NotificationsPage() {
  useTitle('Notifications');
  const search = useSearch({ from: '/shell/notifications' });
  const log = useInfiniteQuery(deliveriesQuery(search));
  const items = log.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = search.status !== undefined || search.channel !== undefined;
  const mayAct = useCan('operate', 'notifications');
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>Notifications</h1>
          <p className="page-lead">
            {'Every message, newest first: what became of it and why. '}
            <Link to="/settings/channels">Channels and their tests</Link>
            {' are among the settings.'}
          </p>
        </div>
      </header>
      <Filters search={search} />
      <Waiting query={log} what="notifications" />
      {log.data !== undefined && items.length === 0 ? (
        <EmptyState>
          {isFiltered ? 'No message is like this.' : 'Nothing was sent yet. When an alert fires, what each channel was told stands here.'}
        </EmptyState>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable
            caption="Notifications"
            columns={mayAct && items.some(({ status }) => status === 'dead') ? [...COLUMNS, AGAIN] : COLUMNS}
            rows={items}
            rowKey={({ id }) => id}
          />
        </div>
      )}
      {log.hasNextPage ? (
        <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          Show older ones
        </Button>
      ) : null}
    </div>
  );
}

function Filters({ search }: { readonly search: NotificationSearch }) {
  const channels = useQuery(channelsQuery());
  const navigate = useNavigate({ from: '/notifications' });
  const set = (name: keyof NotificationSearch, value: string) =>
    void navigate({
      search: ({ [name]: _before, ...others }) => (value === '' ? others : { ...others, [name]: value }),
      resetScroll: false,
    });
  const names = (channels.data?.items ?? []).map(({ id }) => ({ value: id, label: id }));
  return (
    <div className="filters no-print">
      <SegmentedControl
        size="xs"
        aria-label="What became of them"
        data={[{ value: '', label: 'All' }, ...Object.entries(STATUS_WORDS).map(([value, label]) => ({ value, label }))]}
        value={search.status ?? ''}
        onChange={(value) => set('status', value)}
      />
      {names.length < 2 ? null : (
        <NativeSelect
          size="xs"
          aria-label="Channel"
          data={[{ value: '', label: 'Any channel' }, ...names]}
          value={search.channel ?? ''}
          onChange={(event) => set('channel', event.currentTarget.value)}
        />
      )}
    </div>
  );
}

const COLUMNS: readonly Column<NotificationView>[] = [
  { id: 'about', header: 'About', cell: (item) => <About item={item} /> },
  { id: 'channel', header: 'Channel', label: 'to', cell: ({ channel }) => channel },
  { id: 'at', header: 'At', label: 'at', cell: ({ created_at_ms }) => <Instant atMs={created_at_ms} /> },
  { id: 'became', header: 'What became of it', cell: (item) => <Became item={item} /> },
  { id: 'why', header: 'Why', label: 'why', cell: ({ reason, cause }) => readableLengths(`${reason}: ${cause}`) },
];

/** With a link where there is an alert. */
function About({ item: { group_key, alerts } }: { readonly item: NotificationView }) {
  const words = groupWords(group_key);
  const [alert] = alerts;
  if (alert === undefined) return <span className="row-name wrap-anywhere">{words}</span>;
  return (
    <>
      <Link to="/alerts-dashboard" search={{ alert, status: 'all' }} className="row-name wrap-anywhere" data-row>
        {words}
      </Link>
      {alerts.length === 1 ? null : <span className="faint">{` ${alerts.length} alerts`}</span>}
    </>
  );
}

function Became({ item }: { readonly item: NotificationView }) {
  const { status, attempts, cut_off, last_error, created_at_ms, finished_at_ms } = item;
  const tries = attempts === 1 ? 'at the first try' : `at try ${attempts}`;
  return (
    <>
      {status === 'dead' ? <strong>{STATUS_WORDS[status]}</strong> : STATUS_WORDS[status]}
      <span className="soft">
        {status === 'delivered' && finished_at_ms !== null
          ? ` ${tries}, after ${lengthText(Math.max(0, finished_at_ms - created_at_ms))}`
          : ''}
        {status === 'dead' ? ` ${tries}` : ''}
        {status === 'queued' && attempts > 0 ? `, tried ${attempts} times` : ''}
        {cut_off > 0 ? `; ${cut_off} cut off as the server ended, so it may have come more than once` : ''}
        {last_error === null ? '' : `: ${last_error}`}
      </span>
    </>
  );
}

const AGAIN: Column<NotificationView> = {
  id: 'again',
  header: <span className="sr-only">Send again</span>,
  cell: (item) => (item.status === 'dead' ? <Again item={item} /> : null),
};

function Again({ item }: { readonly item: NotificationView }) {
  const retry = useRetryNotification();
  return (
    <>
      <Button
        size="xs"
        variant="default"
        loading={retry.isPending}
        aria-label={`Send again to ${item.channel}`}
        onClick={() => retry.mutate(item.id)}
      >
        Send again
      </Button>
      {retry.isError ? <RefusedNotice error={retry.error} /> : null}
    </>
  );
}
