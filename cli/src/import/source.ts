import type { Matcher } from '@nines/base/matcher.ts';
import type { Labels } from '@nines/model/labels.ts';
import { labelValue } from '@nines/model/labels.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { CliFailure, EXIT } from '../failure.ts';

/** Which samples are wanted; both ends inclusive. */
export type Wanted = { readonly matchers: readonly Matcher[]; readonly fromMs: number; readonly toMs: number };

/** Where samples come from: bytes of a body, and what to say while they come. */
export type ImportSource = {
  readonly body: AsyncIterable<Uint8Array>;
  readonly done: () => number;
  readonly total: number | undefined;
  /** What was met and cannot be brought along, in sentences; complete when the body has ended. */
  readonly remarks: () => readonly string[];
};

/** The matchers of `--match`. */
export function matchersOf(selector: string | undefined): readonly Matcher[] {
  if (selector === undefined) return [];
  const parsed = parseExpr(selector);
  if (!parsed.ok) throw new CliFailure(EXIT.badInput, `--match: ${parsed.error.message}`);
  if (parsed.value.kind !== 'selector' || parsed.value.at !== undefined || parsed.value.offset !== undefined)
    throw new CliFailure(EXIT.badInput, `--match: "${selector}" is no series selector, such as up or {job="node"}`);
  return parsed.value.matchers;
}

export const matches = (labels: Labels, matchers: readonly Matcher[]): boolean =>
  matchers.every((matcher) => matcher.matches(labelValue(labels, matcher.name)));
