/** Answers in the shapes of the real server, computed from the instant they are asked at. For work on the pages alone. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

type Interval = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly state: string;
  readonly unknown_reason?: string;
  readonly from_bounds_at_ms?: readonly [number, number];
  readonly evidence?: readonly { readonly check: string; readonly at_ms: number; readonly detail: string }[];
};

const REFUSED = 'connection refused by 127.0.0.1:9999';

/** The history of a service before `now`, newest last, as [length of the stretch, state, why]. */
function historyOf(service: string, now: number): readonly Interval[] {
  const stretches: readonly (readonly [number, string, string])[] =
    service === 'shop'
      ? [
          [40 * DAY, 'unknown', 'not_yet_monitored'],
          [31 * DAY, 'up', ''],
          [11 * MINUTE, 'down', 'expected status 200, got 503'],
          [16 * DAY, 'up', ''],
          [4 * HOUR, 'unknown', 'monitor_down'],
          [2 * DAY + 6 * HOUR, 'up', ''],
          [25 * MINUTE, 'degraded', 'took 1.84 s, limit 1 s'],
          [9 * HOUR, 'up', ''],
          [90_000, 'down', 'body does not contain "ok"'],
          [5 * HOUR, 'up', ''],
          [6 * MINUTE + 12_000, 'down', REFUSED],
        ]
      : [
          [60 * DAY, 'unknown', 'not_yet_monitored'],
          [20 * DAY, 'up', ''],
          [3 * MINUTE, 'down', 'no answer within 1 s'],
          [10 * DAY, 'up', ''],
        ];
  const total = stretches.reduce((sum, [length]) => sum + length, 0);
  let at = now - total;
  return stretches.map(([length, state, why]) => {
    const from = at;
    at += length;
    return {
      from_at_ms: from,
      to_at_ms: at,
      state,
      ...(state === 'unknown' ? { unknown_reason: why } : { from_bounds_at_ms: [from - 1_000, from] as const }),
      ...(state === 'down' || state === 'degraded' ? { evidence: [{ check: `${service}-http`, at_ms: from, detail: why }] } : {}),
    };
  });
}

export function timelineOf(service: string, fromMs: number, toMs: number, now: number) {
  const intervals = historyOf(service, now).flatMap((interval) => {
    const from = Math.max(fromMs, interval.from_at_ms);
    const to = Math.min(toMs, now, interval.to_at_ms);
    return to > from ? [{ ...interval, from_at_ms: from, to_at_ms: to }] : [];
  });
  const sum = (state: string) =>
    intervals.filter((interval) => interval.state === state).reduce((total, { from_at_ms, to_at_ms }) => total + to_at_ms - from_at_ms, 0);
  const buckets = {
    up_ms: sum('up'),
    degraded_ms: sum('degraded'),
    down_ms: sum('down'),
    unknown_ms: sum('unknown'),
    excluded_ms: 0,
    out_of_hours_ms: 0,
  };
  return { service, from_at_ms: fromMs, to_at_ms: Math.min(now, toMs), intervals, buckets };
}

const NAMES: readonly (readonly [string, string])[] = [
  ['shop', 'Web shop'],
  ['db', 'Orders database'],
  ['api', 'Public API'],
  ['feed', 'Market data feed'],
];

/** The catalogue without checks. */
function catalogue(now: number) {
  return NAMES.map(([id, name]) => {
    const last = historyOf(id, now).at(-1);
    return {
      id,
      name,
      owner: id === 'feed' ? '' : 'platform',
      tags: id === 'shop' ? ['customer-facing'] : [],
      depends_on: id === 'shop' ? ['db'] : [],
      dependents: id === 'db' ? ['shop'] : [],
      description: '',
      tier: '',
      runbook: '',
      team: '',
      labels: {},
      suppress_when_parent_down: false,
      monitored_since_at_ms: now - 50 * DAY,
      origin: { kind: 'file', place: 'nines.yml:17' },
      state: last?.state ?? 'unknown',
      since_at_ms: last?.from_at_ms ?? now,
      why: last?.evidence?.map(({ check: name, detail }) => `${name}: ${detail}`).join('; ') ?? null,
      unknown_reason: null,
    };
  });
}

