import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { type RouteView, type RoutingTestView, type RoutingView, routingQuery, routingTestQuery } from '../api/routing.ts';
import { MakeChannel } from '../channels/make-channel.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyState, RefusedNotice, Waiting } from '../components/notices.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { labelsOfText } from './label-text.ts';
import { useTitle } from './use-title.ts';
import { fromServer } from '../language/server-text.ts';
import { listText } from '../figures/list.ts';
import { rich, t } from '../language/t.ts';

/** Each step of the tree is one indent of this many pixels. */
const INDENT_PX = 20;

/** Where alerts go: the tree of routes, and where one alert would go. */
export function RoutesPage() {
  useTitle(t('Routes'));
  const { labels: asked } = useSearch({ from: '/shell/routes' });
  const navigate = useNavigate({ from: '/routes' });
  const query = useQuery(routingQuery());
  const labels = asked === undefined ? undefined : labelsOfText(asked);
  const test = useQuery({ ...routingTestQuery(labels?.ok === true ? labels.value : {}), enabled: labels?.ok === true });
  const tested = labels?.ok === true ? test.data : undefined;
  const { data } = query;
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Routes')}</h1>
          <p className="page-lead">{data === undefined ? '' : lead(data)}</p>
        </div>
      </header>
      <Waiting query={query} what={t('routes')} />
      {data === undefined ? null : data.routes.length === 0 && data.default_channels.length === 0 ? (
        <EmptyState action={<MakeChannel primary />}>
          {t('Alerts are shown here and sent to nobody. A channel brings them to people: by mail, in a chat, to a telephone.')}
        </EmptyState>
      ) : (
        <>
          <Section title={t('Where would this alert go?')}>
            <TestForm
              key={asked ?? ''}
              asked={asked ?? ''}
              onAsk={(text) => void navigate({ search: text === '' ? {} : { labels: text }, replace: true })}
            />
            {labels?.ok === false ? <p role="alert">{labels.error}</p> : null}
            {test.isError && labels?.ok === true ? <RefusedNotice error={test.error} /> : null}
            {tested === undefined ? null : <Verdict test={tested} />}
          </Section>
          <Tree routing={data} test={tested} />
          <Rest routing={data} />
        </>
      )}
    </div>
  );
}

function lead({ routes, default_channels: channels, alertmanager_file: file }: RoutingView): string {
  if (routes.length === 0)
    return channels.length === 0
      ? ''
      : t('Every alert goes to {channels}, by alert name and service, at once.', { channels: channels.join(', ') });
  const from = file === null ? '' : ` ${t('They come from {file}.', { file })}`;
  const also = channels.length === 0 ? '' : ` ${t('What only the root takes also goes to {channels}.', { channels: channels.join(', ') })}`;
  return `${t('{count, plural, one {# route} other {# routes}}; an alert takes the first that matches, and goes on where a route continues.', { count: routes.length })}${from}${also}`;
}

function TestForm({ asked, onAsk }: { readonly asked: string; readonly onAsk: (text: string) => void }) {
  const [text, setText] = useState(asked);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAsk(text.trim());
  };
  return (
    <form className="inline-form" onSubmit={submit}>
      <TextInput
        data-filter=""
        aria-label={t('Labels of the alert')}
        placeholder='alertname=High service="web shop" severity=critical'
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit">{t('Show the way')}</Button>
    </form>
  );
}

