import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { servicesQuery } from '../api/queries.ts';
import { FilterInput } from '../components/filter-input.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { Waiting } from '../components/notices.tsx';
import { AddService } from './add-service.tsx';
import { ServicesTable } from './services-table.tsx';
import { NoServices } from './teaching.tsx';
import { useTitle } from './use-title.ts';

/** Every service, the worst first. */
export function ServicesPage() {
  useTitle('Services');
  const { q = '' } = useSearch({ from: '/shell/services' });
  const navigate = useNavigate({ from: '/services' });
  const query = useQuery(servicesQuery());
  const { data } = query;
  const items = data?.items ?? [];
  const shown = items.filter((service) => matchesFilter(q, [service.name, service.id, service.owner, service.state, ...service.tags]));
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>Services</h1>
          <p className="page-lead">{countSentence(items.map((service) => service.state))}</p>
        </div>
        <div className="row-wrap">
          <FilterInput
            what="services"
            value={q}
            onChange={(next) => void navigate({ search: next === '' ? {} : { q: next }, replace: true })}
          />
          {items.length === 0 ? null : <AddService primary={false} />}
        </div>
      </header>
      <Waiting query={query} what="services" />
      {data !== undefined && items.length === 0 ? <NoServices /> : null}
      {items.length > 0 && shown.length === 0 ? <p className="empty">{`No service matches “${q}”.`}</p> : null}
      {shown.length > 0 ? <ServicesTable services={shown} /> : null}
    </div>
  );
}

function countSentence(states: readonly string[]): string {
  const parts = ['down', 'degraded', 'unknown', 'up'].flatMap((state) => {
    const count = states.filter((each) => each === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return parts.join(', ');
}
