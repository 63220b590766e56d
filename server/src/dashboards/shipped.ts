import { type DashboardSpec, type Layout, type PanelQuery, type Source, type WrittenDashboard, dashboardSpec } from './model.ts';
import {
  ACCURACY,
  ACTIVE_USERS,
  CPU_PERCENT,
  CPU_SHARE,
  DISK_FREE_BYTES,
  DISK_PERCENT,
  DISK_USED_BYTES,
  DRIFT,
  DRIFT_BY_FEATURE,
  ERROR_PERCENT,
  FAILED_TRAININGS,
  FEATURE_USES,
  FULLEST_DISK_PERCENT,
  INFERENCES,
  MEMORY_FREE_BYTES,
  MEMORY_PERCENT,
  MEMORY_USED_BYTES,
  MODELS_THAT_TELL,
  MODEL_AGE_SECONDS,
  OWN_CPU_PERCENT,
  OWN_MEMORY_BYTES,
  PAGE_VIEWS,
  RECEIVED_BYTES,
  REQUESTS_PER_SECOND,
  RESPONSE_SECONDS,
  SENT_BYTES,
  SESSIONS,
  THREATS_BLOCKED,
  inferenceSeconds,
} from './shipped-queries.ts';

type WrittenPanel = WrittenDashboard['panels'][string];
type WrittenPromql = { from: 'promql'; queries: PanelQuery[] };

/** `expr` alone, or with what its series are called. */
const asked = (...queries: readonly (string | readonly [expr: string, legend: string])[]): WrittenPromql => ({
  from: 'promql',
  queries: queries.map((one) => (typeof one === 'string' ? { expr: one } : { expr: one[0], legend: one[1] })),
});
const slas = (figure: 'attained' | 'budget_left'): Extract<Source, { from: 'slas' }> => ({ from: 'slas', ids: [], figure });
const SERVICES = { from: 'services' as const };
const OPEN_ALERTS = { from: 'alerts' as const };
const ALL_ANNOTATIONS = [{ from: 'incidents' as const }, { from: 'maintenance' as const }, { from: 'deployments' as const }];

const cpu = { title: 'CPU', unit: 'percent', source: asked([CPU_PERCENT, '{{instance}}']) } as const;
const memory = { title: 'Memory', unit: 'percent', source: asked([MEMORY_PERCENT, '{{instance}}']) } as const;
const network = {
  title: 'Network',
  unit: 'bytes_per_second',
  source: asked([RECEIVED_BYTES, 'received'], [SENT_BYTES, 'sent']),
} as const;
const response = { title: 'Response time', unit: 'seconds', source: asked(RESPONSE_SECONDS) } as const;
const errors = { title: 'Answers that failed', unit: 'percent', source: asked(ERROR_PERCENT) } as const;
const throughput = { title: 'Requests', unit: 'per_second', source: asked(REQUESTS_PER_SECOND) } as const;
const users = { title: 'Active users', source: asked(ACTIVE_USERS) } as const;

const DRIFTED = [
  { at: 0.2, severity: 'warning' as const },
  { at: 0.3, severity: 'critical' as const },
];
const FEED_MODELS = `Models tell of themselves like everything else, by scraping, remote write, OTLP or \`POST /api/metrics\`, with the label \`model\`:

- \`model_drift_score\` with the label \`feature\`: how far an input is from what was learned (PSI, for instance)
- \`model_accuracy_ratio\`: the share of right answers
- \`model_inference_duration_seconds\`: a histogram
- \`model_training_runs_total\` with the label \`outcome\`
- \`model_last_trained_timestamp_seconds\`

The same names make the rules of the pack \`ml\` speak up.`;

type Written = {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly panels: Readonly<Record<string, WrittenPanel>>;
  readonly layout: Exclude<Layout['kind'], 'custom'>;
  /** Panels by section; all in one without a title when there is none. */
  readonly sections?: Readonly<Record<string, readonly string[]>>;
  readonly range?: string;
};

