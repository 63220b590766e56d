import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { servicesQuery } from '../api/queries.ts';
import { FilterInput } from '../components/filter-input.tsx';
import { matchesFilter, unmatched } from '../components/matches-filter.ts';
import { Waiting } from '../components/notices.tsx';
import { TeamFilter } from '../components/team-filter.tsx';
import { teamsOf } from '../components/teams.ts';
import { t } from '../language/t.ts';
import { DependencyMap } from '../services/dependency-map.tsx';
import { type ListChange, type MapSearch, mapSearch } from '../shell/search.ts';
import { AddService } from './add-service.tsx';
import { ServicesTable } from './services-table.tsx';
import { NoServices } from './teaching.tsx';
import { useTitle } from './use-title.ts';

/** Every service, the worst first. */
export function ServicesPage() {
  useTitle(t('Services'));
  const search = useSearch({ from: '/shell/services' });
  const { q = '', team, view } = search;
  const navigate = useNavigate({ from: '/services' });
  const query = useQuery(servicesQuery());
  const { data } = query;
  const items = data?.items ?? [];
  const teams = teamsOf(items);
  const shown = items.filter(
    (service) =>
      teams.has(team, [service.id]) && matchesFilter(q, [service.name, service.id, service.owner, service.state, ...service.tags]),
  );
  const go = (change: ListChange) => void navigate({ search: mapSearch({ ...search, ...change }), replace: true });
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Services')}</h1>
          <p className="page-lead">{countSentence(items.map((service) => service.state))}</p>
        </div>
        <div className="row-wrap">
          <TeamFilter teams={teams} value={team} onChange={(next) => go({ team: next })} />
          <FilterInput what={t('services')} value={q} onChange={(next) => go({ q: next })} />
          {items.length === 0 ? null : <AddService primary={false} />}
        </div>
      </header>
      {items.length === 0 ? null : <Views search={search} />}
      <Waiting query={query} what={t('services')} />
      {data !== undefined && items.length === 0 ? <NoServices /> : null}
      {items.length > 0 && shown.length === 0 ? (
        <p className="empty">{t('No service {unmatched}.', { unmatched: unmatched(q, team) })}</p>
      ) : null}
      {shown.length === 0 ? null : view === 'map' ? <DependencyMap services={shown} search={search} /> : <ServicesTable services={shown} />}
    </div>
  );
}

function Views({ search }: { readonly search: MapSearch }) {
  const tab = (view: 'map' | undefined, word: string) => (
    <Link to="/services" search={mapSearch({ ...search, view })} activeOptions={{ exact: true, includeSearch: true }}>
      {word}
    </Link>
  );
  return (
    <nav className="tabs no-print" aria-label={t('Views of the services')}>
      {tab(undefined, t('List'))}
      {tab('map', t('Dependencies'))}
    </nav>
  );
}

function countSentence(states: readonly string[]): string {
  const parts = ['down', 'degraded', 'unknown', 'up'].flatMap((state) => {
    const count = states.filter((each) => each === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return parts.join(', ');
}
