import { parseDuration } from '@nines/base/duration.ts';
import { AppError } from '@nines/base/errors.ts';
import { fieldPath } from '@nines/server/platform/http/schemas.ts';
import type { z } from 'zod';
import type { Instant, Length } from './contract.ts';

/** What a caller handed over, read: everything here throws `AppError` `bad_input` with the field. */

export const refused = (code: string, field: string, message: string): AppError =>
  new AppError('bad_input', code, `${field}: ${message}`, { field });

/** As the domains take lengths: Prometheus' syntax. */
export const lengthText = (length: Length): string => (typeof length === 'number' ? `${length}ms` : length);

export function lengthMs(length: Length, field: string): number {
  const parsed = parseDuration(lengthText(length));
  if (!parsed.ok) throw refused('bad_length', field, parsed.error);
  if (parsed.value <= 0) throw refused('bad_length', field, 'must be longer than 0');
  return parsed.value;
}

export function instantMs(instant: Instant, field: string): number {
  const atMs = typeof instant === 'number' ? instant : instant.getTime();
  // Whole milliseconds of the times that a date can name.
  if (!Number.isFinite(new Date(atMs).getTime()))
    throw refused('bad_instant', field, `expected Unix milliseconds or a valid Date, found ${String(instant)}`);
  return Math.round(atMs);
}

/** `value` as the schema of the HTTP API makes it. */
export function checked<S extends z.ZodType>(schema: S, value: unknown, code: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refused(code, fieldPath(issue?.path ?? []) || 'input', issue?.message ?? 'is not what was expected');
}

/** Without the keys that were left out, for types that know no `undefined`. */
export function present<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