type Listed = ReturnType<typeof catalogue>[number];

function checksOf(one: Listed, now: number) {
  const ids = one.id === 'shop' ? ['shop-http', 'shop-port'] : [`${one.id}-port`];
  const down = one.state === 'down';
  return ids.map((id) => ({
    id,
    name: id,
    impact: 'down',
    confirm: { n: 1, of: 1 },
    unknown_reason: null,
    service: one.id,
    kind: id.endsWith('http') ? 'http' : 'tcp',
    target: id.endsWith('http') ? 'http://127.0.0.1:9999/health' : '127.0.0.1:5432',
    interval_ms: 1_000,
    timeout_ms: 500,
    state: one.state,
    since_at_ms: one.since_at_ms,
    last: {
      at_ms: now - 700,
      duration_ms: 12.41,
      outcome: down ? 'down' : 'up',
      detail: down ? REFUSED : null,
      phases_ms: { resolve: 0.31, connect: 1.2, processing: 9.4, transfer: 1.5 },
      code: null,
      certificate_expires_at_ms: null,
      loop_delay_ms: 0.2,
      address: '127.0.0.1:9999',
      headers: [],
      steps: [],
      screenshot: false,
      excerpt: null,
      status_code: down || !id.endsWith('http') ? null : 200,
    },
  }));
}

export const services = (now: number) =>
  catalogue(now).map((one) => ({ ...one, checks: checksOf(one, now), check_count: checksOf(one, now).length }));
/** Ten thousand services, for the list that must open all the same. */
export const manyServices = (now: number) => {
  const [one] = services(now).slice(1);
  return Array.from({ length: 10_000 }, (_, index) => ({
    ...one,
    id: `service-${index}`,
    name: `Service ${index}`,
    checks: [],
    check_count: 0,
  }));
};
export const checks = (now: number) => catalogue(now).flatMap((one) => checksOf(one, now));

export function service(id: string, now: number) {
  const found = services(now).find((one) => one.id === id);
  if (found === undefined) return undefined;
  const uptime = (length: number) => {
    const { buckets } = timelineOf(id, now - length, now, now);
    const good = buckets.up_ms + buckets.degraded_ms;
    return { window_ms: length, from_at_ms: now - length, to_at_ms: now, ratio: good / (good + buckets.down_ms), buckets };
  };
  return {
    ...found,
    uptime: { '24h': uptime(DAY), '7d': uptime(7 * DAY), '30d': uptime(30 * DAY) },
    impact: { upstream: [], downstream: [], causes: [] },
    downtimes: [],
    maintenance: [],
    composite: null,
    spec: null,
  };
}

/** One check with its latest results and its last failure. */
export function check(id: string, now: number) {
  const found = checks(now).find((one) => one.id === id);
  if (found === undefined) return undefined;
  const results = Array.from({ length: 20 }, (_, index) => ({ ...found.last, at_ms: now - index * 1_000, duration_ms: 11 + (index % 5) }));
  return {
    ...found,
    results,
    last_failure: {
      ...found.last,
      outcome: 'down',
      detail: 'expected status 200, got 503',
      status_code: 503,
      headers: [{ name: 'retry-after', value: '30' }],
      excerpt: '<h1>Service Unavailable</h1>',
    },
  };
}

export function downtimes(id: string, now: number) {
  return historyOf(id, now)
    .filter((interval) => interval.state === 'down')
    .map((interval, index) => ({
      id: `d${index}`,
      service: id,
      from_at_ms: interval.from_at_ms,
      to_at_ms: interval.to_at_ms === now ? null : interval.to_at_ms,
      from_bounds_at_ms: [interval.from_at_ms - 1_000, interval.from_at_ms],
      to_bounds_at_ms: interval.to_at_ms === now ? null : [interval.to_at_ms - 1_000, interval.to_at_ms],
      reason: 'unplanned_outage',
      checks: [`${id}-http`],
      evidence: interval.evidence,
      excluded: false,
      note: '',
      revision: 1,
    }));
}

