import { formatDuration } from '@nines/base/duration.ts';
import { type Labels, METRIC_NAME, labelPairs, labelValue, labelsFrom } from '@nines/model/labels.ts';

/** Names of the series that are stored of watched ones. */
export const SCORE = 'anomaly_score';
export const FORECAST = { value: 'forecast', lower: 'forecast_lower', upper: 'forecast_upper' } as const;
const OWN: ReadonlySet<string> = new Set([SCORE, ...Object.values(FORECAST)]);

/** Whether a series is one of these: a score has no score of its own. */
export const isStoredByUs = (labels: Labels): boolean => OWN.has(labelValue(labels, METRIC_NAME));

/**
 * The labels of what is stored of a series: its own, `name` of the watch, and `horizon` of forecasts. Those of the series that have
 * such a name already stand beside as `exported_…`, as with scraped targets.
 */
export function storedLabels(
  metric: string,
  labels: Labels,
  { name, horizonMs }: { readonly name: string; readonly horizonMs?: number },
): Labels {
  const own = new Map([
    [METRIC_NAME, metric],
    ['name', name],
    ...(horizonMs === undefined ? [] : [['horizon', horizonText(horizonMs)] as const]),
  ]);
  const kept = [...labelPairs(labels)].filter(([label]) => label !== METRIC_NAME);
  const taken = new Set(kept.map(([label]) => label));
  const aside = (label: string): string => {
    let other = `exported_${label}`;
    while (taken.has(other)) other = `exported_${other}`;
    return other;
  };
  return labelsFrom([...kept.map(([label, value]) => [own.has(label) ? aside(label) : label, value] as const), ...own]);
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;

/** In one unit where that is possible: `7d` and not `1w`, as people write it. */
function horizonText(horizonMs: number): string {
  const [unit, size] = UNITS.find(([, unitMs]) => horizonMs % unitMs === 0) ?? [];
  return unit === undefined || size === undefined ? formatDuration(horizonMs) : `${horizonMs / size}${unit}`;
}
