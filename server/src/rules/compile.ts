/** From what is written to the one form that is evaluated: a figure per series against limits. */
import { assertNever } from '@nines/base/errors.ts';
import { globPattern } from '@nines/base/glob.ts';
import { DAY_MS } from '@nines/base/units.ts';
import { METRIC_NAME, labelsOf } from '@nines/model/labels.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { absenceFigure } from './figures/absence.ts';
import { anomalyFigure } from './figures/anomaly.ts';
import { changeFigure } from './figures/change.ts';
import { type Tree, compositeFigure } from './figures/composite.ts';
import { type Figure, type Input, valueFigure } from './figures/figure.ts';
import { forecastFigure } from './figures/forecast.ts';
import { stoppedFigure } from './figures/stopped.ts';
import type { WrittenRule, WrittenTree } from './kinds.ts';
import { type AliasTable, selectorsOfText, sourcesOf } from './metric.ts';
import type { Condition } from './rule-fields.ts';
import type { Level, ThresholdSpec } from './threshold-rule.ts';
import { type Template, parseTemplate } from './template-parse.ts';
import type { Limit } from './threshold.ts';

/** What does not stand in the rule itself. */
export type Provenance = {
  readonly pack?: string;
  readonly place?: string;
  /** In place of the one that is written. */
  readonly levels?: readonly Level[];
  readonly dashboardOnly?: boolean;
};

/** The series of controls: 1 while one passes, 0 while it does not, with the labels `control` and `standard`. */
const CONTROL_SERIES = 'control_passing';

export function compileRule(written: WrittenRule, aliases: AliasTable, provenance: Provenance = {}): ThresholdSpec {
  const { rule } = written;
  const { metric, limit, newFigure } = essenceOf(written, aliases);
  return {
    id: rule.id,
    alertname: rule.name ?? rule.id,
    kind: written.kind,
    metric,
    newFigure,
    selectors: newFigure().inputs.flatMap(({ sources }) => sources.flatMap(({ expr }) => selectorsOfText(expr))),
    levels: provenance.levels ?? [{ severity: rule.severity, limit }],
    forMs: rule.for,
    keepFiringForMs: rule.keep_firing_for,
    cooldownMs: rule.cooldown,
    missing: missingOf(written),
    labels: rule.service === undefined ? rule.labels : { ...rule.labels, service: rule.service },
    annotations: templatesOf(rule.annotations),
    pack: provenance.pack,
    place: provenance.place ?? '',
    dashboardOnly: provenance.dashboardOnly ?? false,
  };
}

type Essence = { readonly metric: string; readonly limit: Limit; readonly newFigure: () => Figure };

const HOLDS: Limit = { condition: '>=', threshold: 1, clear: 1 };

function essenceOf(written: WrittenRule, aliases: AliasTable): Essence {
  const inputOf = (metric: string): Input => ({ metric, sources: sourcesOf(metric, aliases), offsetMs: 0 });
  switch (written.kind) {
    case 'threshold': {
      const { metric } = written.rule;
      return { metric, limit: limitOf(written.rule), newFigure: () => valueFigure(inputOf(metric)) };
    }
    case 'composite': {
      const { when, by } = written.rule;
      return { metric: wordsOf(when), limit: HOLDS, newFigure: () => composite(when, by, inputOf) };
    }
    case 'absence':
      return absence(written.rule, inputOf);
    case 'change': {
      const { metric, over, as } = written.rule;
      return { metric, limit: limitOf(written.rule), newFigure: () => changeFigure(inputOf(metric), { overMs: over, as }) };
    }
    case 'forecast': {
      const { metric, condition, ahead, over, confidence } = written.rule;
      const spec = { condition, aheadMs: ahead, overMs: over, confidence };
      return { metric, limit: limitOf(written.rule), newFigure: () => forecastFigure(inputOf(metric), spec) };
    }
    case 'anomaly': {
      const { metric, over, season, direction, min_change: minChange, readings, deviations, clear } = written.rule;
      const spec = { overMs: over, seasonMs: season, direction, minChange, readings };
      const limit: Limit = { condition: '>', threshold: deviations, clear };
      return { metric, limit, newFigure: () => anomalyFigure(inputOf(metric), spec) };
    }
    case 'compliance': {
      const { controls, standard } = written.rule;
      const ofStandard = standard === undefined ? '' : `, standard=${JSON.stringify(standard)}`;
      const metric = `${CONTROL_SERIES}{control=~${JSON.stringify(globPattern(controls))}${ofStandard}}`;
      return { metric, limit: HOLDS, newFigure: () => stoppedFigure(inputOf(metric)) };
    }
    default:
      return assertNever(written, 'essenceOf');
  }
}

