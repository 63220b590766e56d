import { formatDuration } from '@nines/base/duration.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { stringify } from 'yaml';
import type { z } from 'zod';
import type { slaDeclaration } from '../config.ts';

/** What a file of SLO definitions gives: contracts of ours, and the rules that its own tool would have made of it. */
export type Definitions = {
  readonly slas: readonly DefinedSla[];
  readonly groups: readonly GeneratedGroup[];
  /** What was read in another way than its author may think, or not at all. */
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
};
export type DefinedSla = z.input<typeof slaDeclaration>;

export type GeneratedRule = ({ readonly record: string } | { readonly alert: string; readonly for?: string }) & {
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};
export type GeneratedGroup = { readonly name: string; readonly interval?: string; readonly rules: readonly GeneratedRule[] };

export const NOTHING: Definitions = { slas: [], groups: [], warnings: [], problems: [] };

export const joined = (parts: readonly Definitions[]): Definitions => ({
  slas: parts.flatMap(({ slas }) => slas),
  groups: parts.flatMap(({ groups }) => groups),
  warnings: parts.flatMap(({ warnings }) => warnings),
  problems: parts.flatMap(({ problems }) => problems),
});

/** The groups as a rule file of Prometheus. */
export const ruleFileText = (groups: readonly GeneratedGroup[]): string =>
  stringify({ groups }, { lineWidth: 0, aliasDuplicateObjects: false });

/** Why a query is no PromQL; undefined when it is. */
export function faultOf(query: string): string | undefined {
  const parsed = parseExpr(query);
  return parsed.ok ? undefined : parsed.error.message;
}

/** A number as Go prints it with `%v`: an exponent of two digits below 0.0001. */
export function goNumber(value: number): string {
  if (value === 0 || Math.abs(value) >= 1e-4) return String(value);
  return value.toExponential().replace(/e-(\d)$/, 'e-0$1');
}

/** A length as Prometheus prints it, in one unit where it can be: `4w`, `30d`, `5m`. */
export function promLength(lengthMs: number): string {
  for (const [unit, ms] of [
    ['w', 604_800_000],
    ['d', 86_400_000],
  ] as const)
    if (lengthMs % ms === 0 && lengthMs > 0) return `${lengthMs / ms}${unit}`;
  return formatDuration(lengthMs);
}
