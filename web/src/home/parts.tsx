import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { partsQuery } from '../api/home.ts';
import { mayIn } from '../api/permits.ts';
import { servicesQuery } from '../api/queries.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { byTrouble } from '../pages/services-table.tsx';
import { useSession } from '../shell/session.tsx';
import { StateMark } from '../states/state-mark.tsx';

const MARKS = { ok: 'up', degraded: 'degraded', failing: 'down' } as const;
/** Of the dependencies that are well, so many are named. */
const MOST = 8;

/** The parts of Nines itself, those in trouble by name; and what services depend on. */
export function Parts() {
  const may = mayIn(useSession(), 'read', 'system');
  const { data } = useQuery({ ...partsQuery(), enabled: may });
  const services = useQuery(servicesQuery()).data?.items ?? [];
  const needed = Map.groupBy(
    services.flatMap(({ name, depends_on: on }) => on.map((id) => ({ id, name }))),
    ({ id }) => id,
  );
  const dependencies = services.filter(({ id }) => needed.has(id)).sort(byTrouble);
  if (data === undefined && dependencies.length === 0) return null;
  const troubled = (data?.components ?? []).filter(({ status }) => status !== 'ok');
  return (
    <ul className="panel parts">
      {data === undefined ? null : (
        <li>
          <StateMark state={MARKS[data.status]} />
          <Link to="/health">
            {troubled.length === 0
              ? t('All {parts} parts of Nines are well', { parts: data.components.length })
              : t('{troubled} of {parts} parts of Nines are in trouble', { troubled: troubled.length, parts: data.components.length })}
          </Link>
        </li>
      )}
      {troubled.map(({ name, status, detail }) => (
        <li key={name}>
          <StateMark state={MARKS[status]} />
          <span className="wrap-anywhere">
            {t('{part}: {detail}', { part: fromServer(name.replaceAll('_', ' ')), detail: fromServer(detail) })}
          </span>
        </li>
      ))}
      {dependencies.slice(0, MOST).map(({ id, name, state }) => (
        <li key={id}>
          <StateMark state={state} />
          <span className="wrap-anywhere">
            <Link to="/services/$id" params={{ id }}>
              {name}
            </Link>{' '}
            <span className="faint">
              {t('needed by {services}', { services: (needed.get(id) ?? []).map((one) => one.name).join(', ') })}
            </span>
          </span>
        </li>
      ))}
    </ul>
  );
}
