import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCheckPages } from '../checks/use-check-pages.ts';
import { FilterInput } from '../components/filter-input.tsx';
import { unmatched } from '../components/matches-filter.ts';
import { Waiting } from '../components/notices.tsx';
import { TeamFilter, useTeams } from '../components/team-filter.tsx';
import { t } from '../language/t.ts';
import { type ListChange, checksSearch, listSearch } from '../shell/search.ts';
import { CheckDrawer } from './check-drawer.tsx';
import { ChecksTable } from './checks-table.tsx';
import { NoServices } from './teaching.tsx';
import { useTitle } from './use-title.ts';

/** Every check, the failing ones first. */
export function ChecksPage() {
  useTitle(t('Checks'));
  const search = useSearch({ from: '/shell/checks' });
  const { q = '', team, check, at } = search;
  const navigate = useNavigate({ from: '/checks' });
  const { rows, head, onSight } = useCheckPages({ q, team });
  const { data } = head;
  const teams = useTeams();
  const running = Object.values(data?.by_state ?? {}).reduce((sum, count) => sum + count, 0);
  const go = (change: ListChange) => void navigate({ search: checksSearch({ ...search, ...change }), replace: true });
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Checks')}</h1>
          <p className="page-lead">
            {running === 0 ? '' : t('{items} running, {failing} failing.', { items: running, failing: data?.by_state.down ?? 0 })}
          </p>
        </div>
        <div className="row-wrap">
          <TeamFilter teams={teams} value={team} onChange={(next) => go({ team: next })} />
          <FilterInput what={t('checks')} value={q} onChange={(next) => go({ q: next })} />
        </div>
      </header>
      <Waiting query={head} what={t('checks')} />
      {data !== undefined && running === 0 ? <NoServices /> : null}
      {running > 0 && rows.length === 0 ? <p className="empty">{t('No check {unmatched}.', { unmatched: unmatched(q, team) })}</p> : null}
      {rows.length > 0 ? <ChecksTable checks={rows} withService onSight={onSight} /> : null}
      <CheckDrawer id={check} at={at} onClose={() => void navigate({ search: listSearch({ ...search }) })} />
    </div>
  );
}
