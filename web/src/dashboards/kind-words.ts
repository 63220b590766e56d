import type { PanelKind } from '../api/dashboards.ts';
import { t } from '../language/t.ts';

export const KIND_WORDS: Readonly<Record<PanelKind, string>> = {
  card: t('Figure'),
  line: t('Lines'),
  bar: t('Bars'),
  pie: t('Shares'),
  gauge: t('Gauge'),
  heatmap: t('Heatmap'),
  table: t('Table'),
  alert_list: t('Alerts'),
  text: t('Text'),
  slo_budget: t('Error budgets'),
  status_timeline: t('Service time lines'),
  state: t('Service states'),
  custom: t('A widget of your own'),
};
