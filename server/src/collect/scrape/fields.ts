import { parseDuration } from '@nines/base/duration.ts';
import { compileRegex } from '@nines/base/regex.ts';
import type { Ms } from '@nines/base/units.ts';
import { RELABEL_ACTIONS, type RelabelAction, type RelabelRule } from '@nines/model/relabel.ts';
import { z } from 'zod';

/** Building blocks of Prometheus' configuration as zod schemas: what its YAML reader accepts, ours does too. */

/** Go's reader takes any scalar where text is wanted. */
export const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

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

const NEEDS_TARGET: readonly RelabelAction[] = ['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal'];

export const relabelRule = z
  .strictObject({
    source_labels: list(text),
    separator: text.default(';'),
    target_label: text.default(''),
    regex: text.default('(.*)'),
    modulus: z.int().min(0).default(0),
    replacement: text.default('$1'),
    action: z
      .string()
      .transform((word) => word.toLowerCase())
      .pipe(z.enum(RELABEL_ACTIONS))
      .default('replace'),
  })
  .transform((written, context): RelabelRule => {
    const regex = compileRegex(written.regex);
    if (!regex.ok) {
      context.addIssue({ code: 'custom', message: regex.error, path: ['regex'] });
      return z.NEVER;
    }
    if (written.action === 'hashmod' && written.modulus === 0)
      context.addIssue({ code: 'custom', message: 'hashmod needs a modulus above 0' });
    if (NEEDS_TARGET.includes(written.action) && written.target_label === '') {
      context.addIssue({ code: 'custom', message: `action ${written.action} needs a target_label` });
    }
    const { action, modulus, replacement, separator } = written;
    return {
      action,
      modulus,
      replacement,
      separator,
      sourceLabels: written.source_labels,
      targetLabel: written.target_label,
      regex: regex.value,
    };
  });
