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
import { fromServer } from '../language/server-text.ts';
import { t, rich } from '../language/t.ts';
import type { NotificationSearch } from '../shell/search.ts';
import { useCan } from '../shell/session.tsx';
import { groupWords } from './group-words.ts';
import { useTitle } from './use-title.ts';

const STATUS_WORDS: Readonly<Record<NotificationView['status'], string>> = {
  queued: t('Waiting'),
  delivered: t('Delivered'),
  suppressed: t('Kept back'),
  dead: t('Given up'),
};

/** Every message: what became of it, why it was sent or kept back, and sending again what was given up. */
export function NotificationsPage() {
  useTitle(t('Notifications'));
  const search = useSearch({ from: '/shell/notifications' });
  const log = useInfiniteQuery(deliveriesQuery(search));
  const items = log.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = search.status !== undefined || search.channel !== undefined;
  const mayAct = useCan('operate', 'notifications');
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Notifications')}</h1>
          <p className="page-lead">
            {rich('Every message, newest first: what became of it and why. <a>Channels and their tests</a> are among the settings.', {
              a: (inner) => <Link to="/settings/channels">{inner}</Link>,
            })}
          </p>
        </div>
      </header>
      <Filters search={search} />
      <Waiting query={log} what={t('notifications')} />
      {log.data !== undefined && items.length === 0 ? (
        <EmptyState>
          {isFiltered
            ? t('No message is like this.')
            : t('Nothing was sent yet. When an alert fires, what each channel was told stands here.')}
        </EmptyState>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable
            caption={t('Notifications')}
            columns={mayAct && items.some(({ status }) => status === 'dead') ? [...COLUMNS, AGAIN] : COLUMNS}
            rows={items}
            rowKey={({ id }) => id}
          />
        </div>
      )}
      {log.hasNextPage ? (
        <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          {t('Show older ones')}
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
        aria-label={t('What became of them')}
        data={[{ value: '', label: t('All') }, ...Object.entries(STATUS_WORDS).map(([value, label]) => ({ value, label }))]}
        value={search.status ?? ''}
        onChange={(value) => set('status', value)}
      />
      {names.length < 2 ? null : (
        <NativeSelect
          size="xs"
          aria-label={t('Channel')}
          data={[{ value: '', label: t('Any channel') }, ...names]}
          value={search.channel ?? ''}
          onChange={(event) => set('channel', event.currentTarget.value)}
        />
      )}
    </div>
  );
}

const COLUMNS: readonly Column<NotificationView>[] = [
  { id: 'about', header: t('About'), cell: (item) => <About item={item} /> },
  { id: 'channel', header: t('Channel'), label: t('to'), cell: ({ channel }) => channel },
  { id: 'at', header: t('At'), label: t('at'), cell: ({ created_at_ms }) => <Instant atMs={created_at_ms} /> },
  { id: 'became', header: t('What became of it'), cell: (item) => <Became item={item} /> },
  { id: 'why', header: t('Why'), label: t('why'), cell: ({ reason, cause }) => fromServer(`${reason}: ${cause}`) },
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
      {alerts.length === 1 ? null : (
        <span className="faint">{` ${t('{count, plural, one {# alert} other {# alerts}}', { count: alerts.length })}`}</span>
      )}
    </>
  );
}

function Became({ item }: { readonly item: NotificationView }) {
  const { status, attempts, cut_off, last_error, created_at_ms, finished_at_ms } = item;
  const tries = attempts === 1 ? t('at the first try') : t('at try {number}', { number: attempts });
  return (
    <>
      {status === 'dead' ? <strong>{STATUS_WORDS[status]}</strong> : STATUS_WORDS[status]}
      <span className="soft">
        {status === 'delivered' && finished_at_ms !== null
          ? ` ${tries}, ${t('after {length}', { length: lengthText(Math.max(0, finished_at_ms - created_at_ms)) })}`
          : ''}
        {status === 'dead' ? ` ${tries}` : ''}
        {status === 'queued' && attempts > 0
          ? `, ${t('{count, plural, one {tried once} other {tried # times}}', { count: attempts })}`
          : ''}
        {cut_off > 0 ? `; ${t('{count} cut off as the server ended, so it may have come more than once', { count: cut_off })}` : ''}
        {last_error === null ? '' : `: ${last_error}`}
      </span>
    </>
  );
}

const AGAIN: Column<NotificationView> = {
  id: 'again',
  header: <span className="sr-only">{t('Send again')}</span>,
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
        aria-label={t('Send again to {channel}', { channel: item.channel })}
        onClick={() => retry.mutate(item.id)}
      >
        {t('Send again')}
      </Button>
      {retry.isError ? <RefusedNotice error={retry.error} /> : null}
    </>
  );
}