type SlaSeed = {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly attained: number;
  readonly spent: number;
  readonly total: number;
};

function slaOf({ id, name, status, attained, spent, total }: SlaSeed, now: number) {
  const { buckets } = timelineOf('shop', now - DAY, now, now);
  return {
    id,
    service: 'shop',
    name,
    status,
    status_reason: status === 'breached' ? 'The budget of 1 min 26 s is overspent by 6 min 16 s.' : '',
    target: 0.999,
    attained,
    window: { from_at_ms: now - DAY, to_at_ms: now },
    young: false,
    observed_ms: DAY,
    indicator: { kind: 'availability' },
    objective: { op: '>=', value: 0.999, unit: 'ratio', statistic: null },
    value: attained,
    budget: { unit: 'ms', total_ms: total, spent_ms: spent, remaining_ms: total - spent },
    buckets,
    attained_bounds: [attained - 0.000012, attained + 0.000023],
    burn: [
      {
        long_ms: 3_600_000,
        short_ms: 300_000,
        factor: 14,
        severity: 'critical',
        rate: status === 'breached' ? 104 : 0.4,
        firing: status === 'breached',
      },
      {
        long_ms: 21_600_000,
        short_ms: 1_800_000,
        factor: 7,
        severity: 'warning',
        rate: status === 'breached' ? 21.5 : 0.2,
        firing: status === 'breached',
      },
      { long_ms: 259_200_000, short_ms: 21_600_000, factor: 1, severity: 'warning', rate: null, firing: null },
    ],
    exhausts_at_ms: status === 'at_risk' ? now + 3 * HOUR : null,
    violations_open: status === 'breached' ? 1 : 0,
    customers: [],
    origin: 'nines.yml:33',
  };
}

export function slas(now: number) {
  const seeds: readonly SlaSeed[] = [
    { id: 'shop-availability', name: 'Shop availability', status: 'breached', attained: 0.994651, spent: 462_000, total: 86_400 },
    { id: 'shop-latency', name: 'Shop latency', status: 'at_risk', attained: 0.99934, spent: 69_000, total: 86_400 },
    { id: 'db-availability', name: '', status: 'met', attained: 0.999934, spent: 5_700, total: 86_400 },
  ];
  return seeds.map((seed) => slaOf(seed, now));
}

export const violations = (id: string, now: number) =>
  id === 'shop-availability'
    ? [
        { id: 'v2', severity: 'critical', opened_at_ms: now - 5 * MINUTE, closed_at_ms: null, reason: 'Budget of 1 min 26 s overspent.' },
        {
          id: 'v1',
          severity: 'minor',
          opened_at_ms: now - 9 * DAY,
          closed_at_ms: now - 9 * DAY + HOUR,
          reason: 'Burned 16 × over 1 h and 5 min.',
        },
      ]
    : [];

const ALERTS = [
  {
    severity: 'emergency',
    state: 'firing',
    summary: 'Web shop is down: connection refused by 127.0.0.1:9999',
    rule: 'RULE_004',
    ago: 6 * MINUTE,
  },
  { severity: 'critical', state: 'acknowledged', summary: 'Shop availability is breached', rule: 'RULE_003', ago: 5 * MINUTE },
  { severity: 'warning', state: 'firing', summary: '', rule: 'RULE_007', ago: 3 * HOUR },
  { severity: 'info', state: 'pending', summary: 'GPU usage above 90 %', rule: 'gpu_high_usage', ago: 20_000 },
] as const;

