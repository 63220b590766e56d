/** One rule as somebody sends it, read by the same code as the configuration and rule files. Pure. */
import { AppError } from '@nines/base/errors.ts';
import { DAY_MS, SECOND_MS } from '@nines/base/units.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { z } from 'zod';
import { duration, slug } from '../platform/config/fields.ts';
import { requestError } from '../platform/http/schemas.ts';
import { KINDS, RULE_KINDS, type RuleKind, type WrittenRule } from './kinds.ts';
import { type FileRule, type RuleGroup, parseRuleFile } from './rule-file.ts';

/** As in the lists of `rules` with `kind` besides (`threshold` when left out); or as in a rule file, with `id` and what its group says besides. */
export type Fields = Readonly<Record<string, unknown>>;

/** A rule in the form in which it is put to work. One of a rule file's form is a group of its own, called by its id. */
export type ReadRule =
  | { readonly kind: 'own'; readonly id: string; readonly written: WrittenRule }
  | { readonly kind: 'file'; readonly id: string; readonly group: RuleGroup; readonly rule: FileRule };

export type ReadOptions = {
  /** Where its faults are looked for: `rule` when the request calls it that; empty when the request is the rule. */
  readonly part: string;
  /** For a rule of a rule file's form that names no interval. */
  readonly defaultIntervalMs: number;
  /** Without an id in the rule: this one. */
  readonly id?: string;
};

/** Stands as the file of rules that no file holds. */
export const SAVED_FILE = 'saved rules';

const FILE_KEYS = ['record', 'alert', 'expr'] as const;
/** What a group of a rule file says of its rules. */
const groupFields = z.object({
  id: slug,
  interval: duration({ minMs: SECOND_MS, maxMs: DAY_MS }).optional(),
  query_offset: duration({ maxMs: DAY_MS }).optional(),
  limit: z.number().int().min(0).optional(),
});

/** `AppError` `invalid_request` with the field and what to write instead. */
export function readRule(fields: Fields, options: ReadOptions): ReadRule {
  return FILE_KEYS.some((key) => key in fields) ? readFileRule(fields, options) : readOwnRule(fields, options);
}

function readOwnRule({ kind = 'threshold', ...fields }: Fields, { part, id }: ReadOptions): ReadRule {
  const known = RULE_KINDS.find((one) => one === kind);
  if (known === undefined) {
    const message = `unknown kind of rule: write one of ${RULE_KINDS.join(', ')}, or a rule with "alert" or "record" and "expr"`;
    throw refused(message, part === '' ? 'kind' : `${part}.kind`);
  }
  const written = writtenOf(known, id === undefined ? fields : { id, ...fields }, part);
  return { kind: 'own', id: written.rule.id, written };
}

function writtenOf(kind: RuleKind, fields: Fields, part: string): WrittenRule {
  const parsed = KINDS[kind].schema.safeParse(fields);
  if (!parsed.success) throw requestError(parsed.error, part === '' ? 'rule' : part);
  // The compiler does not follow that a kind and its own schema belong together.
  return { kind, rule: parsed.data } as WrittenRule;
}

/** Its own text as a file of one group, because JSON is YAML: what a file is told stands in the message, the line becomes the field. */
function readFileRule(
  { id: written, interval, query_offset, limit, ...rule }: Fields,
  { part, id, defaultIntervalMs }: ReadOptions,
): ReadRule {
  const parsed = groupFields.safeParse({ id: written ?? id, interval, query_offset, limit });
  if (!parsed.success) throw requestError(parsed.error, part === '' ? 'rule' : part);
  const text = JSON.stringify({ groups: [{ name: parsed.data.id, rules: [rule] }] }, null, 1);
  const read = parseRuleFile(text, { file: SAVED_FILE, defaultIntervalMs, parseExpr });
  if (!read.ok) {
    const [first] = read.error;
    const field = first === undefined ? undefined : keyAt(text, first.line);
    const path = [part, field ?? ''].filter((step) => step !== '').join('.');
    throw refused(read.error.map(({ message }) => message).join('; '), path === '' ? 'rule' : path);
  }
  const [group] = read.value;
  const [only] = group?.rules ?? [];
  if (group === undefined || only === undefined) throw new Error('a rule without faults was not read');
  const alone: FileRule = { ...only, place: '' };
  const { interval: intervalMs = group.intervalMs, query_offset: queryOffsetMs = 0, limit: most = 0 } = parsed.data;
  return { kind: 'file', id: parsed.data.id, group: { ...group, intervalMs, queryOffsetMs, limit: most, rules: [alone] }, rule: alone };
}

/** The key that a line of indented JSON begins with. */
function keyAt(text: string, line: number): string | undefined {
  return /^\s*"(\w+)":/.exec(text.split('\n')[line - 1] ?? '')?.[1];
}

const refused = (message: string, field: string): AppError => new AppError('bad_input', 'invalid_request', message, { field });
