import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { slasQuery } from '../api/queries.ts';
import { FilterInput } from '../components/filter-input.tsx';
import { matchesFilter, unmatched } from '../components/matches-filter.ts';
import { Waiting } from '../components/notices.tsx';
import { TeamFilter, useTeams } from '../components/team-filter.tsx';
import { MakeSla } from '../home/make-sla.tsx';
import { t } from '../language/t.ts';
import { type ListChange, listSearch } from '../shell/search.ts';
import { byBudget } from './sla-order.ts';
import { SlasTable } from './slas-table.tsx';
import { NoSlas } from './teaching.tsx';
import { useTitle } from './use-title.ts';

/** Every SLA, the one with the least budget left first. */
export function SlasPage() {
  useTitle('SLAs');
  const search = useSearch({ from: '/shell/slas' });
  const { q = '', team } = search;
  const navigate = useNavigate({ from: '/slas' });
  const query = useQuery(slasQuery());
  const { data } = query;
  const items = data?.items ?? [];
  const teams = useTeams();
  const shown = items
    .filter((sla) => teams.has(team, [sla.service]) && matchesFilter(q, [sla.id, sla.name, sla.service, sla.status]))
    .sort(byBudget);
  const go = (change: ListChange) => void navigate({ search: listSearch({ ...search, ...change }), replace: true });
  const met = items.filter((sla) => sla.status === 'met').length;
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('SLAs')}</h1>
          <p className="page-lead">
            {items.length === 0 ? '' : t('{met} of {items} kept; the least budget first.', { met, items: items.length })}
          </p>
        </div>
        <div className="row-wrap">
          <TeamFilter teams={teams} value={team} onChange={(next) => go({ team: next })} />
          <FilterInput what={t('SLAs')} value={q} onChange={(next) => go({ q: next })} />
          {items.length === 0 ? null : <MakeSla primary={false} />}
        </div>
      </header>
      <Waiting query={query} what={t('SLAs')} />
      {data !== undefined && items.length === 0 ? <NoSlas /> : null}
      {items.length > 0 && shown.length === 0 ? (
        <p className="empty">{t('No SLA {unmatched}.', { unmatched: unmatched(q, team) })}</p>
      ) : null}
      {shown.length > 0 ? <SlasTable slas={shown} /> : null}
    </div>
  );
}
