import { type Result, err, ok } from '@nines/base/result.ts';
import { z } from 'zod';
import { fieldPath } from '../platform/http/schemas.ts';
import { type TargetGroup, groupOf, writtenGroup } from './contract.ts';

const groups = z.array(writtenGroup);

/**
 * A list of target groups, already read as JSON or YAML; `null` is an empty one. `origin` and the number make up the source,
 * and `meta` goes to every group. The error names the first place that is wrong.
 */
export function readGroups(
  value: unknown,
  { origin, meta }: { readonly origin: string; readonly meta: Readonly<Record<string, string>> },
): Result<readonly TargetGroup[], string> {
  const parsed = groups.safeParse(value ?? []);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = fieldPath(issue?.path ?? []);
    return err(`${path === '' ? 'the list' : path}: ${issue?.message ?? 'is no list of target groups'}`);
  }
  return ok(
    parsed.data.map((written, index) => {
      const group = groupOf(written, `${origin}:${index}`);
      return { ...group, labels: { ...group.labels, ...meta } };
    }),
  );
}
