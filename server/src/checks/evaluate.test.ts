import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { faultsOf } from '../../../test/harness/checks.ts';
import type { CheckResult, Outcome } from './contract.ts';
import { faultOutcome, voidWhenLate } from './evaluate.ts';
import { samplesOf } from './series.ts';
import { labelValue, METRIC_NAME } from '@nines/model/labels.ts';

test('only outcomes that hang on time are void when the event loop was late', () => {
  const f = (outcome: Outcome, loopDelayMs: number, limitMs: number): string => voidWhenLate(outcome, { loopDelayMs, limitMs }).kind;
  const timeout: Outcome = { kind: 'down', code: 'timeout', detail: 't' };
  const slow: Outcome = { kind: 'degraded', code: 'slow', detail: 's' };
  assert.equal(f(timeout, 99, 500), 'down');
  assert.equal(f(timeout, 101, 500), 'void');
  assert.equal(f(timeout, 101, 10_000), 'down');
  assert.equal(f(timeout, 2_001, 10_000), 'void');
  assert.equal(f(slow, 150, 200), 'void');
  assert.equal(f({ kind: 'down', code: 'status', detail: '' }, 5_000, 500), 'down');
  assert.equal(f({ kind: 'up' }, 5_000, 500), 'up');
});

test('faults of this host are void, faults of the target are down', () => {
  const f = (code: string): string => {
    const outcome = faultOutcome({ code, message: 'm' }, '10.0.0.1:1');
    return outcome.kind === 'up' ? 'up' : `${outcome.kind} ${outcome.code} ${outcome.detail}`;
  };
  assert.equal(f('EMFILE'), 'void local_resource m (this host cannot reach out)');
  assert.equal(f('ENETUNREACH'), 'void probe_isolated m (this host cannot reach out)');
  assert.equal(f('ECONNREFUSED'), 'down connection_refused connection refused by 10.0.0.1:1');
  assert.equal(f('ENOTFOUND'), 'down name_not_found name not found: 10.0.0.1:1');
  assert.equal(f('EHOSTUNREACH'), 'down host_unreachable host unreachable: 10.0.0.1:1');
  assert.equal(f('EWHAT'), 'down connection 10.0.0.1:1: m');
});

const result = (over: Partial<CheckResult>): CheckResult => ({
  check: 'shop-http',
  service: 'shop',
  checkKind: 'http',
  target: 'http://h/',
  startedAtMs: epochMs(1_000),
  durationMs: 250,
  outcome: { kind: 'up' },
  phases: { resolve: 1, connect: 2, processing: 3, transfer: 4 },
  loopDelayMs: 0,
  ...over,
});
const values = (of: CheckResult): Record<string, number> =>
  Object.fromEntries(samplesOf(of).map(({ labels, value }) => [labelValue(labels, METRIC_NAME) + labelValue(labels, 'phase'), value]));

test('a result becomes samples under blackbox_exporter names, at the start of the attempt', () => {
  const samples = samplesOf(result({ statusCode: 200, certificateExpiresAtMs: epochMs(5_000), tls: true }));
  assert.ok(samples.every((sample) => sample.atMs === 1_000));
  const first = samples[0]?.labels ?? [];
  assert.deepEqual(
    ['service', 'check', 'kind', 'instance', 'job'].map((name) => labelValue(first, name)),
    ['shop', 'shop-http', 'http', 'http://h/', 'nines'],
  );
  assert.deepEqual(values(result({ statusCode: 200, certificateExpiresAtMs: epochMs(5_000), tls: true })), {
    probe_success: 1,
    probe_degraded: 0,
    probe_duration_seconds: 0.25,
    probe_dns_lookup_time_seconds: 0.001,
    probe_http_duration_secondsresolve: 0.001,
    probe_http_duration_secondsconnect: 0.002,
    probe_http_duration_secondstls: 0,
    probe_http_duration_secondsprocessing: 0.003,
    probe_http_duration_secondstransfer: 0.004,
    probe_http_status_code: 200,
    probe_http_redirects: 0,
    probe_http_ssl: 1,
    probe_failed_due_to_regex: 0,
    probe_ssl_earliest_cert_expiry: 5,
  });
});

test('success and degraded tell the three states apart; void leaves no sample', () => {
  const f = (outcome: Outcome): (number | undefined)[] => {
    const all = values(result({ checkKind: 'tcp', outcome }));
    return [all['probe_success'], all['probe_degraded']];
  };
  assert.deepEqual(f({ kind: 'up' }), [1, 0]);
  assert.deepEqual(f({ kind: 'degraded', code: 'slow', detail: '' }), [1, 1]);
  assert.deepEqual(f({ kind: 'down', code: 'timeout', detail: '' }), [0, 0]);
  assert.deepEqual(f({ kind: 'void', code: 'loop_delay', detail: '' }), [undefined, undefined]);
  assert.equal(values(result({ outcome: { kind: 'down', code: 'body_regex', detail: '' } }))['probe_failed_due_to_regex'], 1);
});

test('locations and quorums that contradict themselves are refused at their place', () => {
  const f = (more: Readonly<Record<string, unknown>>, want: string): void =>
    assert.equal(faultsOf({ kind: 'tcp', address: 'h:1', ...more }), want);
  f({ locations: ['server', 'berlin'] }, 'fits');
  f({ locations: ['server', 'berlin'], quorum: 2 }, 'fits');
  f({ locations: ['berlin'], quorum: 2 }, 'quorum: 2 of 1 locations can never agree');
  f({ quorum: 1 }, 'quorum: 1 of 0 locations can never agree');
  f({ locations: ['berlin', 'berlin'] }, 'locations: a location has one voice; one is named twice');
  assert.equal(
    faultsOf({ kind: 'promql', expr: 'up', condition: '> 0', locations: ['berlin'] }),
    'locations: our own samples are at the server only: a check of kind promql is asked there',
  );
});
