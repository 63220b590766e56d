/**
 * Unit tests of rules as promtool runs them: all groups are evaluated at every multiple of the evaluation interval over the
 * given series, by the same code as in operation, in memory. Source: prometheus cmd/promtool/unittest.go.
 */
import { dirname } from 'node:path';
import { formatDuration } from '@nines/base/duration.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type EpochMs, epochMs, ms } from '@nines/base/units.ts';
import { sameHistogram } from '@nines/model/histogram.ts';
import { compareLabels, formatLabels, labelsFrom, labelsKey, labelsOf } from '@nines/model/labels.ts';
import type { Queryable } from '@nines/model/storage.ts';
import { type Engine, createEngine } from '@nines/promql/engine.ts';
import { MemoryQueryable, type Sample } from '@nines/promql/memory-queryable.ts';
import type { NotedSeries } from '@nines/promql/series-notation.ts';
import { formatHistogram, formatValue } from '@nines/promql/value.ts';
import type { Alerting } from '../alerting/contract.ts';
import { formatProblem } from '../platform/config/load.ts';
import type { RuleContext, RuleElement } from './context.ts';
import { FileGroup } from './group.ts';
import { loadRuleFiles } from './load.ts';
import type { RuleGroup } from './rule-file.ts';
import { type UnitTestFile, type UnitTestGroup, lastEvalMs } from './unit-test-file.ts';

export type UnitTestDeps = { readonly createAlerting: () => Alerting; readonly logger: Logger };
export type UnitTestReport = {
  /** One per expectation that was not met, or per fault that kept a test from running. */
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
};

/** Most evaluations of all groups in one test: a mistyped `eval_time` must not run for hours. */
const MAX_EVALUATIONS = 1_000_000;

/** Runs every test of a file; the paths of its rule files start at the file's folder. */
export async function runUnitTests(file: UnitTestFile, path: string, deps: UnitTestDeps): Promise<UnitTestReport> {
  const loaded = loadRuleFiles(file.rule_files, { baseDir: dirname(path), defaultIntervalMs: file.evaluation_interval });
  if (loaded.problems.length > 0) return { failures: loaded.problems.map(formatProblem), warnings: loaded.warnings };
  const order = new Map(file.group_eval_order.map((name, i) => [name, i]));
  const placeOf = ({ name }: RuleGroup): number => order.get(name) ?? 0;
  const groups = [...loaded.groups].sort((a, b) => placeOf(a) - placeOf(b));
  const failures: string[] = [];
  for (const test of file.tests) {
    const found = await new UnitTest(file, test, { groups, deps }).run();
    failures.push(...found.map((failure) => (test.name === '' ? failure : `name: ${test.name}, ${failure}`)));
  }
  return { failures, warnings: loaded.warnings };
}

class UnitTest {
  readonly #file: UnitTestFile;
  readonly #test: UnitTestGroup;
  readonly #series = new MemoryQueryable();
  readonly #engine: Engine;
  readonly #alerting: Alerting;
  readonly #groups: readonly FileGroup[];
  readonly #startMs: number;
  readonly #signal = new AbortController().signal;
  /** The instant that is being evaluated: later samples do not exist yet. */
  #atMs: EpochMs;

