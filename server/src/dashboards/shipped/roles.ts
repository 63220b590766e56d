import { OPEN_ALERTS, SERVICES, asked, cpu, errors, memory, network, response, shipped, slas, throughput, users } from './board.ts';
import { accuracy, drift, inference } from './models.ts';
import {
  AUTOMATION_RUNS,
  AUTOMATION_SUCCESS,
  COSTS_OF_A_DAY,
  CPU_PERCENT,
  CUSTOMERS,
  CUSTOMERS_LOST,
  CUSTOMERS_WON,
  DISK_PERCENT,
  FULLEST_DISK_PERCENT,
  MARKET_SHARE,
  MEMORY_PERCENT,
  RETURN_RATIO,
  REVENUE_OF_A_DAY,
  SATISFACTION,
} from './queries.ts';

const revenue = {
  title: 'Revenue of a day',
  description: 'Fed by business_revenue_total: what was earned, counted up, in one currency.',
  unit: 'currency',
  source: asked([REVENUE_OF_A_DAY, 'revenue']),
} as const;
const returns = {
  title: 'Return on what was spent, 30 days',
  description: 'Fed by business_revenue_total and business_costs_total: (revenue - costs) / costs.',
  unit: 'ratio',
  source: asked([RETURN_RATIO, 'return']),
} as const;
const satisfaction = {
  title: 'Satisfaction',
  description: 'Fed by business_satisfaction_ratio: the share of answers that are content, 0 to 1.',
  unit: 'ratio',
  source: asked([SATISFACTION, 'content']),
} as const;

export const EXECUTIVE = shipped({
  id: 'executive',
  title: 'Executive',
  description: 'Promises, budgets and incidents, and what the business made of them, on one page.',
  range: '30d',
  layout: 'two_columns',
  panels: {
    attained: { kind: 'card', title: 'Kept of what was promised', unit: 'ratio', source: slas('attained') },
    incidents: { kind: 'card', title: 'Open incidents', source: { from: 'incidents' } },
    budgets: { kind: 'slo_budget', title: 'Budgets left', source: slas('budget_left') },
    trend: { kind: 'line', title: 'Availability against the promise', unit: 'ratio', source: slas('attained') },
    outages: { kind: 'status_timeline', title: 'Outages', source: SERVICES },
    contracts: { kind: 'table', title: 'Contracts', source: slas('attained') },
    roi: { kind: 'card', ...returns },
    satisfaction: { kind: 'card', ...satisfaction },
    revenue: { kind: 'line', ...revenue, min: 0 },
  },
  sections: {
    Promises: ['attained', 'incidents', 'budgets', 'trend', 'outages', 'contracts'],
    Business: ['roi', 'satisfaction', 'revenue'],
  },
});

export const TECHNICAL = shipped({
  id: 'technical',
  title: 'Technical',
  description: 'Rate, errors and duration of what is served; use and saturation of what serves it; models in operation.',
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
    accuracy: { kind: 'line', ...accuracy },
    inference: { kind: 'line', ...inference, min: 0 },
    drift: { kind: 'line', ...drift, min: 0 },
  },
  sections: {
    'What is served': ['throughput', 'errors', 'response'],
    'What serves it': ['cpu', 'load', 'pressure', 'memory', 'disk', 'network', 'week'],
    Models: ['accuracy', 'inference', 'drift'],
  },
});

export const OPERATIONS = shipped({
  id: 'operations',
  title: 'Operations',
  description: 'What is down, what rings, who works on it, and what machines do by themselves.',
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
    automated: {
      kind: 'card',
      title: 'Automation that succeeded, in 7 days',
      description: 'Fed by automation_runs_total with the label outcome: success or failure.',
      unit: 'ratio',
      source: asked([AUTOMATION_SUCCESS, 'succeeded']),
    },
    runs: {
      kind: 'line',
      title: 'Runs of automation in a day',
      description: 'Fed by automation_runs_total with the label outcome: success or failure.',
      min: 0,
      source: asked([AUTOMATION_RUNS, '{{outcome}}']),
    },
  },
  sections: {
    Now: ['states', 'alerts', 'timeline', 'incidents'],
    Infrastructure: ['checks', 'hosts'],
    Automation: ['automated', 'runs'],
  },
});

export const BUSINESS = shipped({
  id: 'business',
  title: 'Business',
  description: 'How much is used, what it earns, who stays, and what of the promises is left.',
  range: '30d',
  layout: 'two_columns',
  panels: {
    users: { kind: 'card', ...users },
    requests: { kind: 'card', ...throughput, title: 'Requests a second' },
    use: { kind: 'line', ...throughput, title: 'Use', fill: true, min: 0 },
    response: { kind: 'line', ...response, title: 'How long customers wait', min: 0 },
    attained: { kind: 'bar', title: 'Kept of what was promised', unit: 'ratio', by: 'series', source: slas('attained') },
    budgets: { kind: 'slo_budget', title: 'What is left to spend', source: slas('budget_left') },
    earned: { kind: 'card', ...revenue },
    roi: { kind: 'card', ...returns },
    money: {
      kind: 'line',
      title: 'Revenue and costs of a day',
      description: 'Fed by business_revenue_total and business_costs_total, in one currency.',
      unit: 'currency',
      min: 0,
      source: asked([REVENUE_OF_A_DAY, 'revenue'], [COSTS_OF_A_DAY, 'costs']),
    },
    customers: {
      kind: 'card',
      title: 'Customers',
      description: 'Fed by business_customers.',
      source: asked([CUSTOMERS, 'customers']),
    },
    satisfied: { kind: 'card', ...satisfaction },
    won: {
      kind: 'line',
      title: 'Customers won and lost in a day',
      description: 'Fed by business_customers_won_total and business_customers_lost_total.',
      min: 0,
      source: asked([CUSTOMERS_WON, 'won'], [CUSTOMERS_LOST, 'lost']),
    },
    market: {
      kind: 'line',
      title: 'Share of the market',
      description: 'Fed by business_market_share_ratio.',
      unit: 'ratio',
      min: 0,
      source: asked([MARKET_SHARE, 'share']),
    },
  },
  sections: {
    Use: ['users', 'requests', 'use', 'response'],
    Promises: ['attained', 'budgets'],
    Revenue: ['earned', 'roi', 'money'],
    'Customers and market': ['customers', 'satisfied', 'won', 'market'],
  },
});
