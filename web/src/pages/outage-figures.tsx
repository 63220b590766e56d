import { useQuery } from '@tanstack/react-query';
import { reliabilityQuery } from '../api/queries.ts';
import { lengthText } from '../figures/length.ts';

const DAYS = 30;

/** How often the service failed in the last 30 days, for how long, and how soon that was known and over. */
export function OutageFigures({ service }: { readonly service: string }) {
  const asked = useQuery(reliabilityQuery(service, DAYS));
  const figures = asked.data;
  if (figures === undefined || figures.outages === 0) return null;
  const told: readonly (readonly [name: string, lengthMs: number | null, of: string])[] = [
    ['Longest outage', figures.longest_ms, `of ${figures.outages} in ${DAYS} days`],
    ['Mean time between', figures.mtbf_ms, 'good time for each outage'],
    [
      'Mean time to repair',
      figures.mttr_ms,
      figures.recovered === 0 ? 'no outage was seen from end to end' : `of ${figures.recovered} seen from end to end`,
    ],
    ['Mean time to detect', figures.mttd_ms, 'until the ledger knew'],
    ['Mean time to acknowledge', figures.mtta_ms, figures.acknowledged === 0 ? 'no alert was acknowledged' : 'from alert to person'],
  ];
  return (
    <dl className="panel uptime">
      {told.map(([name, lengthMs, of]) => (
        <div key={name}>
          <dt className="label">{name}</dt>
          <dd>{lengthMs === null ? '–' : lengthText(Math.floor(lengthMs))}</dd>
          <dd className="label">{of}</dd>
        </div>
      ))}
    </dl>
  );
}
