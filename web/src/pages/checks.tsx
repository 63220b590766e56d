import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { checksQuery } from '../api/queries.ts';
import type { CheckView } from '../api/wire.ts';
import { FilterInput } from '../components/filter-input.tsx';
import { matchesFilter, unmatched } from '../components/matches-filter.ts';
import { Waiting } from '../components/notices.tsx';
import { TeamFilter, useTeams } from '../components/team-filter.tsx';
import { byName } from '../figures/list.ts';
import { t } from '../language/t.ts';
import { type ListChange, checksSearch, listSearch } from '../shell/search.ts';
import { CheckDrawer } from './check-drawer.tsx';
import { ChecksTable } from './checks-table.tsx';
import { NoServices } from './teaching.tsx';
import { useTitle } from './use-title.ts';

const ORDER: Readonly<Record<string, number>> = { down: 0, degraded: 1, unknown: 2, up: 3 };
const byTrouble = (a: CheckView, b: CheckView) => (ORDER[a.state] ?? 9) - (ORDER[b.state] ?? 9) || byName(a.id, b.id);

/** Every check, the failing ones first. */
export function ChecksPage() {
  useTitle(t('Checks'));
  const search = useSearch({ from: '/shell/checks' });
  const { q = '', team, check, at } = search;
  const navigate = useNavigate({ from: '/checks' });
  const query = useQuery(checksQuery());
  const { data } = query;
  const items = data?.items ?? [];
  const teams = useTeams();
  const shown = items
    .filter((one) => teams.has(team, [one.service]) && matchesFilter(q, [one.id, one.service, one.kind, one.target, one.state]))
    .sort(byTrouble);
  const go = (change: ListChange) => void navigate({ search: checksSearch({ ...search, ...change }), replace: true });
  const failing = items.filter((check) => check.state === 'down').length;
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Checks')}</h1>
          <p className="page-lead">
            {items.length === 0 ? '' : t('{items} running, {failing} failing.', { items: items.length, failing })}
          </p>
        </div>
        <div className="row-wrap">
          <TeamFilter teams={teams} value={team} onChange={(next) => go({ team: next })} />
          <FilterInput what={t('checks')} value={q} onChange={(next) => go({ q: next })} />
        </div>
      </header>
      <Waiting query={query} what={t('checks')} />
      {data !== undefined && items.length === 0 ? <NoServices /> : null}
      {items.length > 0 && shown.length === 0 ? (
        <p className="empty">{t('No check {unmatched}.', { unmatched: unmatched(q, team) })}</p>
      ) : null}
      {shown.length > 0 ? <ChecksTable checks={shown} withService /> : null}
      <CheckDrawer id={check} at={at} onClose={() => void navigate({ search: listSearch({ ...search }) })} />
    </div>
  );
}
