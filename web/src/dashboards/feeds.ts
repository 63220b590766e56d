/** Who writes a metric, and what to do when nobody does. Pure. */
import { t } from '../language/t.ts';

export type Feed = {
  /** One sentence: what has to run, or which setting. */
  readonly says: string;
  /** Where that is done. */
  readonly place?: { readonly to: '/targets' | '/services' | '/slas' | '/analytics' | '/health'; readonly word: string };
  /** Users send it themselves: this stores one value. */
  readonly isPushed?: true;
};

const BY_NAME: readonly (readonly [RegExp, () => Feed])[] = [
  [
    /^node_/,
    () => ({
      says: t(
        'The collector of this host writes it within seconds (collect.host); other hosts send it by node_exporter, named under scrape.',
      ),
      place: { to: '/targets', word: t('Targets') },
    }),
  ],
  [
    /^(?:nines_analytics_|anomaly_score$|forecast)/,
    () => ({ says: t('It begins when a series is watched: choose one in Analytics.'), place: { to: '/analytics', word: t('Analytics') } }),
  ],
  [
    /^(?:nines_|process_|nodejs_)/,
    () => ({ says: t('Nines writes it about itself with each collection.'), place: { to: '/health', word: t('Health') } }),
  ],
  [/^probe_/, () => ({ says: t('Checks write it: add a service with a check.'), place: { to: '/services', word: t('Services') } })],
  [/^sla_/, () => ({ says: t('Contracts write it: say what was promised for a service.'), place: { to: '/slas', word: t('SLAs') } })],
  [
    /^http_/,
    () => ({
      says: t('Applications count it with a Prometheus client or OpenTelemetry: name them under scrape, or let them send.'),
      place: { to: '/targets', word: t('Targets') },
    }),
  ],
];

/** What writes a metric of this name. */
export function feedOf(metric: string): Feed {
  for (const [names, feed] of BY_NAME) if (names.test(metric)) return feed();
  return { says: t('You send it: by a scrape, remote write, OTLP, StatsD, or like this.'), isPushed: true };
}

/** A histogram is never sent as one value: its sum stands for it in a first try. */
const typeOf = (metric: string): string => (/_(?:total|count|sum|bucket)$/.test(metric) ? 'counter' : 'gauge');

/** The shortest that stores a value. */
export const pushCommand = (metric: string, origin: string): string => `curl -X POST ${origin}/api/metrics \\
  -H "Authorization: Bearer $NINES_TOKEN" -H 'Content-Type: application/json' \\
  -d '{ "metrics": [{ "name": "${metric}", "value": 1, "type": "${typeOf(metric)}" }] }'`;
