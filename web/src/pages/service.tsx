import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ApiProblem } from '../api/problem.ts';
import { type Retirement, useRetireService } from '../api/actions.ts';
import { alertsQuery, downtimeQuery, serviceQuery, slasQuery, timelineQuery } from '../api/queries.ts';
import type { ServiceDetailView } from '../api/wire.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { ErrorNotice, Waiting } from '../components/notices.tsx';
import { windowText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { Section } from '../components/section.tsx';
import { useNow, useNowStep } from '../shell/now.ts';
import { RANGES, type Range, fittingRange, rangeMs, viewOf } from '../shell/search.ts';
import { Headline, StateMark } from '../states/state-mark.tsx';
import { Evidence } from '../timeline/evidence.tsx';
import { Timeline } from '../timeline/timeline.tsx';
import { LONGEST_VIEW_MS, type View, clampView, minutesOf } from '../timeline/view.ts';
import { AlertList } from './alert-list.tsx';
import { DeploymentsList } from './deployments-list.tsx';
import { CheckDrawer } from './check-drawer.tsx';
import { ChecksTable } from './checks-table.tsx';
import { DowntimeDrawer } from './downtime-drawer.tsx';
import { DowntimeTable } from './downtime-table.tsx';
import { ImportedNote } from './imported-note.tsx';
import { ImpactSection } from './impact.tsx';
import { LatencyChart } from './latency-chart.tsx';
import { Members } from './members.tsx';
import { OutageFigures } from './outage-figures.tsx';
import { Planned } from './planned.tsx';
import { RetireService } from './retire-service.tsx';
import { serviceSentence } from './sentences.ts';
import { SlaCard } from './sla-card.tsx';
import { Uptime } from './uptime.tsx';
import { useTitle } from './use-title.ts';

/** A view that follows the present moves on every five seconds; finer would only ask the same again. */
const FOLLOW_MS = 5_000;

/** One service: what it is now, what it was, how we know. */
export function ServicePage() {
  const { id } = useParams({ from: '/shell/services/$id' });
  const retire = useRetireService();
  // Once the service may be gone nothing of it is asked for any more; a refusal brings the page back.
  const leaving = retire.isPending || retire.isSuccess;
  const service = useQuery({ ...serviceQuery(id), enabled: !leaving });
  if (leaving) {
    return (
      <div className="page">
        <p className="loading">{t('Retiring the service…')}</p>
      </div>
    );
  }
  // One that somebody else retired is gone too, whatever was read of it before.
  const isGone = service.error instanceof ApiProblem && service.error.status === 404;
  if (service.data === undefined || isGone) {
    return (
      <div className="page">
        <Waiting query={service} what={t('the service')} />
      </div>
    );
  }
  return <Loaded service={service.data} retire={retire} />;
}

function Loaded({ service, retire }: { readonly service: ServiceDetailView; readonly retire: Retirement }) {
  const now = useNow();
  const sentence = serviceSentence(service, now);
  useTitle(sentence);
  const search = useSearch({ from: '/shell/services/$id' });
  const present = useNowStep(FOLLOW_MS);
  const range = fittingRange(service.monitored_since_at_ms, present);
  const view = viewOf(search, range, present);
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <p className="crumb">
            <Link to="/services">{t('Services')}</Link>
          </p>
          <Headline state={service.state}>{sentence}</Headline>
          <ServiceFacts service={service} />
        </div>
        <RetireService service={service} retire={retire} />
      </header>
      <History service={service} view={view} range={range} present={present} />
      <Members service={service} view={view} />
      <ImpactSection service={service} />
      <Planned planned={service.maintenance} />
      <DeploymentsList title={t('Deployments')} services={[service.id]} {...minutesOf(view)} teach />
      <Section title={t('Uptime')} aside={t('from the ledger')}>
        <Uptime uptime={Object.values(service.uptime)} downtimes={service.downtimes} />
      </Section>
      <Checks service={service} view={view} />
      <Promises service={service} />
      <Downtimes service={service} />
    </div>
  );
}

function ServiceFacts({ service }: { readonly service: ServiceDetailView }) {
  const facts = [
    service.owner === '' ? '' : t('Owned by {owner}', { owner: service.owner }),
    service.tags.length === 0 ? '' : service.tags.join(', '),
    service.origin.place === null ? '' : t('declared in {place}', { place: service.origin.place }),
  ].filter((fact) => fact !== '');
  return (
    <p className="page-lead">
      {facts.join(' · ')}
      {service.depends_on.length === 0 ? null : (
        <>
          {facts.length === 0 ? `${t('Depends on')} ` : ` · ${t('depends on')} `}
          {service.depends_on.map((parent, index) => (
            <span key={parent}>
              {index === 0 ? '' : ', '}
              <Link to="/services/$id" params={{ id: parent }}>
                {parent}
              </Link>
            </span>
          ))}
        </>
      )}{' '}
      <ObjectMenu kind="services" id={service.id} />
    </p>
  );
}

const atOf = ({ at }: { readonly at?: number }) => (at === undefined ? {} : { at });