type WrittenLimit = { readonly condition: Condition; readonly threshold: number; readonly clear?: number | undefined };
const limitOf = ({ condition, threshold, clear }: WrittenLimit): Limit => ({ condition, threshold, clear: clear ?? threshold });

const missingOf = (written: WrittenRule): ThresholdSpec['missing'] => {
  if (written.kind === 'threshold') return written.rule.missing;
  // Of absence the figure itself says what is silent and what is gone.
  return written.kind === 'absence' ? 'resolve' : 'keep';
};

function absence(
  { metric, after, forget }: { readonly metric: string; readonly after: number; readonly forget: number },
  inputOf: (metric: string) => Input,
): Essence {
  const input = inputOf(metric);
  // The instants of the samples themselves: a value stands for five minutes after its sample.
  const sources = input.sources.map(({ expr, alias }) => ({ expr: `timestamp(${expr})`, alias }));
  const wanted = labelsOf({ ...wantedLabels(metric), metric });
  const seconds = after / 1000;
  return {
    metric,
    limit: { condition: '>=', threshold: seconds, clear: seconds },
    newFigure: () => absenceFigure({ ...input, sources }, { afterMs: after, forgetMs: Math.min(forget, 30 * DAY_MS), wanted }),
  };
}

/** What a selector asks for by `=`, as PromQL's `absent` has it. */
function wantedLabels(metric: string): Record<string, string> {
  const parsed = parseExpr(metric);
  if (!parsed.ok || parsed.value.kind !== 'selector') return {};
  const equal = parsed.value.matchers.filter(({ name, op, value }) => name !== METRIC_NAME && op === '=' && value !== '');
  return Object.fromEntries(equal.map(({ name, value }) => [name, value]));
}

function composite(when: WrittenTree, by: readonly string[], inputOf: (metric: string) => Input): Figure {
  const inputs: Input[] = [];
  return compositeFigure(
    inputs,
    treeOf(when, (metric) => inputs.push(inputOf(metric)) - 1),
    by,
  );
}

function treeOf(written: WrittenTree, newInput: (metric: string) => number): Tree {
  const { metric, condition = '>', threshold = 0, clear, all, any, not, at_least: least, of } = written;
  if (metric !== undefined) return { kind: 'leaf', input: newInput(metric), limit: limitOf({ condition, threshold, clear }) };
  if (not !== undefined) return { kind: 'not', of: treeOf(not, newInput) };
  const parts = (all ?? any ?? of ?? []).map((part) => treeOf(part, newInput));
  return { kind: 'at_least', least: all === undefined ? (least ?? 1) : parts.length, of: parts };
}

/** The composite in one line, for lists. */
function wordsOf(written: WrittenTree): string {
  const { metric, condition = '>', threshold = 0, all, any, not, at_least: least, of } = written;
  if (metric !== undefined) return `${metric} ${condition} ${threshold}`;
  if (not !== undefined) return `not (${wordsOf(not)})`;
  const parts = (all ?? any ?? of ?? []).map((part) => (part.metric === undefined ? `(${wordsOf(part)})` : wordsOf(part)));
  if (least !== undefined) return `at least ${least} of (${parts.join(', ')})`;
  return parts.join(all === undefined ? ' or ' : ' and ');
}

/** A template that does not parse is shown as it is written: configuration was checked before, this is a text for people. */
function templatesOf(texts: Readonly<Record<string, string>>): Record<string, Template> {
  const templates: Record<string, Template> = Object.create(null);
  for (const [name, text] of Object.entries(texts)) {
    const parsed = parseTemplate(text);
    templates[name] = parsed.ok ? parsed.value : { source: text, nodes: [{ kind: 'text', text }] };
  }
  return templates;
}
