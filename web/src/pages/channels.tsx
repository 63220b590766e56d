import { useQuery } from '@tanstack/react-query';
import { useRetryNotification, useTestChannel } from '../api/actions.ts';
import { channelsQuery, deadLettersQuery } from '../api/queries.ts';
import { usePushed, useSwitchPush } from '../api/push.ts';
import type { ChannelWire, NotificationView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { EmptyState, ErrorNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { useMay } from '../shell/session.tsx';

const SNIPPET = `channels:
  - id: hook
    kind: webhook
    url: https://chat.example.org/hooks/nines
routing:
  default: [hook]`;

/** Where alerts go, whether each channel works, and what could not be delivered. */
export function Channels() {
  const channels = useQuery(channelsQuery());
  const mayAct = useMay('operate');
  const items = channels.data?.items ?? [];
  const columns = [...CHANNEL, ...(items.some(({ kind }) => kind === 'webpush') ? [PUSH] : []), ...(mayAct ? [TEST] : [])];
  return (
    <Section title="Channels">
      {channels.isError ? <ErrorNotice error={channels.error} retry={() => void channels.refetch()} /> : null}
      {channels.data !== undefined && items.length === 0 ? (
        <EmptyState command={SNIPPET}>Alerts are shown here and sent to nobody. Name a channel in the configuration file.</EmptyState>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption="Channels" columns={columns} rows={items} rowKey={(channel) => channel.id} />
        </div>
      )}
      <DeadLetters mayAct={mayAct} />
    </Section>
  );
}

const CHANNEL: readonly Column<ChannelWire>[] = [
  { id: 'name', header: 'Name', cell: (channel) => <span className="row-name">{channel.id}</span> },
  { id: 'kind', header: 'Kind', cell: (channel) => channel.kind },
  { id: 'target', header: 'Sends to', cell: (channel) => <span className="mono">{channel.target}</span> },
];
const PUSH: Column<ChannelWire> = {
  id: 'push',
  header: 'This browser',
  cell: (channel) => (channel.kind === 'webpush' ? <PushButton id={channel.id} /> : null),
};

/** Asks the push service of this browser, or ends that. */
function PushButton({ id }: { readonly id: string }) {
  const pushed = usePushed();
  const push = useSwitchPush();
  const on = pushed.data === true;
  if (push.isPending) return 'One moment …';
  return (
    <>
      <button type="button" className="plain-button" onClick={() => push.mutate({ channel: id, on: !on })}>
        {on ? 'Switch pushes off' : 'Switch pushes on'}
      </button>
      <span role="status" className="soft">
        {push.isError ? ` ${push.error.message}` : ''}
      </span>
    </>
  );
}

const TEST: Column<ChannelWire> = { id: 'test', header: 'Test', cell: (channel) => <TestButton id={channel.id} /> };

function TestButton({ id }: { readonly id: string }) {
  const test = useTestChannel();
  if (test.isPending) return 'Sending …';
  return (
    <>
      <button type="button" className="plain-button" aria-label={`Send a test through ${id}`} onClick={() => test.mutate(id)}>
        Send a test
      </button>
      <span role="status" className="soft">
        {test.isError ? ` ${test.error.message}` : ''}
        {test.data === undefined
          ? ''
          : test.data.delivered
            ? ` delivered in ${lengthText(test.data.duration_ms)}`
            : ` failed: ${test.data.error ?? ''}`}
      </span>
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
    header: <span className="sr-only">Send again</span>,
    cell: (notification) => (
      <button type="button" className="plain-button" onClick={() => retry.mutate(notification.id)}>
        Send again
      </button>
    ),
  };
  return (
    <>
      <h3>Given up</h3>
      {retry.isError ? <ErrorNotice error={retry.error} /> : null}
      <div className="panel">
        <DataTable
          caption="Notifications that were given up"
          columns={mayAct ? [...DEAD, again] : DEAD}
          rows={items}
          rowKey={(item) => item.id}
        />
      </div>
    </>
  );
}

const DEAD: readonly Column<NotificationView>[] = [
  { id: 'channel', header: 'Channel', cell: (item) => <span className="row-name">{item.channel}</span> },
  { id: 'at', header: 'At', label: 'at', cell: (item) => <Instant atMs={item.created_at_ms} /> },
  { id: 'tries', header: 'Tries', label: 'tries', numeric: true, cell: (item) => item.attempts },
  { id: 'error', header: 'Last error', cell: (item) => item.last_error ?? '' },
];
