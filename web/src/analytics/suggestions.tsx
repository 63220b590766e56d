import { useQuery } from '@tanstack/react-query';
import { aliasesQuery, metricNamesQuery } from '../api/analytics.ts';
import { checkPageQuery } from '../api/checks.ts';
import { servicesQuery } from '../api/queries.ts';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';

type Suggestion = { readonly name: string; readonly expr: string };

/** Figures of the host that people ask about first. */
const HOST = [
  'system.cpu.percent',
  'system.memory.percent',
  'system.disk.percent',
  'system.disk.used_bytes',
  'system.load.5m',
  'system.network.receive_bytes_per_second',
];
const MOST = 8;

/** What this installation has, one press away: nobody has to know a metric's name to begin. */
export function Suggestions({ onPick }: { readonly onPick: (expr: string) => void }) {
  const aliases = useQuery(aliasesQuery());
  const names = useQuery(metricNamesQuery());
  const services = useQuery(servicesQuery());
  const checks = useQuery(checkPageQuery({}, 0));
  const known = new Set(names.data ?? []);
  const hosts = known.has('node_cpu_seconds_total') ? (aliases.data?.items ?? []).filter(({ name }) => HOST.includes(name)) : [];
  const groups: readonly { readonly title: string; readonly items: readonly Suggestion[] }[] = [
    { title: t('This host'), items: hosts.map(({ name }) => ({ name, expr: name })) },
    {
      title: t('Response time of services'),
      items:
        (checks.data?.total ?? 0) === 0
          ? []
          : (services.data?.items ?? []).map(({ id, name }) => ({
              name,
              expr: `avg by (service) (probe_duration_seconds{service=${JSON.stringify(id)}})`,
            })),
    },
    {
      title: t('Metrics that were sent here'),
      items: (names.data ?? [])
        .filter((name) => !/^(node_|nines_|probe_|go_|process_|nodejs_|up$|scrape_|ALERTS)/.test(name))
        .map((name) => ({ name, expr: name })),
    },
  ];
  return (
    <Section title={t('Begin with')}>
      <div className="panel panel-pad suggestions">
        {groups
          .filter(({ items }) => items.length > 0)
          .map(({ title, items }) => (
            <div key={title}>
              <h3>{title}</h3>
              <ul className="row-wrap">
                {items.slice(0, MOST).map(({ name, expr }) => (
                  <li key={expr}>
                    <button type="button" className="chip" onClick={() => onPick(expr)}>
                      {name}
                    </button>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        <p className="faint">
          {t(
            'Trend, rhythm, forecast and what was unusual of any series: pick one, write PromQL, or browse what is stored. A forecast wants three lengths of history for one of future.',
          )}
        </p>
      </div>
    </Section>
  );
}
