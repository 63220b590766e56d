import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { type SnapshotWire, alertSnapshotQuery } from '../api/alerts.ts';
import type { Threshold } from '../charts/plot-options.ts';
import { TimeChart } from '../charts/time-chart.tsx';
import { Instant } from '../components/instant.tsx';
import { Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { quantityText } from '../figures/quantity.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { plainText } from './plain-text.ts';

const MAX_CHARS = 160;
const HEIGHT = 120;

/** What was to be seen at the moment when the alert fired, kept then. */
export function SnapshotSection({ id }: { readonly id: string }) {
  const snapshot = useQuery(alertSnapshotQuery(id));
  const { data } = snapshot;
  return (
    <Section title={t('When it fired')}>
      <Waiting query={snapshot} what={t('the moment')} />
      {data === null ? <p className="faint">{t('Nothing was kept of that moment: it has not fired yet, or fired in a storm.')}</p> : null}
      {data === undefined || data === null ? null : <Kept snapshot={data} />}
    </Section>
  );
}

function Kept({ snapshot }: { readonly snapshot: SnapshotWire }) {
  const { series, related, changes, processes, threshold } = snapshot;
  const thresholds = useMemo<readonly Threshold[]>(
    () => (threshold === null ? [] : [{ value: threshold.value, name: t('threshold {value}', { value: threshold.value }) }]),
    [threshold],
  );
  const nothing = series.length + related.length === 0;
  return (
    <div className="snapshot">
      {nothing ? <p className="faint">{t('No series of this alert had samples in the hour before.')}</p> : null}
      {series.map((one) => (
        <Excerpt key={`${one.expr} ${JSON.stringify(one.labels)}`} excerpt={one} thresholds={thresholds} />
      ))}
      {related.length === 0 ? null : (
        <div className="snapshot-related">
          {related.map((one) => (
            <Excerpt key={`${one.expr} ${JSON.stringify(one.labels)}`} excerpt={one} thresholds={NONE} />
          ))}
        </div>
      )}
      <h3>{t('Changed in the hour before')}</h3>
      {changes.length === 0 ? <p className="faint">{t('Nothing that Nines knows of.')}</p> : null}
      <ol className="steps">
        {changes.map((change) => (
          <li key={`${change.at_ms} ${change.kind} ${change.text}`}>
            <Instant atMs={change.at_ms} relative={false} />
            <span>{plainText(change.text, MAX_CHARS)}</span>
          </li>
        ))}
      </ol>
      {processes.length === 0 ? null : (
        <>
          <h3>{t('Busiest processes')}</h3>
          <ol className="steps">
            {processes.map(({ pid, name, cpu_ratio: cpu, rss_bytes: memory }) => (
              <li key={pid}>
                <span className="mono">{plainText(name, MAX_CHARS)}</span>
                <span className="faint">
                  {t('{share} % of a processor, {memory}', { share: Math.round(cpu * 100), memory: quantityText(memory, 'bytes') })}
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
    </div>
  );
}

const NONE: readonly Threshold[] = [];

type ExcerptProps = { readonly excerpt: SnapshotWire['series'][number]; readonly thresholds: readonly Threshold[] };

function Excerpt({ excerpt, thresholds }: ExcerptProps) {
  const { name, expr, from_at_ms: fromMs, step_ms: stepMs, values } = excerpt;
  const view = useMemo(() => ({ fromMs, toMs: fromMs + (values.length - 1) * stepMs }), [fromMs, stepMs, values.length]);
  const series = useMemo(() => {
    const points = values.flatMap((value, place) => (value === null ? [] : [[fromMs + place * stepMs, value] as const]));
    return [{ name: t('value'), points }];
  }, [values, fromMs, stepMs]);
  return (
    <TimeChart
      title={plainText(fromServer(name), MAX_CHARS)}
      kind="number"
      view={view}
      stepMs={stepMs}
      series={series}
      thresholds={thresholds}
      height={HEIGHT}
      empty={t('No sample in the hour before.')}
      expr={expr}
    />
  );
}
