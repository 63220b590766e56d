/** Back-tests as people ask for them: of a rule that is there, or of one that is only written yet. */
import { AppError } from '@nines/base/errors.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { type BacktestDeps, type BacktestReport, MAX_EVALUATIONS, type Trial, backtest } from './backtest.ts';
import { compileRule } from './compile.ts';
import type { FigureContext } from './context.ts';
import { FileGroup } from './group.ts';
import type { AliasTable } from './metric.ts';
import { readsOfExpr } from './reads.ts';
import type { FileAlertingRule, RuleGroup } from './rule-file.ts';
import { ThresholdRule, type ThresholdSpec } from './threshold-rule.ts';
import { type Fields, readRule } from './written-rule.ts';

/** A rule, in the form in which it is tried. */
export type Tried =
  | { readonly kind: 'own'; readonly spec: ThresholdSpec }
  | { readonly kind: 'file'; readonly group: RuleGroup; readonly rule: FileAlertingRule };

export type BacktestRequest = {
  /** One that is there. */
  readonly id?: string | undefined;
  /** One that is written as in the configuration, with `kind` besides; or as in a rule file. */
  readonly rule?: Readonly<Record<string, unknown>> | undefined;
  readonly fromMs?: number | undefined;
  /** Now when left out. */
  readonly toMs?: number | undefined;
  readonly stepMs?: number | undefined;
};

export type BacktestView = BacktestReport & { readonly rule: string; readonly kind: string };

/** Without an instant to begin with a back-test is about the last day. */
const DEFAULT_SPAN_MS = DAY_MS;
const SHORTEST_STEP_MS = SECOND_MS;
/** Without a step: the default collection interval, and no more evaluations than these. */
const DEFAULT_STEP_MS = 15 * SECOND_MS;
const DEFAULT_EVALUATIONS = 5_760;
/** Longest span: its answer has a line for each day. */
const MAX_SPAN_MS = 3_660 * DAY_MS;
/** Others wait for their turn no more: each takes a good part of the time that queries have. */
const MAX_AT_ONCE = 2;

export type BacktestsDeps = Omit<BacktestDeps, 'externalLabels'> & {
  readonly aliases: AliasTable;
  readonly find: (id: string) => Tried | undefined;
  readonly externalLabels: () => Readonly<Record<string, string>>;
};

export class Backtests {
  readonly #deps: BacktestsDeps;
  #running = 0;

  constructor(deps: BacktestsDeps) {
    this.#deps = deps;
  }

  /** `AppError`s `rule_not_found`, `invalid_request`, `too_many_evaluations`, `too_many_backtests`. */
  async run(request: BacktestRequest, signal: AbortSignal): Promise<BacktestView> {
    const tried = this.#ruleOf(request);
    const span = spanOf(request, this.#deps.clock.now());
    if (this.#running >= MAX_AT_ONCE) {
      throw new AppError('limited', 'too_many_backtests', `${MAX_AT_ONCE} back-tests run: try again when one is done`);
    }
    this.#running++;
    try {
      const deps = { ...this.#deps, externalLabels: this.#deps.externalLabels() };
      const report = await backtest(
        { ...span, lessIsWorse: lessIsWorse(tried), trialOf: (context) => trialOf(tried, context) },
        deps,
        signal,
      );
      return {
        rule: tried.kind === 'own' ? tried.spec.id : tried.rule.alert,
        kind: tried.kind === 'own' ? tried.spec.kind : 'alerting',
        ...report,
      };
    } finally {
      this.#running--;
    }
  }

  #ruleOf({ id, rule }: BacktestRequest): Tried {
    if ((id === undefined) === (rule === undefined)) throw refused('write either the "id" of a rule or a "rule"');
    if (rule !== undefined) return writtenRuleOf(rule, this.#deps.aliases);
    const found = this.#deps.find(id ?? '');
    if (found === undefined) throw new AppError('not_found', 'rule_not_found', `there is no rule ${id} that could be tried`);
    return found;
  }
}

const refused = (message: string, field = 'rule'): AppError => new AppError('bad_input', 'invalid_request', message, { field });

function spanOf({ fromMs, toMs, stepMs }: BacktestRequest, nowMs: number): { fromMs: number; toMs: number; stepMs: number } {
  const to = Math.min(toMs ?? nowMs, nowMs);
  const from = fromMs ?? to - DEFAULT_SPAN_MS;
  if (from >= to) throw refused('"from" must lie before "to" and in the past', 'from');
  const wanted = Math.max(DEFAULT_STEP_MS, Math.ceil((to - from) / DEFAULT_EVALUATIONS / SECOND_MS) * SECOND_MS);
  const step = stepMs ?? (wanted > DEFAULT_STEP_MS ? Math.ceil(wanted / MINUTE_MS) * MINUTE_MS : wanted);
  if (step < SHORTEST_STEP_MS) throw refused('a step is 1s at least', 'step');
  if (step > to - from) throw refused('a step is no longer than the time from "from" to "to"', 'step');
  const count = Math.ceil((to - from) / step);
  if (count > MAX_EVALUATIONS) {
    const message = `${count} evaluations are more than ${MAX_EVALUATIONS}: take a longer step or a shorter span`;
    throw new AppError('bad_input', 'too_many_evaluations', message, { field: 'step' });
  }
  if (to - from > MAX_SPAN_MS) throw refused(`a back-test looks at ${MAX_SPAN_MS / DAY_MS} days at most`, 'from');
  return { fromMs: Math.ceil(from / step) * step, toMs: to, stepMs: step };
}

function writtenRuleOf(fields: Fields, aliases: AliasTable): Tried {
  const read = readRule(fields, { part: 'rule', defaultIntervalMs: MINUTE_MS, id: 'new' });
  if (read.kind === 'own') return { kind: 'own', spec: compileRule(read.written, aliases) };
  if (read.rule.kind !== 'alerting') throw refused('only rules with "alert" can be tried');
  return { kind: 'file', group: read.group, rule: read.rule };
}

function trialOf(tried: Tried, context: FigureContext): Trial {
  if (tried.kind === 'own') {
    const rule = new ThresholdRule(tried.spec, context);
    const evaluate: Trial['evaluate'] = (atMs, signal) => rule.evaluate({ kind: 'woken', atMs }, signal);
    return { id: rule.id, evaluate, undecided: () => rule.health.undecided };
  }
  const group = new FileGroup({
    group: { ...tried.group, rules: [tried.rule] },
    ids: [tried.rule.alert],
    context,
    selectorsOf: () => [],
    cooldownMs: 0,
  });
  return {
    id: tried.rule.alert,
    async evaluate(atMs, signal) {
      await group.evaluateAt(atMs, signal);
      const health = group.rules[0]?.health;
      if (health?.health === 'err') throw new Error(health.lastError);
    },
  };
}

function lessIsWorse(tried: Tried): boolean {
  const op = tried.kind === 'own' ? tried.spec.levels[0]?.limit.condition : readsOfExpr(tried.rule.expr).threshold?.op;
  return op === '<' || op === '<=';
}
