import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { checksQuery } from '../api/checks.ts';
import { t } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';
import { AREAS, type CheckArea, areaOf } from './check-areas.ts';
import { type SourceOf, useReport } from './context.ts';

const WORST_FIRST = ['down', 'degraded', 'unknown', 'up'] as const;

/** Checks now, by what they ask; an area without one says which kinds would watch it. */
export function ChecksState({ source }: { readonly source: SourceOf<'checks'> }) {
  const { data, error, isPending, dataUpdatedAt } = useQuery(checksQuery());
  const items = (data?.items ?? [])
    .filter(({ service }) => source.services.length === 0 || source.services.includes(service))
    .sort((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state) || a.name.localeCompare(b.name));
  const rows = () => [
    ['area', 'check', 'service', 'kind', 'state'],
    ...items.map((one) => [areaOf(one), one.id, one.service, one.kind, one.state]),
  ];
  useReport({ pending: isPending, error, updatedAtMs: dataUpdatedAt, rows }, `${dataUpdatedAt} ${isPending} ${error?.message ?? ''}`);
  if (data === undefined) return isPending ? <p className="chart-empty">{t('Reading …')}</p> : null;
  return (
    <div className="check-areas">
      {(Object.keys(AREAS) as readonly CheckArea[]).map((area) => {
        const here = items.filter((one) => areaOf(one) === area);
        if (area === 'other' && here.length === 0) return null;
        return (
          <section key={area}>
            <h4>{AREAS[area].word}</h4>
            {here.length === 0 ? (
              <p className="faint small">{AREAS[area].nothing}</p>
            ) : (
              <ul className="state-list">
                {here.map(({ id, name, state, target }) => (
                  <li key={id}>
                    <StateMark state={state} />
                    <Link to="/checks" search={{ check: id }} className="wrap" title={target}>
                      {name}
                    </Link>
                  </li>
                ))}
              </ul>
            )}
          </section>
        );
      })}
    </div>
  );
}