export function alerts(now: number, acknowledged: ReadonlySet<string>) {
  return ALERTS.map((alert, index) => {
    const id = `a${index}`;
    const state = acknowledged.has(id) ? 'acknowledged' : alert.state;
    return {
      id,
      fingerprint: `0f3a9c77d21b4e0${index}`,
      kind: 'rule',
      rule: alert.rule,
      state,
      condition: alert.state === 'pending' ? 'pending' : 'firing',
      severity: alert.severity,
      labels: { alertname: alert.rule === 'RULE_007' ? 'Disk is full' : alert.rule, severity: alert.severity, instance: 'host-1' },
      annotations: alert.summary === '' ? {} : { summary: alert.summary, description: 'Three attempts in a row failed.' },
      value: 92.4171,
      starts_at_ms: now - alert.ago,
      ends_at_ms: null,
      acknowledged_by: state === 'acknowledged' ? 'ana' : null,
      acknowledged_at_ms: state === 'acknowledged' ? now - MINUTE : null,
      suppressed_by: null,
      suppressed_at_ms: null,
      snoozed_until_ms: null,
      snoozed_until_resolved: false,
      assigned_to: null,
      held_back: null,
      generator_url: null,
      problem: null,
      flapping_since_ms: null,
      alertname: alert.rule,
      service: index < 2 ? 'shop' : null,
      transitions: [
        { at_ms: now - alert.ago, kind: 'pending', reason: 'condition began to hold', actor: 'system' },
        { at_ms: now - alert.ago + 1_000, kind: 'fired', reason: 'held for 1 s', actor: 'system' },
      ],
      deliveries: [
        {
          id: 'n1',
          channel: 'hook',
          reason: 'fired',
          status: 'delivered',
          cause: '',
          attempts: 1,
          last_error: null,
          receipt: '200',
          created_at_ms: now - alert.ago + 1_100,
        },
      ],
    };
  });
}

export function alertCounts(now: number, acknowledged: ReadonlySet<string>) {
  const all = alerts(now, acknowledged);
  const of = (severity: string, state: string) => all.filter((one) => one.severity === severity && one.state === state).length;
  const states = ['pending', 'firing', 'acknowledged', 'suppressed', 'resolved'];
  const bySeverity = ['info', 'warning', 'critical', 'emergency'].map((severity) => [
    severity,
    Object.fromEntries(states.map((state) => [state, of(severity, state)])),
  ]);
  const firing = all.filter(({ state }) => state === 'firing').length;
  return { total: all.length, firing, by_severity: Object.fromEntries(bySeverity) as Record<string, Record<string, number>> };
}

export const host = (now: number) => ({
  at_ms: now,
  instance: 'host-1',
  cpu: { percent: 12.4, cores: [{}, {}, {}, {}] },
  memory: { percent: 41.3, used_bytes: 6.6e9, total_bytes: 16e9 },
  disk: [{ mount: '/', percent: 22.1, used_bytes: 44e9, total_bytes: 200e9 }],
  network: { receive_bytes_per_second: 184_000, transmit_bytes_per_second: 22_000 },
  load: { '1m': 0.42 },
});

/** A believable series for any expression: waves and a gap. */
export function matrix(expr: string, fromS: number, toS: number, stepS: number) {
  const bytes = expr.includes('network');
  const seconds = expr.includes('probe_duration');
  const one = (metric: Record<string, string>, phase: number) => {
    const values: [number, string][] = [];
    for (let at = fromS; at <= toS; at += stepS) {
      const share = (at - fromS) / (toS - fromS);
      if (share > 0.62 && share < 0.68) continue;
      const wave = 0.5 + 0.3 * Math.sin(share * 18 + phase) + 0.12 * Math.sin(share * 97 + phase * 3);
      values.push([at, String(seconds ? wave * 0.02 : bytes ? wave * 4e5 : wave * 60)]);
    }
    return { metric, values };
  };
  const result = seconds ? [one({ check: 'shop-http' }, 0), one({ check: 'shop-port' }, 2)] : [one({}, expr.length)];
  return { status: 'success', data: { resultType: 'matrix', result } };
}
