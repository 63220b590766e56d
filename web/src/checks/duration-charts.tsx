import { SegmentedControl } from '@mantine/core';
import { useMemo } from 'react';
import type { CheckDetailView } from '../api/wire.ts';
import { QueryChart } from '../charts/query-chart.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { PHASES } from '../pages/checks-table.tsx';
import { useNowStep } from '../shell/now.ts';
import { CHECK_HOURS } from '../shell/search.ts';
import { queryStepMs } from '../timeline/view.ts';

type Hours = (typeof CHECK_HOURS)[number];

const HOUR_MS = 3_600_000;
const SPANS: Readonly<Record<Hours, string>> = { 1: t('1 h'), 24: t('24 h'), 168: t('7 d') };
const FOLLOW_MS = 15_000;
const POINTS = 360;
/** Kinds that speak HTTP and tell their phases. */
const PHASED: ReadonlySet<string> = new Set(['http']);
const STACK = { stack: true } as const;

type Props = { readonly check: Of; readonly hours: Hours; readonly onHours: (hours: Hours) => void };
type Of = Pick<CheckDetailView, 'id' | 'kind' | 'interval_ms' | 'vote'>;

/** How long a check took: its phases upon each other, and each place that asks by itself. */
export function DurationCharts({ check, hours, onHours }: Props) {
  const nowMs = useNowStep(FOLLOW_MS);
  const view = useMemo(() => ({ fromMs: nowMs - hours * HOUR_MS, toMs: nowMs }), [nowMs, hours]);
  const range = `[${Math.ceil(Math.max(check.interval_ms, queryStepMs(view, POINTS, check.interval_ms)) / 1000)}s]`;
  const selector = `check=${JSON.stringify(check.id)}`;
  const phases = useMemo(
    () =>
      PHASES.map((phase) => ({
        name: phase,
        expr: `avg(avg_over_time(probe_http_duration_seconds{${selector}, phase="${phase}"}${range}))`,
      })),
    [selector, range],
  );
  const places = useMemo(
    () => [{ by: 'location', expr: `avg by (location) (avg_over_time(probe_duration_seconds{${selector}}${range}))` }],
    [selector, range],
  );
  const whole = useMemo(
    () => [{ name: t('Duration'), expr: `avg(avg_over_time(probe_duration_seconds{${selector}}${range}))` }],
    [selector, range],
  );
  const shared = { kind: 'seconds', view, writtenEveryMs: check.interval_ms, height: 200, fit: true } as const;
  const empty = t('It has not run in this stretch of time.');
  return (
    <Section
      title={t('How long it took')}
      aside={
        <SegmentedControl
          size="xs"
          aria-label={t('Stretch of time')}
          data={CHECK_HOURS.map((value) => ({ value: String(value), label: SPANS[value] }))}
          value={String(hours)}
          onChange={(value) => onHours(CHECK_HOURS.find((one) => String(one) === value) ?? 1)}
        />
      }
    >
      {PHASED.has(check.kind) ? (
        <QueryChart {...shared} title={t('Time by phase')} queries={phases} look={STACK} empty={empty} />
      ) : check.vote === null ? (
        <QueryChart {...shared} title={t('Duration')} queries={whole} empty={empty} />
      ) : null}
      {check.vote === null ? null : <QueryChart {...shared} title={t('Duration by place')} queries={places} empty={empty} />}
    </Section>
  );
}