type HistoryProps = { readonly service: ServiceDetailView; readonly view: View; readonly range: Range; readonly present: number };

function History({ service, view, range, present }: HistoryProps) {
  const search = useSearch({ from: '/shell/services/$id' });
  const navigate = useNavigate({ from: '/services/$id' });
  const timeline = useQuery(timelineQuery(service.id, view.fromMs, view.toMs));
  const limit = { fromMs: present - LONGEST_VIEW_MS, toMs: present };
  const toView = (next: View) => {
    const { fromMs, toMs } = clampView(next, limit);
    void navigate({ search: { ...atOf(search), from: fromMs, to: toMs }, resetScroll: false });
  };
  const toOpen = (atMs: number | null) => {
    const { at: _closed, ...rest } = search;
    void navigate({ search: atMs === null ? rest : { ...rest, at: atMs }, replace: true, resetScroll: false });
  };
  const chosen = search.from === undefined ? (search.range ?? range) : '';
  return (
    <Section
      title={t('Time line')}
      aside={
        <SegmentedControl
          size="xs"
          aria-label={t('Range')}
          data={RANGES.map((range) => ({ value: range, label: windowText(rangeMs(range)) }))}
          value={chosen}
          onChange={(value) => void navigate({ search: { range: value as Range } })}
        />
      }
    >
      {timeline.isError && timeline.data === undefined ? (
        <ErrorNotice error={timeline.error} retry={() => void timeline.refetch()} />
      ) : null}
      <Timeline
        name={service.name}
        intervals={timeline.data?.intervals ?? NO_INTERVALS}
        view={view}
        limit={limit}
        onView={toView}
        openAtMs={search.at ?? null}
        onOpen={toOpen}
        evidence={(interval, close) => <Evidence interval={interval} onClose={close} />}
      />
      <ImportedNote imported={timeline.data?.imported ?? []} />
      <div className="legend">
        <StateMark state="up" />
        <StateMark state="degraded" />
        <StateMark state="down" />
        <StateMark state="unknown" word={t('Unknown (not counted as up)')} />
      </div>
    </Section>
  );
}

function Checks({ service, view }: { readonly service: ServiceDetailView; readonly view: View }) {
  const timeline = useQuery(timelineQuery(service.id, view.fromMs, view.toMs));
  const search = useSearch({ from: '/shell/services/$id' });
  const navigate = useNavigate({ from: '/services/$id' });
  const mine = service.checks;
  if (mine.length === 0) return null;
  return (
    <Section title={t('Checks')}>
      <ChecksTable checks={mine} withService={false} />
      <div className="panel panel-pad">
        <LatencyChart
          service={service.id}
          view={view}
          intervals={timeline.data?.intervals ?? NO_INTERVALS}
          everyMs={Math.min(...mine.map((check) => check.interval_ms))}
          onZoom={(next) => void navigate({ search: { from: next.fromMs, to: next.toMs } })}
        />
      </div>
      <CheckDrawer
        id={search.check}
        onClose={() => {
          const { check: _closed, ...rest } = search;
          void navigate({ search: rest, resetScroll: false });
        }}
      />
    </Section>
  );
}

const NO_INTERVALS: readonly never[] = [];

function Promises({ service }: { readonly service: ServiceDetailView }) {
  const slas = useQuery(slasQuery());
  const alerts = useQuery(alertsQuery({ service: service.id }));
  const mine = slas.data?.items.filter((sla) => sla.service === service.id) ?? [];
  const open = alerts.data?.items ?? [];
  return (
    <>
      {open.length === 0 ? null : (
        <Section title={t('Open alerts')}>
          <AlertList alerts={open} />
        </Section>
      )}
      {mine.length === 0 ? null : (
        <Section title={t('SLAs')}>
          <div className="sla-list">
            {mine.map((sla) => (
              <SlaCard key={sla.id} sla={sla} />
            ))}
          </div>
        </Section>
      )}
    </>
  );
}

function Downtimes({ service }: { readonly service: ServiceDetailView }) {
  const downtimes = useQuery(downtimeQuery(service.id));
  const search = useSearch({ from: '/shell/services/$id' });
  const navigate = useNavigate({ from: '/services/$id' });
  const items = downtimes.data?.items ?? [];
  return (
    <Section title={t('Downtimes')} aside={items.length === 0 ? undefined : t('{items} kept', { items: items.length })}>
      {downtimes.isError && downtimes.data === undefined ? (
        <ErrorNotice error={downtimes.error} retry={() => void downtimes.refetch()} />
      ) : null}
      {downtimes.data !== undefined && items.length === 0 ? (
        <p className="empty empty-quiet">{t('No downtime since monitoring began.')}</p>
      ) : null}
      <OutageFigures service={service.id} />
      {items.length === 0 ? null : <DowntimeTable downtimes={items} />}
      <DowntimeDrawer
        id={search.downtime}
        onClose={() => {
          const { downtime: _closed, ...rest } = search;
          void navigate({ search: rest, resetScroll: false });
        }}
      />
    </Section>
  );
}
