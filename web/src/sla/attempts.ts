/** Attempts of a check put together from its samples. Pure; instants in Unix milliseconds, lengths in seconds. */
import type { RangeSeries } from '../api/prometheus.ts';
import { quantityText } from '../figures/quantity.ts';
import { t } from '../language/t.ts';

export type Attempt = {
  readonly atMs: number;
  /** Of a check with locations the place; '' of others. */
  readonly location: string;
  readonly state: 'up' | 'degraded' | 'down';
  readonly seconds: number | null;
  /** `status 503, connect 12.3 ms, first byte 80.1 ms` */
  readonly words: string;
};

/** Samples of one attempt share its start and its place. An instant without `probe_success` is no attempt. */
export function attemptsOf(series: readonly RangeSeries[]): readonly Attempt[] {
  const byAttempt = Map.groupBy(
    series.flatMap(({ labels, points }) => points.map(([atMs, value]) => ({ labels, atMs, value }))),
    ({ atMs, labels }) => `${String(atMs)} ${labels['location'] ?? ''}`,
  );
  return [...byAttempt.values()]
    .flatMap((samples): readonly Attempt[] => {
      const valueOf = (name: string): number | undefined => samples.find(({ labels }) => labels['__name__'] === name)?.value;
      const success = valueOf('probe_success');
      const [first] = samples;
      if (success === undefined || first === undefined) return [];
      const status = valueOf('probe_http_status_code') ?? 0;
      const phases = samples.flatMap(({ labels, value }) =>
        labels['phase'] !== undefined && value > 0 ? [`${labels['phase'].replaceAll('_', ' ')} ${quantityText(value, 'seconds')}`] : [],
      );
      return [
        {
          atMs: first.atMs,
          location: first.labels['location'] ?? '',
          state: success === 0 ? 'down' : valueOf('probe_degraded') === 1 ? 'degraded' : 'up',
          seconds: valueOf('probe_duration_seconds') ?? null,
          words: [...(status === 0 ? [] : [t('status {status}', { status })]), ...phases].join(', '),
        },
      ];
    })
    .sort((a, b) => a.atMs - b.atMs || a.location.localeCompare(b.location));
}
