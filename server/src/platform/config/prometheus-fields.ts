import { parseDuration } from '@nines/base/duration.ts';
import type { Ms } from '@nines/base/units.ts';
import { z } from 'zod';
import { Secret } from './fields.ts';

/** Building blocks of Prometheus' configuration as zod schemas: what its YAML reader accepts, ours does too. */

/** Go's reader takes any scalar where text is wanted. */
export const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** A secret; any scalar, as `text`. */
export const secretText = text.transform((written) => new Secret(written));

/** An empty key (`rule_files:` with nothing but comments below) is an absent one. */
export const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

export const labelMap = z
  .record(z.string(), text)
  .nullish()
  .transform((labels): Readonly<Record<string, string>> => labels ?? {});

export const length = text.transform((written, context): Ms => {
  const parsed = parseDuration(written);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, kib: 1024, mb: 1024 ** 2, mib: 1024 ** 2, gb: 1024 ** 3, gib: 1024 ** 3 };

/** `10MB`; powers of 1024 whatever the spelling, as Prometheus counts. */
export const byteSize = text.transform((written, context): number => {
  const found = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(written);
  const unit = found?.[2] === '' ? 1 : UNITS[found?.[2]?.toLowerCase() ?? 'none'];
  if (found !== null && unit !== undefined) return Math.floor(Number(found[1]) * unit);
  context.addIssue({ code: 'custom', message: `not a size: "${written}" (write for example 10MB)` });
  return z.NEVER;
});
