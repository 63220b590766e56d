import { formatDuration } from '@nines/base/duration.ts';
import { lengthsOfCheck, type ParsedCheck } from '../checks/contract.ts';
import { Secret } from '../platform/config/fields.ts';
import type { ServiceSpec, WrittenService } from './contract.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * A parsed declaration as a person would write it: lengths with their units. With secrets revealed, parsing it again gives the same
 * declaration; without, they print as `[redacted]`.
 */
export function writtenOf(spec: ServiceSpec, secrets: 'revealed' | 'redacted'): WrittenService {
  const shown = (secret: Secret): string => (secrets === 'revealed' ? secret.reveal() : String(secret));
  const declaration: unknown = { ...spec, checks: spec.checks.map((check) => writtenCheck(check, shown)) };
  return declaration as WrittenService;
}

/** One check of a declaration as a person would write it, secrets revealed; undefined when there is none of that id. */
export function writtenCheckOf(spec: ServiceSpec | undefined, id: string): Fields | undefined {
  const check = spec?.checks.find((one) => one.id === id);
  return check === undefined ? undefined : writtenCheck(check, (secret) => secret.reveal());
}

function writtenCheck(check: ParsedCheck, shown: (secret: Secret) => string): Fields {
  const lengths = new Set(lengthsOfCheck(check));
  return mapLeaves(check, (value, path) => {
    if (value instanceof Secret) return shown(value);
    return typeof value === 'number' && lengths.has(path) ? formatDuration(value) : value;
  }) as Fields;
}

/** A copy in which every leaf went through `to`; `path` is `expect.status`, `headers.accept`, `steps.0.url`. */
function mapLeaves(value: unknown, to: (leaf: unknown, path: string) => unknown, path = ''): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return to(value, path);
  const below = (key: string | number): string => (path === '' ? String(key) : `${path}.${key}`);
  if (Array.isArray(value)) return value.map((item, index) => mapLeaves(item, to, below(index)));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapLeaves(inner, to, below(key))]));
}

/** An edited declaration in which `[redacted]` means the secret that stood there before. */
export function withSecretsOf(before: ServiceSpec, after: ServiceSpec): ServiceSpec {
  const known = new Map(before.checks.map((check) => [check.id, check]));
  const checks = after.checks.map((check) => {
    const old = known.get(check.id);
    if (old?.kind !== check.kind) return check;
    const secrets = new Map<string, Secret>();
    mapLeaves(old, (value, path) => (value instanceof Secret ? secrets.set(path, value) : undefined));
    return mapLeaves(check, (value, path) =>
      value instanceof Secret && value.reveal() === REDACTED ? (secrets.get(path) ?? value) : value,
    ) as ParsedCheck;
  });
  return { ...after, checks };
}

const REDACTED = String(new Secret('x'));