function Verdict({ test }: { readonly test: RoutingTestView }) {
  const { matches, held } = test;
  const reached = matches.filter(({ channels, resting }) => channels.length > 0 && resting === null);
  return (
    <div role="status" aria-label={t('Where it goes')}>
      {held.map(({ kind, cause }) => (
        <p key={kind}>{rich('<b>Nobody is told now:</b> {cause}.', { b: (inner) => <strong>{inner}</strong>, cause })}</p>
      ))}
      {held.length === 0 && reached.length === 0 ? (
        <p>
          <strong>{t('Nobody is told.')}</strong>
        </p>
      ) : null}
      <ul className="plain-list" aria-label={t('Receivers')}>
        {matches.map((match) => (
          <li key={`${match.route} ${match.receiver}`}>
            <strong>{match.receiver}</strong>
            {match.channels.length === 0
              ? `, ${t('which has no channel')}`
              : match.channels.join() === match.receiver
                ? ''
                : ` ${t('by {channels}', { channels: match.channels.join(', ') })}`}
            {match.resting === null ? '' : `; ${t('keeps quiet now: {why}', { why: match.resting })}`}
            <div className="soft">
              {t('In one message with alerts of {group}, {timing}.', { group: groupText(match.group_labels), timing: timingText(match) })}{' '}
              <span className="mono">{match.group_key}</span>
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}

const groupText = (labels: Readonly<Record<string, string>>): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return pairs.length === 0 ? t('the same route') : listText(pairs);
};

type Timings = Pick<RouteView, 'group_wait_ms' | 'group_interval_ms' | 'repeat_interval_ms'>;
const timingText = ({ group_wait_ms: wait, group_interval_ms: interval, repeat_interval_ms: repeat }: Timings): string =>
  [
    wait === 0 ? t('at once') : t('after {length}', { length: lengthText(wait) }),
    interval === 0 ? t('changes at once') : t('changes every {length}', { length: lengthText(interval) }),
    t('repeated after {length}', { length: lengthText(repeat) }),
  ].join(', ');

function Tree({ routing, test }: { readonly routing: RoutingView; readonly test: RoutingTestView | undefined }) {
  if (routing.routes.length === 0) return null;
  const steps = new Map(test?.steps.map((step) => [step.route, step]));
  const channels = new Map(routing.receivers.map(({ name, channels: its }) => [name, its]));
  const columns: readonly Column<RouteView>[] = [
    { id: 'matches', header: t('Matches'), cell: (route) => <Matches route={route} /> },
    ...(test === undefined
      ? []
      : [{ id: 'step', header: t('This alert'), label: t('this alert'), cell: ({ id }: RouteView) => <Step step={steps.get(id)} /> }]),
    { id: 'receiver', header: t('Receiver'), label: t('receiver'), cell: (route) => route.receiver },
    {
      id: 'channels',
      header: t('Channels'),
      label: t('channels'),
      cell: ({ receiver }) =>
        channels
          .get(receiver)
          ?.map(({ id }) => id)
          .join(', ') || <span className="faint">{t('none')}</span>,
    },
    {
      id: 'groups',
      header: t('One message for'),
      label: t('one message for'),
      cell: (route) => <span className="mono">{groupsText(route)}</span>,
    },
    { id: 'timing', header: t('When'), label: t('when'), cell: (route) => <span className="soft">{timingText(route)}</span> },
    { id: 'intervals', header: t('Intervals'), label: t('intervals'), cell: (route) => intervalsText(route) },
  ];
  // Beside what came of each route there is no room for what it says; a tree without intervals has no column for them.
  const left = [...(test === undefined ? [] : ['timing', 'groups']), ...(routing.time_intervals.length === 0 ? ['intervals'] : [])];
  const shown = columns.filter(({ id }) => !left.includes(id));
  return (
    <Section title={t('Routes')} aside={t('{count} in the order they are asked', { count: routing.routes.length })}>
      <div className="panel">
        <DataTable
          caption={t('Routes')}
          columns={shown}
          rows={routing.routes}
          rowKey={({ id }) => id}
          rowClass={({ id }) => (test !== undefined && steps.get(id)?.outcome === 'not_asked' ? 'faint' : '')}
        />
      </div>
    </Section>
  );
}

function Matches({ route }: { readonly route: RouteView }) {
  return (
    <span className="row-name mono" style={{ paddingInlineStart: route.depth * INDENT_PX }}>
      {route.depth === 0 ? '' : '└ '}
      {route.matchers.length === 0 ? t('everything') : route.matchers.join(', ')}
      {route.continues ? <span className="soft">{` ${t('and continues')}`}</span> : null}{' '}
      <ObjectMenu
        kind="routes"
        id={route.id === '' ? 'root' : route.id}
        name={route.matchers.join(', ') || t('everything')}
        history={false}
      />
    </span>
  );
}

const OUTCOMES = {
  taken: `● ${t('goes here')}`,
  passed: `◐ ${t('matches')}`,
  failed: `✕ ${t('no')}`,
  not_asked: `– ${t('not asked')}`,
} as const;

function Step({ step }: { readonly step: RoutingTestView['steps'][number] | undefined }) {
  if (step === undefined) return null;
  const word = OUTCOMES[step.outcome];
  return (
    <span>
      {step.outcome === 'taken' ? <strong>{word}</strong> : word}
      <span className="soft">{`: ${fromServer(step.reason)}`}</span>
    </span>
  );
}

const groupsText = ({ group_by: names }: RouteView): string =>
  names.includes('...') ? t('each alert') : names.length === 0 ? t('all alerts') : names.join(', ');

function intervalsText({ mute_time_intervals: mute, active_time_intervals: active }: RouteView): string {
  const parts = [
    mute.length === 0 ? '' : t('quiet in {intervals}', { intervals: mute.join(', ') }),
    active.length === 0 ? '' : t('only in {intervals}', { intervals: active.join(', ') }),
  ];
  return parts.filter((part) => part !== '').join('; ');
}

const RECEIVER: readonly Column<RoutingView['receivers'][number]>[] = [
  { id: 'name', header: t('Receiver'), cell: ({ name }) => <span className="row-name">{name}</span> },
  {
    id: 'channels',
    header: t('Channels'),
    label: t('channels'),
    cell: ({ channels }) =>
      channels.length === 0 ? (
        <span className="faint">{t('none: nobody is told')}</span>
      ) : (
        channels.map(({ id, kind, target }) => `${id} (${kind}, ${target})`).join('; ')
      ),
  },
];

const INTERVAL: readonly Column<RoutingView['time_intervals'][number]>[] = [
  { id: 'name', header: t('Time interval'), cell: ({ name }) => <span className="row-name">{name}</span> },
  {
    id: 'now',
    header: t('Now'),
    label: t('now'),
    cell: ({ begun }) => (begun ? <strong>{`● ${t('inside')}`}</strong> : `○ ${t('outside')}`),
  },
  {
    id: 'spans',
    header: t('When'),
    label: t('when'),
    cell: ({ spans }) => <span className="mono">{spans.map((span) => spanText(span)).join('; ')}</span>,
  },
];

/** The fields of a span as they are written, without their quotes. */
const spanText = (span: Readonly<Record<string, unknown>>): string =>
  Object.entries(span)
    .map(
      ([name, value]) =>
        `${name.replaceAll('_', ' ')} ${JSON.stringify(value)
          .replace(/["[\]{}]/g, '')
          .replace(/start_time:([\d:]+),end_time:/g, '$1–')}`,
    )
    .join(', ');

function Rest({ routing }: { readonly routing: RoutingView }) {
  const { receivers, inhibit_rules: rules, time_intervals: intervals } = routing;
  return (
    <>
      <Section title={t('Receivers')} aside={`${receivers.length}`}>
        <div className="panel">
          <DataTable caption={t('Receivers')} columns={RECEIVER} rows={receivers} rowKey={({ name }) => name} />
        </div>
      </Section>
      {rules.length === 0 ? null : (
        <Section title={t('Inhibition')} aside={t('what is kept from people while something else fires')}>
          <ul className="plain-list" aria-label={t('Inhibition rules')}>
            {rules.map((rule) => (
              <li key={rule} className="mono">
                {rule}
              </li>
            ))}
          </ul>
        </Section>
      )}
      {intervals.length === 0 ? null : (
        <Section title={t('Time intervals')} aside={t('for routes that rest')}>
          <div className="panel">
            <DataTable caption={t('Time intervals')} columns={INTERVAL} rows={intervals} rowKey={({ name }) => name} />
          </div>
        </Section>
      )}
    </>
  );
}
