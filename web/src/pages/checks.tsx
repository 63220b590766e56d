import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { checksQuery } from '../api/queries.ts';
import type { CheckView } from '../api/wire.ts';
import { FilterInput } from '../components/filter-input.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { Waiting } from '../components/notices.tsx';
import { CheckDrawer } from './check-drawer.tsx';
import { ChecksTable } from './checks-table.tsx';
import { NoServices } from './teaching.tsx';
import { useTitle } from './use-title.ts';

const ORDER: Readonly<Record<string, number>> = { down: 0, degraded: 1, unknown: 2, up: 3 };
const byTrouble = (a: CheckView, b: CheckView) => (ORDER[a.state] ?? 9) - (ORDER[b.state] ?? 9) || a.id.localeCompare(b.id);

/** Every check, the failing ones first. */
export function ChecksPage() {
  useTitle('Checks');
  const { q = '', check, at } = useSearch({ from: '/shell/checks' });
  const navigate = useNavigate({ from: '/checks' });
  const query = useQuery(checksQuery());
  const { data } = query;
  const items = data?.items ?? [];
  const shown = items.filter((check) => matchesFilter(q, [check.id, check.service, check.kind, check.target, check.state])).sort(byTrouble);
  const failing = items.filter((check) => check.state === 'down').length;
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>Checks</h1>
          <p className="page-lead">{items.length === 0 ? '' : `${items.length} running, ${failing} failing.`}</p>
        </div>
        <FilterInput
          what="checks"
          value={q}
          onChange={(next) => void navigate({ search: next === '' ? {} : { q: next }, replace: true })}
        />
      </header>
      <Waiting query={query} what="checks" />
      {data !== undefined && items.length === 0 ? <NoServices /> : null}
      {items.length > 0 && shown.length === 0 ? <p className="empty">{`No check matches “${q}”.`}</p> : null}
      {shown.length > 0 ? <ChecksTable checks={shown} withService /> : null}
      <CheckDrawer id={check} at={at} onClose={() => void navigate({ search: q === '' ? {} : { q } })} />
    </div>
  );
}
