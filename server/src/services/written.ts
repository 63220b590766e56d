import { formatDuration } from '@nines/base/duration.ts';
import { Secret } from '../platform/config/fields.ts';
import type { ServiceSpec, WrittenService } from './contract.ts';

const written = (lengthMs: number | undefined): string | undefined => (lengthMs === undefined ? undefined : formatDuration(lengthMs));

/**
 * A parsed declaration as a person would write it: lengths with their units. With secrets revealed, parsing it again gives the same
 * declaration; without, they print as `[redacted]`.
 */
export function writtenOf(spec: ServiceSpec, secrets: 'revealed' | 'redacted'): WrittenService {
  const declaration: unknown = {
    ...spec,
    checks: spec.checks.map((check) => {
      const lengths = dropUndefined({
        interval: written(check.interval),
        timeout: written(check.timeout),
        degraded_after: written(check.degraded_after),
      });
      if (check.kind === 'tcp') return { ...check, ...lengths };
      const expect = { ...check.expect, ...dropUndefined({ certificate_valid_for: written(check.expect.certificate_valid_for) }) };
      const shown = (value: Secret): string => (secrets === 'revealed' ? value.reveal() : String(value));
      const headers = Object.fromEntries(Object.entries(check.headers).map(([name, value]) => [name, shown(value)]));
      return { ...check, ...lengths, headers, expect };
    }),
  };
  return declaration as WrittenService;
}

const dropUndefined = (record: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));

/** An edited declaration in which `[redacted]` means the secret that stood there before. */
export function withSecretsOf(before: ServiceSpec, after: ServiceSpec): ServiceSpec {
  const known = new Map(before.checks.map((check) => [check.id, check]));
  const checks = after.checks.map((check) => {
    const old = known.get(check.id);
    if (check.kind !== 'http' || old?.kind !== 'http') return check;
    const headers = Object.entries(check.headers).map(([name, value]) => {
      const kept = value.reveal() === REDACTED ? old.headers[name] : undefined;
      return [name, kept ?? value] as const;
    });
    return { ...check, headers: Object.fromEntries(headers) };
  });
  return { ...after, checks };
}

const REDACTED = String(new Secret('x'));