function shipped({ panels, layout, sections, ...rest }: Written): DashboardSpec {
  const placed = sections ?? { '': Object.keys(panels) };
  return dashboardSpec.parse({
    ...rest,
    tags: ['shipped'],
    panels,
    layout: { kind: layout, sections: Object.entries(placed).map(([title, ids]) => ({ title, panels: [...ids] })) },
    annotations: ALL_ANNOTATIONS,
  });
}

/** The dashboards that every installation has, by id. Whatever they ask for is what this product itself measures or keeps. */
export const SHIPPED_DASHBOARDS: readonly DashboardSpec[] = [
  shipped({
    id: 'sla-overview',
    title: 'SLA overview',
    description: 'Whether what was promised is kept: every contract, every service, what is open.',
    range: '30d',
    layout: 'grid',
    panels: {
      WIDGET_001: { kind: 'card', title: 'Overall status', source: SERVICES },
      WIDGET_002: { kind: 'line', title: 'SLA trends', unit: 'ratio', source: slas('attained') },
      WIDGET_003: { kind: 'pie', title: 'Status distribution', source: SERVICES },
      WIDGET_004: { kind: 'alert_list', title: 'Active alerts', source: OPEN_ALERTS },
      WIDGET_005: { kind: 'table', title: 'Service performance', source: SERVICES },
    },
  }),
  shipped({
    id: 'performance',
    title: 'Performance',
    description: 'How well what is served answers, how much it is used, and the resources under it.',
    range: '24h',
    layout: 'two_columns',
    panels: {
      uptime: { kind: 'card', title: 'Uptime against what is promised', unit: 'ratio', source: slas('attained') },
      users: { kind: 'card', ...users },
      response: { kind: 'card', ...response },
      threats: {
        kind: 'card',
        title: 'Threats blocked in a day',
        description: 'Fed by security_threats_blocked_total: what filters, firewalls and scanners of yours count as turned away.',
        source: asked(THREATS_BLOCKED),
      },
      cpu: { kind: 'line', ...cpu, min: 0 },
      memory: { kind: 'line', ...memory, min: 0 },
      response_line: { kind: 'line', ...response, min: 0 },
      errors_line: { kind: 'line', ...errors, min: 0 },
      throughput: { kind: 'line', ...throughput, min: 0 },
      network: { kind: 'line', ...network, min: 0 },
      cpu_now: { kind: 'pie', title: 'CPU', unit: 'percent', source: asked([CPU_SHARE, 'busy'], [`100 - ${CPU_SHARE}`, 'idle']) },
      memory_now: { kind: 'pie', title: 'Memory', unit: 'bytes', source: asked([MEMORY_USED_BYTES, 'used'], [MEMORY_FREE_BYTES, 'free']) },
      disk_now: { kind: 'pie', title: 'Storage', unit: 'bytes', source: asked([DISK_USED_BYTES, 'used'], [DISK_FREE_BYTES, 'free']) },
      network_now: {
        kind: 'pie',
        title: 'Network',
        unit: 'bytes_per_second',
        source: asked([`sum(${RECEIVED_BYTES})`, 'received'], [`sum(${SENT_BYTES})`, 'sent']),
      },
      views: {
        kind: 'line',
        title: 'Page views',
        description: 'Fed by engagement_page_views_total.',
        unit: 'per_second',
        source: asked([PAGE_VIEWS, 'views']),
        min: 0,
      },
      features: {
        kind: 'bar',
        title: 'Uses of features in a day',
        description: 'Fed by engagement_feature_uses_total with the label feature.',
        by: 'series',
        source: asked([FEATURE_USES, '{{feature}}']),
      },
      sessions: {
        kind: 'card',
        title: 'Sessions',
        description: 'Fed by engagement_sessions: sessions that are open.',
        source: asked(SESSIONS),
      },
      states: { kind: 'state', title: 'Web, database, email, security scanning: what is watched', source: SERVICES },
    },
    sections: {
      'At a glance': ['uptime', 'users', 'response', 'threats'],
      Trends: ['cpu', 'memory', 'response_line', 'errors_line', 'throughput', 'network'],
      Resources: ['cpu_now', 'memory_now', 'disk_now', 'network_now'],
      Engagement: ['views', 'features', 'sessions'],
      Status: ['states'],
    },
  }),
  shipped({
    id: 'alerts',
    title: 'Alerts',
    description: 'What asks for somebody now, how much of it there is and where it comes from.',
    range: '7d',
    layout: 'two_columns',
    panels: {
      firing: { kind: 'card', title: 'Open alerts', source: OPEN_ALERTS },
      severity: { kind: 'pie', title: 'By severity', source: OPEN_ALERTS },
      list: { kind: 'alert_list', title: 'Open, the worst first', source: OPEN_ALERTS, limit: 50 },
      days: { kind: 'bar', title: 'Alerts a day', source: { from: 'alerts', status: 'all' } },
    },
  }),
  shipped({
    id: 'executive',
    title: 'Executive',
    description: 'Promises, budgets and incidents on one page.',
    range: '30d',
    layout: 'two_columns',
    panels: {
      attained: { kind: 'card', title: 'Kept of what was promised', unit: 'ratio', source: slas('attained') },
      incidents: { kind: 'card', title: 'Open incidents', source: { from: 'incidents' } },
      budgets: { kind: 'slo_budget', title: 'Budgets left', source: slas('budget_left') },
      trend: { kind: 'line', title: 'Availability against the promise', unit: 'ratio', source: slas('attained') },
      outages: { kind: 'status_timeline', title: 'Outages', source: SERVICES },
      contracts: { kind: 'table', title: 'Contracts', source: slas('attained') },
    },
  }),
  shipped({
    id: 'technical',
    title: 'Technical',
    description: 'Rate, errors and duration of what is served; use and saturation of what serves it.',
    range: '6h',
    layout: 'three_columns',
    panels: {
      throughput: { kind: 'line', ...throughput, min: 0 },
      errors: { kind: 'line', ...errors, min: 0 },
      response: { kind: 'line', ...response, min: 0 },
      cpu: { kind: 'line', ...cpu, min: 0 },
      load: { kind: 'line', title: 'Load', source: asked(['node_load1', '1 min'], ['node_load15', '15 min']), min: 0 },
      pressure: {
        kind: 'line',
        title: 'Time that work waited',
        unit: 'ratio',
        min: 0,
        source: asked(
          ['rate(node_pressure_cpu_waiting_seconds_total[5m])', 'for the CPU'],
          ['rate(node_pressure_memory_waiting_seconds_total[5m])', 'for memory'],
          ['rate(node_pressure_io_waiting_seconds_total[5m])', 'for disks'],
        ),
      },
      memory: { kind: 'line', ...memory, min: 0 },
      disk: {
        kind: 'line',
        title: 'Storage by file system',
        unit: 'percent',
        source: asked([DISK_PERCENT, '{{mountpoint}}']),
        min: 0,
      },
      network: { kind: 'line', ...network, min: 0 },
      week: {
        kind: 'heatmap',
        title: 'CPU by hour and weekday',
        unit: 'percent',
        mode: 'hour_by_weekday',
        source: asked(`avg(${CPU_PERCENT})`),
      },
    },
    sections: {
      'What is served': ['throughput', 'errors', 'response'],
      'What serves it': ['cpu', 'load', 'pressure', 'memory', 'disk', 'network', 'week'],
    },
  }),
  shipped({
    id: 'operations',
    title: 'Operations',
    description: 'What is down, what rings, who works on it.',
    range: '24h',
    layout: 'two_columns',
    panels: {
      states: { kind: 'state', title: 'Services', source: SERVICES },
      alerts: { kind: 'alert_list', title: 'Open alerts', source: OPEN_ALERTS },
      timeline: { kind: 'status_timeline', title: 'Last day', source: SERVICES },
      incidents: { kind: 'table', title: 'Open incidents', source: { from: 'incidents' } },
      checks: { kind: 'table', title: 'Checks', source: { from: 'checks' } },
      hosts: {
        kind: 'table',
        title: 'Hosts',
        unit: 'percent',
        source: asked([CPU_PERCENT, 'CPU'], [MEMORY_PERCENT, 'Memory'], [FULLEST_DISK_PERCENT, 'Storage']),
      },
    },
  }),
  shipped({
    id: 'business',
    title: 'Business',
    description: 'How much is used, how well it answers and what of the promises is left.',
    range: '30d',
    layout: 'two_columns',
    panels: {
      users: { kind: 'card', ...users },
      requests: { kind: 'card', ...throughput, title: 'Requests a second' },
      use: { kind: 'line', ...throughput, title: 'Use', fill: true, min: 0 },
      response: { kind: 'line', ...response, title: 'How long customers wait', min: 0 },
      attained: { kind: 'bar', title: 'Kept of what was promised', unit: 'ratio', by: 'series', source: slas('attained') },
      budgets: { kind: 'slo_budget', title: 'What is left to spend', source: slas('budget_left') },
    },
  }),
  shipped({
    id: 'models',
    title: 'Models',
    description: 'How well what is watched is foretold, and what is unusual: scores, forecasts and how the work goes on.',
    range: '24h',
    layout: 'two_columns',
    panels: {
      watched: { kind: 'card', title: 'Watched series', source: asked('sum(nines_analytics_watched_series)') },
      episodes: { kind: 'card', title: 'Open episodes of unusual values', source: asked('sum(nines_analytics_open_episodes)') },
      scores: {
        kind: 'line',
        title: 'How unusual values are',
        source: asked(['max by (name) (anomaly_score)', '{{name}}']),
        min: 0,
        max: 1,
      },
      width: {
        kind: 'line',
        title: 'How wide forecasts are',
        unit: 'ratio',
        source: asked(['avg by (name, horizon) ((forecast_upper - forecast_lower) / abs(forecast))', '{{name}} in {{horizon}}']),
        min: 0,
      },
      change: {
        kind: 'line',
        title: 'How much forecasts changed in a day',
        unit: 'ratio',
        source: asked(['avg by (name, horizon) (abs(forecast / forecast offset 1d - 1))', '{{name}} in {{horizon}}']),
        min: 0,
      },
      work: {
        kind: 'line',
        title: 'Time spent on scores',
        unit: 'ratio',
        source: asked('rate(nines_analytics_scoring_seconds_total[5m])'),
        min: 0,
      },
    },
  }),
  shipped({
    id: 'model-monitoring',
    title: 'Model monitoring',
    description: 'Whether models in operation still see what they learned from, answer right and in time, and were trained lately.',
    range: '7d',
    layout: 'three_columns',
    panels: {
      models: { kind: 'card', title: 'Models that tell', source: asked(MODELS_THAT_TELL) },
      worst: {
        kind: 'card',
        title: 'Drift of the worst',
        source: asked(`max(${DRIFT})`),
        thresholds: DRIFTED,
      },
      accuracy_now: {
        kind: 'card',
        title: 'Right answers of the worst',
        unit: 'ratio',
        source: asked(`min(${ACCURACY})`),
        thresholds: [{ at: 0.85, severity: 'critical', side: 'below' }],
      },
      drift: { kind: 'line', title: 'Drift', min: 0, source: asked([DRIFT, '{{model}}']), thresholds: DRIFTED },
      accuracy: { kind: 'line', title: 'Right answers', unit: 'ratio', source: asked([ACCURACY, '{{model}}']) },
      latency: {
        kind: 'line',
        title: 'Time of an answer',
        unit: 'seconds',
        min: 0,
        source: asked([inferenceSeconds(0.5), '{{model}}, half of them'], [inferenceSeconds(0.95), '{{model}}, 95 of 100']),
      },
      answers: { kind: 'line', title: 'Answers', unit: 'per_second', min: 0, source: asked([INFERENCES, '{{model}}']) },
      trainings: { kind: 'bar', title: 'Trainings that failed, a day', source: asked([FAILED_TRAININGS, '{{model}}']) },
      age: {
        kind: 'bar',
        title: 'Since the last training',
        unit: 'seconds',
        by: 'series',
        source: asked([MODEL_AGE_SECONDS, '{{model}}']),
      },
      features: { kind: 'table', title: 'Features that drifted most', source: asked([DRIFT_BY_FEATURE, 'Drift']) },
      system: { kind: 'line', ...cpu, title: 'CPU of the hosts', min: 0 },
      feed: { kind: 'text', title: 'How to feed this', markdown: FEED_MODELS },
    },
    sections: {
      Now: ['models', 'worst', 'accuracy_now'],
      'Over time': ['drift', 'accuracy', 'latency', 'answers', 'trainings', 'age'],
      'What is behind it': ['features', 'system', 'feed'],
    },
  }),
  shipped({
    id: 'platform-health',
    title: 'Platform health',
    description: 'Nines itself: what it takes in, what it needs, what it lost.',
    range: '6h',
    layout: 'three_columns',
    panels: {
      ingest: {
        kind: 'line',
        title: 'Samples taken in',
        unit: 'per_second',
        source: asked(['sum(rate(nines_ingest_samples_total[2m]))', 'samples']),
        min: 0,
      },
      append: {
        kind: 'line',
        title: 'Until a sample is safe',
        unit: 'seconds',
        min: 0,
        source: asked(
          ['histogram_quantile(0.5, sum by (le) (rate(nines_ingest_append_duration_seconds_bucket[5m])))', 'half of the writes'],
          ['histogram_quantile(0.99, sum by (le) (rate(nines_ingest_append_duration_seconds_bucket[5m])))', '99 of 100'],
        ),
      },
      series: {
        kind: 'line',
        title: 'Series',
        source: asked(['nines_store_series', 'known'], ['nines_store_head_series', 'in memory']),
        min: 0,
      },
      cpu: { kind: 'line', title: 'Processor', unit: 'percent', source: asked([OWN_CPU_PERCENT, 'of one core']), min: 0 },
      memory: { kind: 'line', title: 'Memory', unit: 'bytes', source: asked([OWN_MEMORY_BYTES, 'resident']), min: 0 },
      lag: {
        kind: 'line',
        title: 'Time that work waited for its turn',
        unit: 'seconds',
        source: asked('nodejs_eventloop_lag_seconds'),
        min: 0,
      },
      data: {
        kind: 'line',
        title: 'Data directory',
        unit: 'bytes',
        source: asked(['nines_data_size_bytes', 'used'], ['nines_data_available_bytes', 'free']),
        min: 0,
      },
      rules: {
        kind: 'line',
        title: 'Rule evaluations',
        unit: 'per_second',
        min: 0,
        source: asked(
          ['sum(rate(nines_rule_evaluations_woken_total[5m]))', 'woken by data'],
          ['sum(rate(nines_rule_evaluations_timer_total[5m]))', 'by the clock'],
          ['sum(rate(nines_rule_evaluation_failures_total[5m]))', 'failed'],
        ),
      },
      lost: {
        kind: 'card',
        title: 'Pages and frames that were damaged',
        source: asked('sum(nines_store_corrupt_pages_total) + sum(nines_store_corrupt_frames_total)'),
        thresholds: [{ at: 1, severity: 'critical' }],
      },
    },
  }),
];
