/** PromQL from choices, for those who do not write it. Pure. */
import { t } from '../language/t.ts';

export type Filter = { readonly name: string; readonly op: '=' | '!=' | '=~' | '!~'; readonly value: string };
export const FUNCTIONS = [
  { value: '', label: t('as it is') },
  { value: 'rate', label: t('per second (rate)') },
  { value: 'increase', label: t('how much more (increase)') },
  { value: 'avg_over_time', label: t('average over the window') },
  { value: 'max_over_time', label: t('highest in the window') },
  { value: 'min_over_time', label: t('lowest in the window') },
  { value: 'quantile', label: t('percentile of a histogram') },
] as const;
export type FunctionName = (typeof FUNCTIONS)[number]['value'];
export const AGGREGATES = ['', 'sum', 'avg', 'max', 'min', 'count', 'topk'] as const;
export const COMPARISONS = ['', '>', '>=', '<', '<=', '==', '!='] as const;

export type Choices = {
  readonly metric: string;
  readonly filters: readonly Filter[];
  readonly func: FunctionName;
  readonly window: string;
  readonly quantile: number;
  readonly aggregate: (typeof AGGREGATES)[number];
  readonly by: readonly string[];
  readonly comparison: (typeof COMPARISONS)[number];
  readonly limit: number;
};

export const NO_CHOICES: Choices = {
  metric: '',
  filters: [],
  func: '',
  window: '5m',
  quantile: 0.95,
  aggregate: '',
  by: [],
  comparison: '',
  limit: 0,
};

const PLAIN_LABEL = /^[a-zA-Z_]\w*$/;
const PLAIN_METRIC = /^[a-zA-Z_:][\w:]*$/;
const labelText = (name: string): string => (PLAIN_LABEL.test(name) ? name : JSON.stringify(name));
const TOP = 5;

/** The query; empty without a metric. */
export function builtQuery({ metric, filters, func, window, quantile, aggregate, by, comparison, limit }: Choices): string {
  if (metric === '') return '';
  const plain = PLAIN_METRIC.test(metric);
  const inner = [
    ...(plain ? [] : [JSON.stringify(metric)]),
    ...filters.filter(({ name }) => name !== '').map(({ name, op, value }) => `${labelText(name)}${op}${JSON.stringify(value)}`),
  ];
  const selector = `${plain ? metric : ''}${inner.length === 0 ? '' : `{${inner.join(', ')}}`}`;
  const grouped = by.map(labelText);
  const compared = comparison === '' ? '' : ` ${comparison} ${limit}`;
  if (func === 'quantile') {
    const labels = metric.endsWith('_bucket') ? ['le', ...grouped] : grouped;
    const clause = labels.length === 0 ? '' : ` by (${labels.join(', ')}) `;
    return `histogram_quantile(${quantile}, sum${clause}(rate(${selector}[${window}])))${compared}`;
  }
  const value = func === '' ? selector : `${func}(${selector}[${window}])`;
  const clause = grouped.length === 0 ? '' : ` by (${grouped.join(', ')}) `;
  if (aggregate === '') return value + compared;
  return aggregate === 'topk' ? `topk${clause}(${TOP}, ${value})${compared}` : `${aggregate}${clause}(${value})${compared}`;
}
