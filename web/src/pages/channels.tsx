import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRetryNotification, useTestChannel } from '../api/actions.ts';
import { channelsQuery, deadLettersQuery } from '../api/queries.ts';
import { usePushed, useSwitchPush } from '../api/push.ts';
import type { ChannelTestWire, ChannelView, NotificationView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { EmptyState, ErrorNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { StateMark } from '../states/state-mark.tsx';

const SNIPPET = `channels:
  - id: hook
    kind: webhook
    url: https://chat.example.org/hooks/nines
routing:
  default: [hook]`;

/** Where alerts go, whether each channel works, and what could not be delivered. */
export function Channels() {
  const channels = useQuery(channelsQuery());
  const mayAct = useCan('operate', 'notifications');
  const items = channels.data?.items ?? [];
  const columns = [...CHANNEL, ...(items.some(({ kind }) => kind === 'webpush') ? [PUSH] : []), ...(mayAct ? [TEST] : [])];
  return (
    <Section title={t('Where alerts go')}>
      {channels.isError ? <ErrorNotice error={channels.error} retry={() => void channels.refetch()} /> : null}
      {channels.data !== undefined && items.length === 0 ? (
        <EmptyState command={SNIPPET}>
          {t('Alerts are shown here and sent to nobody. Name a channel in the configuration file.')}
        </EmptyState>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption={t('Channels')} columns={columns} rows={items} rowKey={(channel) => channel.id} />
        </div>
      )}
      <DeadLetters mayAct={mayAct} />
    </Section>
  );
}

const CHANNEL: readonly Column<ChannelView>[] = [
  {
    id: 'name',
    header: t('Channel'),
    cell: ({ id, kind }) => (
      <>
        <span className="row-name">{id}</span> <span className="faint">{kind}</span> <ObjectMenu kind="channels" id={id} name={id} />
      </>
    ),
  },
  { id: 'target', header: t('Sends to'), label: t('to'), cell: (channel) => <span className="mono">{channel.target}</span> },
  { id: 'state', header: t('Last message'), label: t('last message'), cell: (channel) => <Last channel={channel} /> },
  { id: 'week', header: t('In 7 days'), label: t('in 7 days'), cell: (channel) => <Week channel={channel} /> },
];

/** Whether it works, by the last that is known of it. */
function Last({ channel: { delivered_at_ms: deliveredAtMs, failed } }: { readonly channel: ChannelView }) {
  if (failed !== null && failed.at_ms > (deliveredAtMs ?? Number.NEGATIVE_INFINITY)) {
    return (
      <>
        <StateMark state="down" word={t('Failed')} /> <Instant atMs={failed.at_ms} />
        <div className="soft wrap-anywhere">{failed.error}</div>
      </>
    );
  }
  if (deliveredAtMs === null) return <StateMark state="unknown" word={t('Not used')} />;
  return (
    <>
      <StateMark state="up" word={t('Delivered')} /> <Instant atMs={deliveredAtMs} />
      {failed === null ? null : <div className="soft wrap-anywhere">{t('failed before: {error}', { error: failed.error })}</div>}
    </>
  );
}

const COUNTED = [
  ['delivered', 'delivered', 'delivered'],
  ['waiting', 'waiting', 'queued'],
  ['given_up', t('given up'), 'dead'],
] as const;

/** How many messages, with the way to them. */
function Week({ channel }: { readonly channel: ChannelView }) {
  const shown = COUNTED.filter(([field]) => channel[field] > 0);
  if (shown.length === 0) return <span className="faint">{t('none')}</span>;
  return (
    <span className="row-wrap">
      {shown.map(([field, word, status]) => (
        <Link key={field} to="/notifications" search={{ channel: channel.id, status }}>
          {`${channel[field]} ${word}`}
        </Link>
      ))}
    </span>
  );
}

const PUSH: Column<ChannelView> = {
  id: 'push',
  header: t('This browser'),
  cell: (channel) => (channel.kind === 'webpush' ? <PushButton id={channel.id} /> : null),
};

/** Asks the push service of this browser, or ends that. */
function PushButton({ id }: { readonly id: string }) {
  const pushed = usePushed();
  const push = useSwitchPush();
  const on = pushed.data === true;
  if (push.isPending) return t('One moment …');
  return (
    <>
      <button type="button" className="plain-button" onClick={() => push.mutate({ channel: id, on: !on })}>
        {on ? t('Switch pushes off') : t('Switch pushes on')}
      </button>
      <span role="status" className="soft">
        {push.isError ? ` ${push.error.message}` : ''}
      </span>
    </>
  );
}

const TEST: Column<ChannelView> = { id: 'test', header: t('Test'), cell: (channel) => <TestButton id={channel.id} /> };

function TestButton({ id }: { readonly id: string }) {
  const test = useTestChannel();
  return (
    <>
      <button
        type="button"
        className="plain-button"
        aria-label={t('Send a test through {id}', { id })}
        disabled={test.isPending}
        onClick={() => test.mutate(id)}
      >
        {t('Send a test')}
      </button>
      <div role="status" className="soft wrap-anywhere">
        {test.isPending ? t('Sending …') : test.isError ? t('Not asked: {message}', { message: test.error.message }) : answerOf(test.data)}
      </div>
    </>
  );
}

/** What the other side said, in words. */
function answerOf(test: ChannelTestWire | undefined): string {
  if (test === undefined) return '';
  const length = lengthText(test.duration_ms);
  if (!test.delivered) return t('Not delivered after {length}: {why}', { length, why: test.error ?? t('it gave no reason') });
  return test.receipt === null || test.receipt === ''
    ? t('Taken in {length}', { length })
    : t('Taken in {length}, receipt {receipt}', { length, receipt: test.receipt });
}

function DeadLetters({ mayAct }: { readonly mayAct: boolean }) {
  const dead = useQuery(deadLettersQuery());
  const retry = useRetryNotification();
  const items = dead.data?.items ?? [];
  if (items.length === 0) return null;
  const again: Column<NotificationView> = {
    id: 'retry',
    header: <span className="sr-only">{t('Send again')}</span>,
    cell: (notification) => (
      <button type="button" className="plain-button" onClick={() => retry.mutate(notification.id)}>
        {t('Send again')}
      </button>
    ),
  };
  return (
    <>
      <h3>{t('Given up')}</h3>
      {retry.isError ? <ErrorNotice error={retry.error} /> : null}
      <div className="panel">
        <DataTable
          caption={t('Notifications that were given up')}
          columns={mayAct ? [...DEAD, again] : DEAD}
          rows={items}
          rowKey={(item) => item.id}
        />
      </div>
    </>
  );
}

const DEAD: readonly Column<NotificationView>[] = [
  { id: 'channel', header: t('Channel'), cell: (item) => <span className="row-name">{item.channel}</span> },
  { id: 'at', header: t('At'), label: t('at'), cell: (item) => <Instant atMs={item.created_at_ms} /> },
  { id: 'tries', header: t('Tries'), label: t('tries'), numeric: true, cell: (item) => item.attempts },
  { id: 'error', header: t('Last error'), cell: (item) => item.last_error ?? '' },
];