  constructor(file: UnitTestFile, test: UnitTestGroup, { groups, deps }: { groups: readonly RuleGroup[]; deps: UnitTestDeps }) {
    this.#file = file;
    this.#test = test;
    this.#startMs = test.start_timestamp ?? 0;
    this.#atMs = epochMs(this.#startMs);
    this.#engine = createEngine({ limits: { evaluationIntervalMs: file.evaluation_interval } });
    this.#alerting = deps.createAlerting();
    const context = this.#context(deps.logger);
    this.#groups = groups.map((group) => {
      const ids = group.rules.map((_rule, i) => `${group.file};${group.name};${i}`);
      return new FileGroup({ group, ids, context, cooldownMs: 0, selectorsOf: () => [] });
    });
    // Of a series that stands there twice the last counts, as with promtool.
    const series = new Map(test.input_series.map((one) => [labelsKey(one.labels), one]));
    for (const one of series.values()) this.#load(one, test.interval ?? file.evaluation_interval);
  }

  /** What was not as expected. A rule that cannot be evaluated ends the test. */
  async run(): Promise<readonly string[]> {
    const { evaluation_interval: stepMs } = this.#file;
    const endMs = this.#startMs + lastEvalMs(this.#test);
    if ((endMs - this.#startMs) / stepMs > MAX_EVALUATIONS) return [`more than ${MAX_EVALUATIONS} evaluations: shorten eval_time`];
    const failures: string[] = [];
    for (let atMs = this.#startMs; atMs <= endMs; atMs += stepMs) {
      this.#atMs = epochMs(atMs);
      const broken = await this.#evaluate();
      if (broken.length > 0) return broken;
      failures.push(...this.#alertFailures(atMs - this.#startMs));
    }
    for (const expected of this.#test.promql_expr_test) {
      const failure = await this.#exprFailure(expected);
      if (failure !== undefined) failures.push(failure);
    }
    return failures;
  }

  async #evaluate(): Promise<readonly string[]> {
    const broken: string[] = [];
    for (const group of this.#groups) {
      await group.evaluateAt(this.#atMs, this.#signal);
      for (const { rule, health } of group.rules) {
        const name = rule.kind === 'alerting' ? rule.alert : rule.record;
        if (health.health === 'err')
          broken.push(`rule: ${name} (${rule.place}), time: ${formatDuration(this.#atMs - this.#startMs)}, err: ${health.lastError}`);
      }
    }
    return broken;
  }

  /** Alerts that are expected between this evaluation and the next are those of this one. */
  #alertFailures(sinceStartMs: number): readonly string[] {
    const due = this.#test.alert_rule_test.filter(
      ({ eval_time: at }) => at >= sinceStartMs && at < sinceStartMs + this.#file.evaluation_interval,
    );
    return due.flatMap(({ alertname, eval_time: at, exp_alerts: expected }) => {
      const firing = this.#alerting.open().filter((alert) => alert.alertname === alertname && alert.condition === 'firing');
      const got = firing.map(({ labels, annotations }) => alertText(labels, annotations)).sort();
      const wanted = expected.map((alert) => alertText({ ...alert.exp_labels, alertname }, alert.exp_annotations ?? {})).sort();
      if (got.length === wanted.length && got.every((alert, i) => alert === wanted[i])) return [];
      return [`alertname: ${alertname}, time: ${formatDuration(at)},\n    exp: ${listText(wanted)}\n    got: ${listText(got)}`];
    });
  }

  async #exprFailure({
    expr,
    eval_time: at,
    exp_samples: expected,
  }: UnitTestGroup['promql_expr_test'][number]): Promise<string | undefined> {
    const where = `expr: ${JSON.stringify(expr)}, time: ${formatDuration(at)},`;
    const wanted = expected.map(({ labels: { labels }, value, histogram }) =>
      histogram === undefined ? { labels, value } : { labels, value, histogram: histogram.histogram },
    );
    let got: readonly RuleElement[];
    try {
      got = await this.#query(expr, this.#startMs + at);
    } catch (thrown) {
      return `${where} err: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    }
    const sorted = (list: readonly RuleElement[]): readonly RuleElement[] => [...list].sort((a, b) => compareLabels(a.labels, b.labels));
    const [ours, theirs] = [sorted(got), sorted(wanted)];
    const same = ours.length === theirs.length && ours.every((each, i) => isSame(each, theirs[i], this.#file.fuzzy_compare));
    return same ? undefined : `${where}\n    exp: ${listText(theirs.map(elementText))}\n    got: ${listText(ours.map(elementText))}`;
  }

  async #query(expr: string, atMs: number): Promise<readonly RuleElement[]> {
    const found = await this.#engine.instant(expr, { queryable: this.#visible, atMs });
    if (!found.ok) throw new Error(found.error.message);
    const { value } = found.value;
    if (value.kind === 'vector') return value.elements;
    if (value.kind === 'scalar') return [{ labels: labelsFrom([]), value: value.value }];
    throw new Error('rule result is not a vector or scalar');
  }

  /** The series up to the instant that is being evaluated. */
  readonly #visible: Queryable = {
    select: (matchers, range, options) => this.#series.select(matchers, this.#until(range), options),
    series: (matchers, range, options) => this.#series.series(matchers, this.#until(range), options),
    labelNames: (matchers, range, options) => this.#series.labelNames(matchers, this.#until(range), options),
    labelValues: (name, matchers, range, options) => this.#series.labelValues(name, matchers, this.#until(range), options),
  };

  #until<R extends { readonly toMs: number }>(range: R): R {
    return { ...range, toMs: Math.min(range.toMs, this.#atMs) };
  }

  #context(logger: Logger): RuleContext {
    return {
      query: (expr, atMs) => this.#query(expr, atMs),
      store: async (samples) => {
        for (const { labels, atMs, value } of samples) this.#series.append(labels, atMs, value);
      },
      alerting: this.#alerting,
      clock: { now: () => this.#atMs, monotonic: () => 0 },
      logger,
      teamId: '',
      externalUrl: this.#test.external_url,
      externalLabels: this.#test.external_labels,
      // Nothing was open before: no alert waits for data that a restart might have hidden.
      startedAtMs: Number.NEGATIVE_INFINITY,
    };
  }

  #load({ labels, samples }: NotedSeries, stepMs: number): void {
    const stored = samples.flatMap((sample, i): (readonly [number, Sample])[] => {
      if (sample === undefined) return [];
      return [[this.#startMs + i * ms(stepMs), typeof sample === 'object' ? sample.histogram : sample]];
    });
    this.#series.add(labels, stored);
  }
}

const alertText = (labels: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>>): string =>
  `${formatLabels(labelsOf(labels))} ${formatLabels(labelsOf(annotations))}`;

const listText = (items: readonly string[]): string => (items.length === 0 ? 'nothing' : items.join('\n         '));

const elementText = ({ labels, value, histogram }: RuleElement): string =>
  `${formatLabels(labels)} ${histogram === undefined ? formatValue(value) : formatHistogram(histogram)}`;

/** Unlike promtool's, our NaN is NaN: a test that expects it can be written. */
function isSame(a: RuleElement, b: RuleElement | undefined, fuzzy: boolean): boolean {
  if (b === undefined || labelsKey(a.labels) !== labelsKey(b.labels)) return false;
  if (a.histogram !== undefined || b.histogram !== undefined)
    return a.histogram !== undefined && b.histogram !== undefined && sameHistogram(a.histogram, b.histogram);
  return Object.is(a.value, b.value) || a.value === b.value || (fuzzy && areNeighbours(a.value, b.value));
}

/** Whether no double lies between two. */
function areNeighbours(a: number, b: number): boolean {
  const [x = 0n, y = 0n] = new BigInt64Array(new Float64Array([a, b]).buffer);
  return a === a && b === b && x - y <= 1n && y - x <= 1n;
}
