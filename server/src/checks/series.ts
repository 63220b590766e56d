import { labelsOf, METRIC_NAME, type Labels } from '@nines/model/labels.ts';
import { type CheckResult, PHASES } from './contract.ts';

export type ResultSample = { readonly labels: Labels; readonly atMs: number; readonly value: number };

/**
 * The samples of one result, under blackbox_exporter's names and at the attempt's start, with the labels of its service; `probe_degraded` is ours. Void results have
 * none: they say nothing about the target.
 */
export function samplesOf(result: CheckResult, ofService: Readonly<Record<string, string>> = {}): readonly ResultSample[] {
  const { outcome, phases } = result;
  if (outcome.kind === 'void') return [];
  const base = {
    ...ofService,
    service: result.service,
    check: result.check,
    kind: result.checkKind,
    instance: result.target,
    job: 'nines',
  };
  const from = result.location === undefined ? base : { ...base, location: result.location };
  const samples: ResultSample[] = [];
  const add = (name: string, value: number, labels: Readonly<Record<string, string>> = {}): void => {
    samples.push({ labels: labelsOf({ ...labels, ...from, [METRIC_NAME]: name }), atMs: result.startedAtMs, value });
  };
  add('probe_success', outcome.kind === 'down' ? 0 : 1);
  add('probe_degraded', outcome.kind === 'degraded' ? 1 : 0);
  add('probe_duration_seconds', result.durationMs / 1000);
  if (phases.resolve !== undefined) add('probe_dns_lookup_time_seconds', phases.resolve / 1000);
  for (const { name, value, labels } of result.figures ?? []) add(name, value, labels);
  if (result.certificateExpiresAtMs !== undefined) add('probe_ssl_earliest_cert_expiry', result.certificateExpiresAtMs / 1000);
  if (result.checkKind !== 'http') return samples;
  for (const phase of PHASES) add('probe_http_duration_seconds', (phases[phase] ?? 0) / 1000, { phase });
  add('probe_http_status_code', result.statusCode ?? 0);
  add('probe_http_redirects', result.redirects ?? 0);
  add('probe_http_ssl', result.tls === true ? 1 : 0);
  add('probe_failed_due_to_regex', outcome.kind === 'down' && outcome.code === 'body_regex' ? 1 : 0);
  return samples;
}
