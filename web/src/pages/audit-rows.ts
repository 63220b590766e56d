import type { AuditEntryView } from '../api/audit.ts';
import { t } from '../language/t.ts';

/** A request and its outcome as one line, or an entry that stands alone. */
export type AuditRow = { readonly entry: AuditEntryView; readonly answered: AuditEntryView | undefined };

/** Outcomes join the requests that they end, where both are among the entries; an outcome alone stands for itself. */
export function joined(entries: readonly AuditEntryView[]): readonly AuditRow[] {
  const outcomes = new Map(entries.flatMap((entry) => (entry.about_seq === null ? [] : [[entry.about_seq, entry] as const])));
  const present = new Set(entries.map(({ seq }) => seq));
  return entries
    .filter(({ about_seq }) => about_seq === null || !present.has(about_seq))
    .map((entry) => ({ entry, answered: outcomes.get(entry.seq) }));
}

const READ = t('Read');
/** What became of it. */
export function outcomeOf({ entry, answered }: AuditRow): string {
  const status = answered?.status ?? entry.status;
  if (entry.phase === 'read') return READ;
  if (status === null) return entry.phase === 'done' ? t('Done') : t('Outcome unknown');
  return status < 400 ? t('Done') : t('Refused ({status})', { status });
}

export type Difference = { readonly path: string; readonly before: string; readonly after: string };

/** What differs between two plain values, by path; '' where there is nothing. */
export function differencesOf(before: unknown, after: unknown, path = ''): readonly Difference[] {
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differencesOf(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  const [was, is] = [textOf(before), textOf(after)];
  return was === is ? [] : [{ path, before: was, after: is }];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
