import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { checkQuery, failuresQuery } from '../api/queries.ts';
import type { CheckDetailView, ResultView } from '../api/wire.ts';
import { AttemptAt } from '../checks/attempt-at.tsx';
import { DurationCharts } from '../checks/duration-charts.tsx';
import { CheckWords, Failure, Pause, Results, WhyDown, confirmText } from '../checks/parts.tsx';
import { RunNow } from '../checks/run-now.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { UsedBy } from '../objects/used-by.tsx';
import { StateMark } from '../states/state-mark.tsx';
import { STATE_WORDS } from '../states/words.ts';
import { CheckRecovery } from './check-recovery.tsx';
import { Phases, kindText, millis, resultText } from './checks-table.tsx';
import { useTitle } from './use-title.ts';

type Of = { readonly check: CheckDetailView };

/** One check whole: what it says now, how long it takes and where, what its failures saw, and everything about it. */
export function CheckPage() {
  const { id } = useParams({ from: '/shell/checks/$id' });
  const { at } = useSearch({ from: '/shell/checks/$id' });
  const query = useQuery(checkQuery(id));
  const { data: check } = query;
  useTitle(check === undefined ? id : `${nameOf(check)}: ${STATE_WORDS[check.state]}`);
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <p className="crumb">
            <Link to="/checks">{t('Checks')}</Link>
          </p>
          <h1>{check === undefined ? id : nameOf(check)}</h1>
          {check === undefined ? null : <Head check={check} />}
        </div>
        {check === undefined ? null : (
          <div className="row-wrap">
            <Pause check={check} />
            <RunNow check={check} />
          </div>
        )}
      </header>
      {at === undefined ? null : <AttemptAt key={at} check={id} atMs={at} />}
      {check === undefined ? <Waiting query={query} what={t('the check')} /> : <Body check={check} />}
      {check === undefined && query.isError ? <Kept id={id} /> : null}
    </div>
  );
}

const nameOf = ({ id, name }: CheckDetailView): string => (name === '' ? id : name);

function Head({ check }: Of) {
  return (
    <>
      <CheckWords check={check} />
      <WhyDown check={check} />
      <p className="page-lead">
        {t('Part of')}{' '}
        <Link to="/services/$id" params={{ id: check.service }}>
          {check.service}
        </Link>{' '}
        <ObjectMenu kind="checks" id={check.id} />
      </p>
    </>
  );
}

function Body({ check }: Of) {
  const { hours = 1 } = useSearch({ from: '/shell/checks/$id' });
  const navigate = useNavigate({ from: '/checks/$id' });
  return (
    <>
      {check.last_failure === null ? null : <Failure check={check.id} result={check.last_failure} />}
      {check.kind === 'heartbeat' ? null : (
        <DurationCharts
          check={check}
          hours={hours}
          onHours={(next) => void navigate({ search: (before) => ({ ...before, hours: next }), replace: true, resetScroll: false })}
        />
      )}
      <Places check={check} />
      <div className="columns">
        <Section title={t('Latest results')}>
          {check.results.length === 0 ? <p className="faint">{t('None since Nines started.')}</p> : null}
          <Results check={check.id} results={check.results} />
        </Section>
        <Kept id={check.id} />
      </div>
      <CheckRecovery check={check.id} />
      <div className="columns">
        <Settings check={check} />
        <Section title={t('Used by')}>
          <UsedBy kind="checks" id={check.id} />
        </Section>
      </div>
    </>
  );
}

/** Failures of the past with what they saw; they stay when Nines starts anew, and when the check goes. */
function Kept({ id }: { readonly id: string }) {
  const kept = useQuery(failuresQuery(id, undefined));
  const items = kept.data?.items ?? [];
  return (
    <Section title={t('Failures with their evidence')} aside={t('newest first')}>
      {kept.data === undefined ? <Waiting query={kept} what={t('the failures')} /> : null}
      {kept.data !== undefined && items.length === 0 ? (
        <p className="empty empty-quiet">{t('It never failed, as far as is kept.')}</p>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable
            caption={t('Failures with their evidence')}
            columns={FAILURES}
            rows={items}
            rowKey={(one) => `${String(one.at_ms)} ${one.location ?? ''}`}
          />
        </div>
      )}
    </Section>
  );
}

const FAILURES: readonly Column<ResultView>[] = [
  {
    id: 'at',
    header: t('Begun at'),
    cell: (one) => (
      <Link to="." search={(before) => ({ ...before, at: one.at_ms })} className="row-name" data-row="">
        <Instant atMs={one.at_ms} relative={false} />
      </Link>
    ),
  },
  {
    id: 'what',
    header: t('What was seen'),
    cell: (one) => (one.location === null ? resultText(one) : `${one.location}: ${resultText(one)}`),
  },
  { id: 'address', header: t('Asked at'), label: t('asked at'), cell: (one) => <span className="mono">{one.address ?? '–'}</span> },
];

/** The newest result of every place that asks. */
function Places({ check }: Of) {
  if (check.vote === null) return null;
  const rows = check.vote.locations.map((location) => ({ location, last: check.results.find((one) => one.location === location) }));
  return (
    <Section title={t('Places')} aside={t('{quorum} must agree', { quorum: check.vote.quorum })}>
      <div className="panel">
        <DataTable caption={t('Places that ask')} columns={PLACES} rows={rows} rowKey={({ location }) => location} />
      </div>
    </Section>
  );
}

type Place = { readonly location: string; readonly last: ResultView | undefined };
const PLACES: readonly Column<Place>[] = [
  { id: 'location', header: t('Place'), cell: ({ location }) => <span className="row-name">{location}</span> },
  {
    id: 'state',
    header: t('Says'),
    cell: ({ last }) =>
      last === undefined ? (
        <span className="faint">{t('nothing since Nines started')}</span>
      ) : (
        <StateMark state={last.outcome === 'void' ? 'unknown' : last.outcome} />
      ),
  },
  {
    id: 'took',
    header: t('Took'),
    label: t('took'),
    numeric: true,
    cell: ({ last }) => (last === undefined ? '' : millis(last.duration_ms)),
  },
  { id: 'phases', header: t('Phases'), cell: ({ last }) => (last === undefined ? null : <Phases result={last} />) },
  { id: 'result', header: t('Last result'), cell: ({ last }) => (last === undefined ? '' : resultText(last)) },
  { id: 'at', header: t('When'), label: t('last'), cell: ({ last }) => (last === undefined ? '' : <Instant atMs={last.at_ms} />) },
];

/** How it is written, as far as it concerns what it says; all of it is in its YAML. */
function Settings({ check }: Of) {
  const facts: readonly (readonly [name: string, value: string])[] = [
    [t('Kind'), kindText(check.kind)],
    [t('Asks'), check.target],
    [t('Every'), lengthText(check.interval_ms)],
    [t('Gives up after'), lengthText(check.timeout_ms)],
    [t('Counts'), confirmText(check)],
    [t('When it is down'), check.impact === 'down' ? t('the service is down') : t('only degrades the service')],
    ...(check.vote === null ? [] : [[t('Asked from'), check.vote.locations.join(', ')] as const]),
  ];
  return (
    <Section title={t('Settings')}>
      <dl className="panel panel-pad facts facts-wide">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="wrap">{value}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
