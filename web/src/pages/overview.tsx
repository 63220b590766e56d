import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { alertCountsQuery, urgentAlertsQuery } from '../api/alerts.ts';
import { hostQuery, servicesQuery, slasQuery } from '../api/queries.ts';
import { Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { Checklist, useChecklist } from '../home/checklist.tsx';
import { t } from '../language/t.ts';
import { Parts } from '../home/parts.tsx';
import { Resources } from '../home/resources.tsx';
import { SystemFacts } from '../home/system-facts.tsx';
import { useNow } from '../shell/now.ts';
import { useSession } from '../shell/session.tsx';
import { Headline } from '../states/state-mark.tsx';
import { AlertList } from './alert-list.tsx';
import { HomeInsights } from './home-insights.tsx';
import { HostCards } from './host-cards.tsx';
import { countsSentence, overviewSentence, worstState } from './sentences.ts';
import { ServicesTable, byTrouble } from './services-table.tsx';
import { SlaCard } from './sla-card.tsx';
import { NoServices, NoSlas } from './teaching.tsx';
import { byBudget } from './sla-order.ts';
import { useTitle } from './use-title.ts';

/** More than these stand behind "all": the overview is read at a glance. */
const MOST_SERVICES = 12;
const MOST_ALERTS = 8;
const MOST_SLAS = 9;

/** The first page: the worst thing first, then services, alerts, promises, and the host itself. */
export function OverviewPage() {
  const now = useNow();
  const services = useQuery(servicesQuery());
  const alerts = useQuery(alertCountsQuery({}));
  const { scope } = useSession();
  const headline = services.data === undefined ? t('Overview') : overviewSentence(services.data.items, now, { scoped: scope !== '' });
  useTitle(headline);
  // A first start has nothing to show but the host: then it comes first, and only one thing is taught.
  const bare = services.data?.items.length === 0;
  return (
    <div className="page">
      <header className="page-head">
        <div>
          {services.data === undefined || services.data.items.length === 0 ? (
            <h1>{headline}</h1>
          ) : (
            <Headline state={worstState(services.data.items)}>{headline}</Headline>
          )}
          <p className="page-lead">{alerts.data === undefined ? ' ' : countsSentence(alerts.data)}</p>
        </div>
      </header>
      <Checklist />
      {bare ? <Host /> : null}
      <div className="columns">
        <Services />
        <Alerts />
      </div>
      {bare ? null : (
        <>
          <HomeInsights />
          <Slas />
          <Health />
          <Host />
        </>
      )}
    </div>
  );
}

/** The host belongs to no team: who sees a part of the installation hardly ever sees its series. */
function Host() {
  const { scope } = useSession();
  const host = useQuery(hostQuery());
  if (scope !== '' && typeof host.data?.memory.total_bytes !== 'number') return null;
  return (
    <Section title={t('This host')} aside={t('up to the last hour')}>
      <HostCards />
      <Resources />
      <SystemFacts />
    </Section>
  );
}

/** The parts of the product, and what services stand on. */
function Health() {
  const { scope } = useSession();
  if (scope !== '') return null;
  return (
    <Section title={t('Parts and dependencies')} aside={<Link to="/health">{t('Health')}</Link>}>
      <Parts />
    </Section>
  );
}

function Services() {
  const query = useQuery(servicesQuery());
  const { data } = query;
  const items = data?.items ?? [];
  return (
    <Section
      title={t('Services')}
      aside={items.length === 0 ? undefined : <Link to="/services">{t('All {count}', { count: items.length })}</Link>}
    >
      <Waiting query={query} what={t('services')} />
      {data !== undefined && items.length === 0 ? <NoServices /> : null}
      {items.length > 0 ? <ServicesTable services={[...items].sort(byTrouble).slice(0, MOST_SERVICES)} brief /> : null}
    </Section>
  );
}

function Alerts() {
  const query = useQuery(urgentAlertsQuery(MOST_ALERTS));
  const counts = useQuery(alertCountsQuery({}));
  const { data } = query;
  const items = data?.items ?? [];
  return (
    <Section
      title={t('Alerts')}
      aside={
        items.length === 0 ? undefined : (
          <Link to="/alerts-dashboard">{t('All {count} open', { count: counts.data?.total ?? items.length })}</Link>
        )
      }
    >
      <Waiting query={query} what={t('alerts')} />
      {data !== undefined && items.length === 0 ? (
        <p className="empty empty-quiet">{t('Nothing is open. An alert appears here the moment it fires.')}</p>
      ) : null}
      {items.length > 0 ? <AlertList alerts={items} /> : null}
    </Section>
  );
}

function Slas() {
  const query = useQuery(slasQuery());
  const { data } = query;
  const items = data?.items ?? [];
  const isTaught = useChecklist() !== undefined;
  // The list of what is to be done says it already.
  if (isTaught && data !== undefined && items.length === 0) return null;
  return (
    <Section title={t('SLAs')} aside={items.length === 0 ? undefined : <Link to="/slas">{t('All {count}', { count: items.length })}</Link>}>
      <Waiting query={query} what={t('SLAs')} />
      {data !== undefined && items.length === 0 ? <NoSlas /> : null}
      <div className="sla-list">
        {[...items]
          .sort(byBudget)
          .slice(0, MOST_SLAS)
          .map((sla) => (
            <SlaCard key={sla.id} sla={sla} />
          ))}
      </div>
    </Section>
  );
}
