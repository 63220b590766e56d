import { AppError } from '@nines/base/errors.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { labelValue, labelsToRecord } from '@nines/model/labels.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import type { Metadata } from '../metadata-book.ts';
import type { ScrapedTarget } from './targets-view.ts';

export type TargetMetadata = {
  readonly target: Readonly<Record<string, string>>;
  /** Left out when the question names it. */
  readonly metric?: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
};
export type MetadataQuestion = {
  /** A selector over the labels of targets; every target without it. */
  readonly matchTarget: string;
  /** Every metric when ''. */
  readonly metric: string;
  /** Entries in all; negative for no limit. */
  readonly limit: number;
};

/** Entries of one answer without a limit of its own. */
const MAX_ENTRIES = 100_000;
/** What the series of one family end in. */
const SERIES_ENDINGS = /_(?:bucket|sum|count|total|created|info)$/;

/** Types, helps and units by target, as `/api/v1/targets/metadata` answers. Source: prometheus web/api/v1/api.go, targetMetadata. */
export function metadataOfTargets(targets: readonly ScrapedTarget[], metadata: Metadata, question: MetadataQuestion): TargetMetadata[] {
  const matchers = question.matchTarget === '' ? [] : matchersOf(question.matchTarget);
  const most = question.limit < 0 ? MAX_ENTRIES : Math.min(question.limit, MAX_ENTRIES);
  const found: TargetMetadata[] = [];
  for (const { labels, metricNames } of targets) {
    if (!matchers.every(({ name, matches }) => matches(labelValue(labels, name)))) continue;
    const target = labelsToRecord(labels);
    for (const family of familiesOf(metricNames(), metadata)) {
      if (question.metric !== '' && family !== question.metric) continue;
      if (found.length >= most) return found;
      const { type, help, unit } = metadata.get(family) ?? { type: 'unknown', help: '', unit: '' };
      found.push({ target, ...(question.metric === '' ? { metric: family } : {}), type, help, unit });
    }
  }
  return found;
}

function familiesOf(names: ReadonlySet<string>, metadata: Metadata): ReadonlySet<string> {
  const families = new Set<string>();
  for (const name of names) {
    const family = [name, name.replace(SERIES_ENDINGS, '')].find((one) => metadata.get(one) !== undefined);
    if (family !== undefined) families.add(family);
  }
  return families;
}

function matchersOf(text: string): readonly Matcher[] {
  const parsed = parseExpr(text);
  if (parsed.ok && parsed.value.kind === 'selector') return parsed.value.matchers;
  throw new AppError('bad_input', 'bad_selector', `match_target: not a selector: ${text}`, { field: 'match_target' });
}
