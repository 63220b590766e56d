import { useQuery } from '@tanstack/react-query';
import { reliabilityQuery } from '../api/queries.ts';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';

const DAYS = 30;

/** How often the service failed in the last 30 days, for how long, and how soon that was known and over. */
export function OutageFigures({ service }: { readonly service: string }) {
  const asked = useQuery(reliabilityQuery(service, DAYS));
  const figures = asked.data;
  if (figures === undefined || figures.outages === 0) return null;
  const told: readonly (readonly [name: string, lengthMs: number | null, of: string])[] = [
    [t('Longest outage'), figures.longest_ms, t('of {count} in {days} days', { count: figures.outages, days: DAYS })],
    [t('Mean time between'), figures.mtbf_ms, t('good time for each outage')],
    [
      t('Mean time to repair'),
      figures.mttr_ms,
      figures.recovered === 0
        ? t('no outage was seen from end to end')
        : t('of {count} seen from end to end', { count: figures.recovered }),
    ],
    [t('Mean time to detect'), figures.mttd_ms, t('until the ledger knew')],
    [
      t('Mean time to acknowledge'),
      figures.mtta_ms,
      figures.acknowledged === 0 ? t('no alert was acknowledged') : t('from alert to person'),
    ],
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
