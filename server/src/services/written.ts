import { formatDuration } from '@nines/base/duration.ts';
import { lengthsOfCheck, type ParsedCheck } from '../checks/contract.ts';
import { Secret } from '../platform/config/fields.ts';
import { HIDDEN } from '../platform/scrub.ts';
import { mapLeaves } from '../platform/secrets/leaves.ts';
import type { ServiceSpec, WrittenService } from './contract.ts';

/** The labels of a service as it declares them, with its team. */
export const ownLabelsOf = ({ team, labels }: Pick<ServiceSpec, 'team' | 'labels'>): Readonly<Record<string, string>> => ({
  ...labels,
  ...(team === '' ? {} : { team }),
});

type Fields = Readonly<Record<string, unknown>>;

/** What stands for a secret; `path` is `checks.0.headers.accept`. */
type Shown = (secret: Secret, path: string) => unknown;

/** A parsed declaration as a person would write it: lengths with their units. Redacted, secrets print as `[redacted]`. */
export function writtenOf(spec: ServiceSpec, secrets: 'redacted' | Shown): WrittenService {
  const shown: Shown = secrets === 'redacted' ? String : secrets;
  const checks = spec.checks.map((check, index) => writtenCheck(check, (secret, path) => shown(secret, `checks.${index}.${path}`)));
  const declaration: unknown = { ...spec, checks };
  return declaration as WrittenService;
}

/** One check of a declaration as a person would write it, secrets revealed; undefined when there is none of that id. */
export function writtenCheckOf(spec: ServiceSpec | undefined, id: string): Fields | undefined {
  const check = spec?.checks.find((one) => one.id === id);
  return check === undefined ? undefined : writtenCheck(check, (secret) => secret.reveal());
}

function writtenCheck(check: ParsedCheck, shown: Shown): Fields {
  const lengths = new Set(lengthsOfCheck(check));
  return mapLeaves(check, (value, path) => {
    if (value instanceof Secret) return shown(value, path);
    return typeof value === 'number' && lengths.has(path) ? formatDuration(value) : value;
  }) as Fields;
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
      value instanceof Secret && value.reveal() === HIDDEN ? (secrets.get(path) ?? value) : value,
    ) as ParsedCheck;
  });
  return { ...after, checks };
}
