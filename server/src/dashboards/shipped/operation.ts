import { OPEN_ALERTS, SERVICES, asked, cpu, errors, memory, network, response, ring, shipped, slas, throughput, users } from './board.ts';
import {
  CPU_SHARE,
  DISK_FREE_BYTES,
  DISK_USED_BYTES,
  FEATURE_USES,
  MEMORY_FREE_BYTES,
  MEMORY_USED_BYTES,
  OWN_CPU_PERCENT,
  OWN_MEMORY_BYTES,
  PAGE_VIEWS,
  RECEIVED_BYTES,
  SENT_BYTES,
  SESSIONS,
  THREATS_BLOCKED,
} from './queries.ts';

export const SLA_OVERVIEW = shipped({
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
});

export const PERFORMANCE = shipped({
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
      source: asked([THREATS_BLOCKED, 'blocked']),
    },
    cpu: { kind: 'line', ...cpu, min: 0 },
    memory: { kind: 'line', ...memory, min: 0 },
    response_line: { kind: 'line', ...response, min: 0 },
    errors_line: { kind: 'line', ...errors, min: 0 },
    throughput: { kind: 'line', ...throughput, min: 0 },
    network: { kind: 'line', ...network, min: 0 },
    cpu_now: { kind: 'pie', title: 'CPU', unit: 'percent', source: ring([CPU_SHARE, 'busy'], [`100 - ${CPU_SHARE}`, 'idle']) },
    memory_now: { kind: 'pie', title: 'Memory', unit: 'bytes', source: ring([MEMORY_USED_BYTES, 'used'], [MEMORY_FREE_BYTES, 'free']) },
    disk_now: { kind: 'pie', title: 'Storage', unit: 'bytes', source: ring([DISK_USED_BYTES, 'used'], [DISK_FREE_BYTES, 'free']) },
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
      source: asked([SESSIONS, 'sessions']),
    },
    states: { kind: 'state', title: 'Web, database, email, security scanning', source: { from: 'checks' } },
  },
  sections: {
    'At a glance': ['uptime', 'users', 'response', 'threats'],
    Trends: ['cpu', 'memory', 'response_line', 'errors_line', 'throughput', 'network'],
    Resources: ['cpu_now', 'memory_now', 'disk_now', 'network_now'],
    Engagement: ['views', 'features', 'sessions'],
    Status: ['states'],
  },
});

const INBOX = { title: 'The inbox', url: '/alerts-dashboard' };
const STATISTICS = { title: 'Statistics of alerts', url: '/alerts-dashboard?view=statistics' };

/** The inbox at `/alerts-dashboard` asks the same questions: this is what of it hangs on a wall, is copied and embedded. */
export const ALERTS = shipped({
  id: 'alerts',
  title: 'Alerts',
  description: 'The figures of the inbox for a wall or a page of yours. To take, silence or escalate one, open the inbox.',
  range: '7d',
  layout: 'two_columns',
  panels: {
    firing: { kind: 'card', title: 'Open alerts', source: OPEN_ALERTS, links: [INBOX] },
    severity: { kind: 'pie', title: 'By severity', source: OPEN_ALERTS },
    list: { kind: 'alert_list', title: 'Open, the worst first', source: OPEN_ALERTS, limit: 50, links: [INBOX] },
    days: { kind: 'bar', title: 'Alerts a day', source: { from: 'alerts', status: 'all' }, links: [STATISTICS] },
  },
});

export const PLATFORM_HEALTH = shipped({
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
});
