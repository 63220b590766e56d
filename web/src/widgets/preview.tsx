import { NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { differingLabels } from '@nines/maths/dashboards/differing-labels.ts';
import { legendOf } from '@nines/maths/dashboards/interpolate.ts';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { rangeQuery } from '../api/prometheus.ts';
import { ErrorNotice } from '../components/notices.tsx';
import { WidgetFrame } from '../dashboards/widget-frame.tsx';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';

const HOUR_MS = 3_600_000;
const STEP_MS = 15_000;
const MOST_SERIES = 100;
/** Typing is over when nothing came for this long. */
const TYPED_MS = 700;
const HEIGHTS = [150, 240, 420] as const;
const NO_THRESHOLDS: readonly never[] = [];
const NO_OPTIONS = {};

/** What the script draws of figures that are really here, while it is written. */
export function Preview({ source }: { readonly source: string }) {
  const [expr, setExpr] = useState('node_load1');
  const [height, setHeight] = useState<number>(HEIGHTS[1]);
  const [script] = useDebouncedValue(source, TYPED_MS);
  const [asked] = useDebouncedValue(expr.trim(), TYPED_MS);
  const toMs = useNowStep(STEP_MS);
  const query = useQuery({
    queryKey: ['widget-preview', asked, Math.floor(toMs / STEP_MS)],
    queryFn: ({ signal }) => rangeQuery({ expr: asked, fromMs: toMs - HOUR_MS, toMs, stepMs: STEP_MS }, signal),
    enabled: asked !== '',
    placeholderData: keepPreviousData,
  });
  const series = useMemo(() => {
    const found = (query.data ?? []).slice(0, MOST_SERIES);
    const differing = differingLabels(found.map(({ labels }) => labels));
    return found.map(({ labels, points }) => ({ labels, points, name: legendOf(undefined, labels, differing) }));
  }, [query.data]);
  const data = useMemo(
    () => ({ series, view: { fromMs: toMs - HOUR_MS, toMs }, unit: 'number' as const, thresholds: NO_THRESHOLDS, options: NO_OPTIONS }),
    [series, toMs],
  );
  return (
    <section className="widget-preview" aria-label={t('Preview')}>
      <div className="row-wrap">
        <TextInput size="xs" label={t('Figures, in PromQL')} value={expr} onChange={(event) => setExpr(event.currentTarget.value)} />
        <NativeSelect
          size="xs"
          label={t('Height')}
          data={HEIGHTS.map((value) => ({ value: String(value), label: t('{height} px', { height: value }) }))}
          value={String(height)}
          onChange={(event) => setHeight(Number(event.currentTarget.value))}
        />
      </div>
      {query.isError ? <ErrorNotice error={query.error} /> : null}
      <div className="panel panel-pad">
        {script.trim() === '' ? (
          <p className="chart-empty">{t('A script is needed.')}</p>
        ) : (
          <WidgetFrame key={script} title={t('Preview')} src="/api/widget-preview" script={script} data={data} height={height} />
        )}
      </div>
      <p className="faint small">
        {query.isPending
          ? t('Reading …')
          : t('{count, plural, one {# series} other {# series}} of the last hour', { count: series.length })}
      </p>
    </section>
  );
}
