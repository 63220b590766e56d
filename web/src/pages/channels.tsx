import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useRetryNotification, useTestChannel } from '../api/actions.ts';
import { channelsQuery, deadLettersQuery } from '../api/queries.ts';
import { usePushed, useSwitchPush } from '../api/push.ts';
import type { ChannelView, NotificationView } from '../api/wire.ts';
import { answerOf } from '../channels/answer.ts';
import { ChannelDialog } from '../channels/channel-dialog.tsx';
import { MakeChannel } from '../channels/make-channel.tsx';
import { RemoveChannel } from '../channels/remove-channel.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { EmptyState, ErrorNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { StateMark } from '../states/state-mark.tsx';

/** Where alerts go, whether each channel works, and what could not be delivered. */
export function Channels() {
  const { add, channel } = useSearch({ from: '/shell/settings/channels' });
  const navigate = useNavigate({ from: '/settings/channels' });
  const channels = useQuery(channelsQuery());
  const mayAct = useCan('operate', 'notifications');
  const mayChange = useCan('administer', 'notifications');
  const items = channels.data?.items ?? [];
  const changed = mayChange ? items.find(({ id, origin }) => id === channel && origin === 'ui')?.id : undefined;
  const open = (next: string | undefined) => void navigate({ search: next === undefined ? {} : { channel: next } });
  const columns = [
    ...CHANNEL,
    ...(items.some(({ kind }) => kind === 'webpush') ? [PUSH] : []),
    ...(mayAct ? [TEST] : []),
    changeColumn(mayChange, open),
  ];
  return (
    <Section title={t('Where alerts go')} aside={items.length === 0 ? undefined : <MakeChannel primary={false} open={add === 1} />}>
      {channels.isError ? <ErrorNotice error={channels.error} retry={() => void channels.refetch()} /> : null}
      {channels.data !== undefined && items.length === 0 ? (
        <EmptyState action={<MakeChannel primary open={add === 1} />}>
          {t('Alerts are shown here and sent to nobody. A channel brings them to people: by mail, in a chat, to a telephone.')}
        </EmptyState>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption={t('Channels')} columns={columns} rows={items} rowKey={(one) => one.id} />
        </div>
      )}
      <ChannelDialog id={changed} opened={changed !== undefined} onClose={() => open(undefined)} />
      <DeadLetters mayAct={mayAct} />
    </Section>
  );
}

const CHANNEL: readonly Column<ChannelView>[] = [
  {
    id: 'name',
    header: t('Channel'),
    cell: ({ id, kind, takes_rest: takesRest }) => (
      <>
        <span className="row-name">{id}</span> <span className="faint">{kind}</span> <ObjectMenu kind="channels" id={id} name={id} />
        {takesRest ? <div className="soft">{t('takes what no other route takes')}</div> : null}
      </>
    ),
  },
  { id: 'target', header: t('Sends to'), label: t('to'), cell: (channel) => <span className="mono">{channel.target}</span> },
  { id: 'state', header: t('Last message'), label: t('last message'), cell: (channel) => <Last channel={channel} /> },
  { id: 'week', header: t('In 7 days'), label: t('in 7 days'), cell: (channel) => <Week channel={channel} /> },
];

/** Whether it works, by the last that is known of it. */
function Last({ channel: { delivered_at_ms: deliveredAtMs, failed, fault } }: { readonly channel: ChannelView }) {
  if (fault !== null) {
    return (
      <>
        <StateMark state="down" word={t('Cannot send')} />
        <div className="soft wrap-anywhere">{fault}</div>
      </>
    );
  }
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

/** Where a channel is changed: here, or in the file that declares it. */
const changeColumn = (mayChange: boolean, onChange: (id: string) => void): Column<ChannelView> => ({
  id: 'change',
  header: <span className="sr-only">{t('Actions')}</span>,
  cell: ({ id, origin, takes_rest: takesRest }) =>
    origin !== 'ui' ? (
      <span className="soft">{t('Changed in {place}', { place: origin })}</span>
    ) : mayChange ? (
      <span className="row-wrap row-actions">
        <button type="button" className="plain-button" aria-label={t('Change {name}', { name: id })} onClick={() => onChange(id)}>
          {t('Change')}
        </button>
        <RemoveChannel id={id} takesRest={takesRest} />
      </span>
    ) : (
      <span className="faint">{t('made here')}</span>
    ),
});

const TEST: Column<ChannelView> = { id: 'test', header: t('Test'), cell: (channel) => <TestButton id={channel.id} /> };

function TestButton({ id }: { readonly id: string }) {
  const test = useTestChannel();
  return (
    <>
      <button
        type="button"
        className="plain-button nowrap"
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
