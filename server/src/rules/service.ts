import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { MINUTE_MS, epochMs, ms } from '@nines/base/units.ts';
import type { Labels } from '@nines/model/labels.ts';
import { type Alerting, type AlertingRule, DEFAULT_COOLDOWN_MS, type Evaluation, type RuleReads } from '../alerting/contract.ts';
import type { RuleFacts } from '../alertmanagers/contract.ts';
import type { Ledger, Recorder, StateChange } from '../availability/contract.ts';
import type { Committed, Ingest, SelfMetrics } from '../collect/contract.ts';
import { createTurns } from '../platform/turns.ts';
import { RECOVERY_RULE_ID } from '../recovery/contract.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import { UngroupedAlertSeries } from './alert-series.ts';
import { type Aggregate, Aggregates, type AggregatesDeps } from './aggregates.ts';
import { Backtests, type Tried } from './backtests.ts';
import { compileRule } from './compile.ts';
import { type RulesConfig, writtenRules } from './config.ts';
import { type FigureContext, storeThrough } from './context.ts';
import { RULE_FAILING_ID, type Rules, SERVICE_DOWN_RULE_ID, SERVICE_FLAPPING_RULE_ID, SLA_RULE_ID, isRaisedElsewhere } from './contract.ts';
import { FailingRules } from './failing-rules.ts';
import { FILE_RULE_COOLDOWN_MS, FileGroup, type LiveRule } from './group.ts';
import { type AliasTable, selectorsOf } from './metric.ts';
import { rulesOfPacks } from './packs/packs.ts';
import { readsOfExpr, readsOfThreshold } from './reads.ts';
import type { RuleGroup } from './rule-file.ts';
import { Runner, type Unit } from './runner.ts';
import type { SavedRule, SavedUnit } from './saved.ts';
import { ServiceDown, type ServiceDownDeps } from './service-down.ts';
import { applyFlapping, type ServiceFlappingDeps } from './service-flapping.ts';
import { ThresholdRule, type ThresholdSpec } from './threshold-rule.ts';
import { type Fields, type ReadRule, readRule } from './written-rule.ts';

export type RulesDeps = Omit<FigureContext, 'startedAtMs' | 'store' | 'clock' | 'externalLabels' | 'noteHealth'> & {
  /** Alerting that remembers nothing and tells nobody, for back-tests. */
  readonly createAlerting: () => Alerting;
  readonly clock: Clock;
  readonly ingest: Ingest;
  readonly labelsOfRef: (ref: number) => Labels;
  readonly processorMs?: () => number;
  readonly aliases: AliasTable;
  readonly services: ServiceCatalogue;
  readonly ledger: Pick<Ledger, 'current' | 'whyFlapping'> & Pick<Recorder, 'flapping'>;
  readonly metrics: SelfMetrics;
  readonly queryable: AggregatesDeps['queryable'];
  readonly yieldNow: AggregatesDeps['yieldNow'];
  /** How old a sample may be to still count, as queries have it. */
  readonly lookbackMs: number;
};

/** What the rules are made of. */
export type RulesSettings = {
  readonly config: RulesConfig;
  /** The groups of the rule files, read and checked with the configuration. */
  readonly groups: readonly RuleGroup[];
  /** `$externalLabels` of rules that no rule file brought. */
  readonly externalLabels: Readonly<Record<string, string>>;
  /** A routing tree spaces repeats by its own timings, so file rules need no cooldown under it. */
  readonly hasRoutingTree: boolean;
  /** `nines.yml:12` for what stands in the configuration. */
  readonly placeOf: (path: readonly PropertyKey[]) => string;
};

type Built = {
  /** Those of files, then streaming aggregates. */
  readonly groups: readonly FileGroup[];
  readonly thresholds: readonly ThresholdRule[];
  readonly replaced: ReadonlySet<string>;
};

const NOTHING: Built = { groups: [], thresholds: [], replaced: new Set() };

export class RulesService implements Rules, AsyncDisposable {
  readonly #deps: RulesDeps;
  #context: FigureContext;
  readonly #alertSeries: UngroupedAlertSeries;
  readonly #runner: Runner;
  readonly #serviceDeps: ServiceDownDeps & ServiceFlappingDeps;
  readonly #serviceDown: ServiceDown;
  readonly #aggregates: Aggregates;
  readonly #failing: FailingRules;
  readonly backtests: Backtests;
  readonly #alone = createTurns();
  #settings: RulesSettings | undefined;
  /** What the configuration says. */
  #declared: Built = NOTHING;
  #places: ReadonlyMap<string, string> = new Map();
  #saved: readonly SavedRule[] = [];
  #savedInForce: ReadonlyMap<string, SavedUnit> = new Map();
  /** Both. */
  #built: Built = NOTHING;

  constructor(deps: RulesDeps) {
    this.#deps = deps;
    this.#failing = new FailingRules({ ...deps, wake: () => this.#runner.poke(this.#failing) });
    this.#context = {
      ...deps,
      store: storeThrough(deps.ingest),
      startedAtMs: deps.clock.now(),
      externalLabels: {},
      noteHealth: (id, found) => this.#failing.note(id, found),
    };
    this.backtests = new Backtests({ ...deps, find: (id) => this.#tried(id), externalLabels: () => this.#context.externalLabels });
    this.#alertSeries = new UngroupedAlertSeries(this.#context, (id) =>
      this.#built.groups.some(({ rules }) => rules.some((live) => live.id === id)),
    );
    this.#runner = new Runner(deps);
    this.#aggregates = new Aggregates(deps);
    this.#serviceDeps = { ...deps, nowMs: () => deps.clock.now(), cooldownMs: DEFAULT_COOLDOWN_MS };
    this.#serviceDown = new ServiceDown(this.#serviceDeps);
    deps.metrics.watch('nines_rule_backlog', 'Rule evaluations running or waiting.', () => this.#runner.backlog);
    const counted = this.#runner.evaluations;
    deps.metrics.watch('nines_rule_evaluations_timer_total', 'Rule evaluations by timer.', () => counted.timer, 'counter');
    deps.metrics.watch('nines_rule_evaluations_woken_total', 'Rule evaluations because samples came.', () => counted.woken, 'counter');
    deps.metrics.watch('nines_rule_evaluation_failures_total', 'Rule evaluations that failed.', () => counted.failed, 'counter');
  }

  /** Builds everything, then swaps. Alerts of rules that are no more end with that reason. */
  configure(settings: RulesSettings): Promise<void> {
    return this.#alone(async () => {
      this.#context = { ...this.#context, externalLabels: settings.externalLabels };
      this.#declared = this.#build(settings);
      this.#settings = settings;
      this.#places = placesOf(this.#declared);
      await this.#putInForce(this.#savedUnits(settings, 'anew'));
    });
  }

  /**
   * Makes these the saved rules. Only what changed is built; of everything else `for`, memories and timers go on. New ones look at once at
   * what is stored.
   */
  keep(saved: readonly SavedRule[]): Promise<void> {
    return this.#alone(async () => {
      this.#saved = saved;
      // Before the first configuration there is nothing beside which they could stand.
      if (this.#settings === undefined) return;
      const { groups: before, replaced } = this.#built;
      const known = new Set<Unit>([...before, ...this.#built.thresholds]);
      await this.#putInForce(this.#savedUnits(this.#settings, 'changed'));
      const { groups, thresholds } = this.#built;
      const nowMs = epochMs(this.#deps.clock.now());
      const ids = { before: new Set(before.map(({ id }) => id)), now: new Set(groups.map(({ id }) => id)) };
      for (const gone of before) if (!ids.now.has(gone.id)) await gone.retire(nowMs);
      // What runs on the grid alone takes the instant of it that has just passed.
      const onGrid = new Set<Unit>(groups.filter((group) => !ids.before.has(group.id) && group.rules.some(isOnGrid)));
      for (const group of onGrid) this.#runner.poke(group);
      this.#runner.start(new Set([...groups, ...thresholds].filter((unit) => !known.has(unit) && !onGrid.has(unit))));
      if ([SERVICE_DOWN_RULE_ID, SERVICE_FLAPPING_RULE_ID].some((id) => replaced.has(id) && !this.#built.replaced.has(id)))
        await this.servicesDeclared();
    });
  }

  /** A saved rule with how it stands; undefined for the rules of files and those that come with the product. */
  savedOf(id: string): SavedUnit | undefined {
    return this.#savedInForce.get(id);
  }

  /** Saved rules that this server cannot read. */
  get unreadable(): readonly Extract<SavedUnit, { readonly fault: string }>[] {
    return [...this.#savedInForce.values()].filter((one) => one.fault !== undefined);
  }

  /** Where a rule of this id is written that no saved one may replace. */
  placeOf(id: string): string | undefined {
    return this.#places.get(id);
  }

  /** A rule that somebody sends, in the form in which it would run. `AppError` `invalid_request`. */
  read(fields: Fields): ReadRule {
    return readRule(fields, { part: '', defaultIntervalMs: this.#settings?.config.evaluation_interval ?? MINUTE_MS });
  }

  compile(read: Extract<ReadRule, { readonly kind: 'own' }>): ThresholdSpec {
    return compileRule(read.written, this.#deps.aliases);
  }

  /**
   * Brings "service down" and "service flapping" in line with the catalogue and the ledger. Call it when both are complete: a service that
   * is not there has no alert.
   */
  async servicesDeclared(): Promise<void> {
    if (!this.#built.replaced.has(SERVICE_DOWN_RULE_ID)) await this.#serviceDown.refresh();
    if (!this.#built.replaced.has(SERVICE_FLAPPING_RULE_ID)) await applyFlapping(this.#serviceDeps);
  }

  /** Looks at what was stored before: a process that was killed may have accepted samples that no rule has seen. To be called once everything is there. */
  catchUp(): void {
    this.#runner.start();
  }

  committed(refs: Uint32Array, committed: Committed): void {
    this.#aggregates.committed(committed);
    this.#runner.wake(refs);
  }

  async serviceChanged(change: StateChange): Promise<void> {
    if (!this.#built.replaced.has(SERVICE_DOWN_RULE_ID)) await this.#serviceDown.changed(change);
  }

  async submit(evaluation: Evaluation): Promise<void> {
    if (!this.#built.replaced.has(evaluation.rule.id)) await this.#deps.alerting.apply(evaluation);
  }

  /** Evaluations that are running or waiting for their turn. */
  get backlog(): number {
    return this.#runner.backlog;
  }

  get groups(): readonly FileGroup[] {
    return this.#built.groups;
  }

  get thresholds(): readonly ThresholdRule[] {
    return this.#built.thresholds;
  }

  /** What has to be known of a rule to hand its alerts on; undefined for rules of other domains and those that are no more. */
  factsOf(id: string): RuleFacts | undefined {
    const ruleId = id.replace(/:limit$/, '');
    const group = this.#built.groups.find(({ rules }) => rules.some((live) => live.id === ruleId))?.group;
    if (group !== undefined) return { intervalMs: group.intervalMs, broughtBy: group.broughtBy, dashboardOnly: false };
    const spec = this.#built.thresholds.find((rule) => rule.id === id)?.spec;
    return spec && { intervalMs: undefined, broughtBy: undefined, dashboardOnly: spec.dashboardOnly };
  }

  /** What a rule looks at, for those who show why it fired; undefined for rules of other domains and those that are no more. */
  readsOf(id: string): RuleReads | undefined {
    for (const { rules } of this.#built.groups) {
      const live = rules.find((rule) => rule.id === id);
      if (live !== undefined) return readsOfExpr(live.rule.expr);
    }
    const spec = this.#built.thresholds.find((rule) => rule.id === id)?.spec;
    return spec && readsOfThreshold(spec);
  }

  /** Alerting rules of files, with what they compare. */
  get written(): readonly { readonly id: string; readonly name: string; readonly reads: RuleReads }[] {
    return this.#built.groups.flatMap(({ rules }) =>
      rules.flatMap(({ id, rule }) => (rule.kind === 'alerting' ? [{ id, name: rule.alert, reads: readsOfExpr(rule.expr) }] : [])),
    );
  }

  /** Shipped rules of other domains that are on. */
  get otherShipped(): readonly { readonly id: string; readonly name: string; readonly summary: string }[] {
    const all = [
      { id: SLA_RULE_ID, name: 'SlaViolation', summary: 'An SLA is violated' },
      { id: SERVICE_DOWN_RULE_ID, name: 'ServiceDown', summary: 'A service is down' },
      { id: SERVICE_FLAPPING_RULE_ID, name: 'ServiceFlapping', summary: 'A service changes its state too often' },
      { id: RULE_FAILING_ID, name: 'RuleFailing', summary: 'A rule cannot be evaluated, or a template of it fails' },
      { id: RECOVERY_RULE_ID, name: 'RecoveryFailed', summary: 'What was done about a check that is down did not help' },
    ];
    return all.filter(({ id }) => !this.#built.replaced.has(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runner[Symbol.asyncDispose]();
  }

  #build({ config, groups, hasRoutingTree, placeOf }: RulesSettings): Built {
    const written = writtenRules(config);
    const replaced = new Set(written.map(({ rule }) => rule.id));
    const { aliases } = this.#deps;
    const specs: readonly ThresholdSpec[] = [
      ...rulesOfPacks(config.packs)
        .filter(({ written: { rule } }) => !replaced.has(rule.id))
        .map(({ written: rule, ...provenance }) => compileRule(rule, aliases, provenance)),
      ...written.map(({ path, ...rule }) => compileRule(rule, aliases, { place: placeOf(path) })),
    ];
    const taken = new Map<string, number>(specs.map(({ id }) => [id, 1]));
    const ofFiles = groups.map((group) => this.#group(group, { taken, cooldownMs: hasRoutingTree ? 0 : FILE_RULE_COOLDOWN_MS }));
    return {
      groups: [
        ...ofFiles,
        ...this.#aggregates.configure(config.aggregates, this.#deps.lookbackMs).map((each) => this.#aggregate(each, taken)),
      ],
      thresholds: specs.map((spec) => new ThresholdRule(spec, this.#context)),
      replaced,
    };
  }

  /** Builds the saved rules beside the declared ones; those of the same revision are what they were unless everything is made anew. */
  #savedUnits(settings: RulesSettings, how: 'anew' | 'changed'): ReadonlyMap<string, SavedUnit> {
    const units = new Map<string, SavedUnit>();
    for (const saved of this.#saved) {
      const before = this.#savedInForce.get(saved.id);
      const place = this.placeOf(saved.id);
      if (place !== undefined) {
        if (how === 'anew') this.#deps.logger.warn('the configuration takes the place of a saved rule', { rule: saved.id, place });
        continue;
      }
      const isSame = how === 'changed' && before?.saved.revision === saved.revision;
      units.set(saved.id, isSame ? before : this.#savedUnit(saved, settings, before));
    }
    return units;
  }

  #savedUnit(saved: SavedRule, { config, hasRoutingTree }: RulesSettings, before: SavedUnit | undefined): SavedUnit {
    try {
      const read = readRule(saved.written, { part: '', defaultIntervalMs: config.evaluation_interval });
      if (read.kind === 'own')
        return { saved, read, unit: new ThresholdRule(compileRule(read.written, this.#deps.aliases), this.#context) };
      const cooldownMs = hasRoutingTree ? 0 : FILE_RULE_COOLDOWN_MS;
      const unit = new FileGroup({
        group: read.group,
        ids: [saved.id],
        context: this.#context,
        cooldownMs,
        selectorsOf: (rule) => selectorsOf(rule.expr),
      });
      const same = before?.unit instanceof FileGroup ? before.unit : undefined;
      unit.takeOver(same, { rewritten: before?.saved.revision !== saved.revision });
      return { saved, read, unit };
    } catch (thrown) {
      const fault = messageOf(thrown);
      this.#deps.logger.error('a saved rule cannot be read and is not evaluated', { rule: saved.id, error: fault });
      return { saved, fault };
    }
  }

  async #putInForce(saved: ReadonlyMap<string, SavedUnit>): Promise<void> {
    const before = new Set<Unit>([...this.#built.groups, ...this.#built.thresholds]);
    const units = [...saved.values()].flatMap(({ unit }) => unit ?? []);
    const working = new Set([...saved.values()].flatMap(({ saved: { id }, unit }) => (unit === undefined ? [] : [id])));
    this.#savedInForce = saved;
    this.#built = {
      groups: [...this.#declared.groups, ...units.filter((unit) => unit instanceof FileGroup)],
      thresholds: [
        ...this.#declared.thresholds.filter(({ id }) => !working.has(id)),
        ...units.filter((unit) => unit instanceof ThresholdRule),
      ],
      replaced: new Set([...this.#declared.replaced, ...working]),
    };
    const failing = this.#built.replaced.has(this.#failing.id) ? [] : [this.#failing];
    const ended = this.#runner.replace([...this.#built.groups, ...this.#built.thresholds, this.#alertSeries, ...failing]);
    const unchanged = [
      ...this.#built.thresholds.filter((rule) => before.has(rule)),
      ...this.#built.groups.flatMap((group) => (before.has(group) ? group.rules : [])),
    ];
    this.#failing.configure(this.#ids, new Set(unchanged.map(({ id }) => id)));
    await ended;
    await this.#endOrphans();
  }

  /** Of all rules but those of other domains. */
  get #ids(): ReadonlySet<string> {
    const ofFiles = this.#built.groups.flatMap(({ rules }) => rules.map(({ id }) => id));
    // A saved rule that cannot be read keeps its alerts, like one that cannot be evaluated.
    return new Set([...ofFiles, ...this.#built.thresholds.map(({ id }) => id), ...this.#savedInForce.keys()]);
  }

  #tried(id: string): Tried | undefined {
    const own = this.#built.thresholds.find((rule) => rule.id === id);
    if (own !== undefined) return { kind: 'own', spec: own.spec };
    for (const { group, rules } of this.#built.groups) {
      const rule = rules.find((live) => live.id === id)?.rule;
      if (rule?.kind === 'alerting') return { kind: 'file', group, rule };
    }
    return undefined;
  }

  #group(group: RuleGroup, { taken, cooldownMs }: { taken: Map<string, number>; cooldownMs: number }): FileGroup {
    const ids = idsOf(group, taken);
    const made = new FileGroup({ group, ids, context: this.#context, cooldownMs, selectorsOf: (rule) => selectorsOf(rule.expr) });
    made.takeOver(this.#declared.groups.find(({ id }) => id === made.id));
    return made;
  }

  /** Its grid are the multiples of the interval, of which its state is made. */
  #aggregate({ group, query }: Aggregate, taken: Map<string, number>): FileGroup {
    const context = { ...this.#context, query };
    const gridOffsetMs = group.queryOffsetMs % group.intervalMs;
    const made = new FileGroup({ group, ids: idsOf(group, taken), context, cooldownMs: 0, selectorsOf: () => [], gridOffsetMs });
    made.takeOver(this.#declared.groups.find(({ id }) => id === made.id));
    return made;
  }

  /** Ends alerts of rules that the configuration no longer has, and those of a shipped rule that a user's rule replaces. */
  async #endOrphans(): Promise<void> {
    const { alerting, clock } = this.#deps;
    const known = new Set([...this.#ids].flatMap((id) => [id, `${id}:limit`]));
    known.add(this.#failing.id);
    const isOrphan = ({ kind, rule }: { readonly kind: string; readonly rule: string }): boolean =>
      kind === 'rule' ? !known.has(rule) && !isRaisedElsewhere(rule) : this.#built.replaced.has(rule);
    const orphans = new Set(
      alerting
        .open()
        .filter(isOrphan)
        .map((alert) => alert.rule),
    );
    for (const id of orphans) {
      const rule: AlertingRule = {
        id,
        kind: 'rule',
        alertname: '',
        severity: 'info',
        teamId: this.#deps.teamId,
        forMs: ms(0),
        keepFiringForMs: ms(0),
        cooldownMs: ms(0),
      };
      const found = { kind: 'complete', active: [], holding: [], because: 'the rule was removed' } as const;
      await alerting.apply({ rule, atMs: epochMs(clock.now()), found });
    }
  }
}

const isOnGrid = ({ rule }: LiveRule): boolean => rule.kind === 'recording' || rule.forMs > 0;

/** Where each rule is written, by its id. */
const placesOf = ({ thresholds, groups }: Built): ReadonlyMap<string, string> =>
  new Map([
    ...thresholds.filter(({ spec }) => spec.pack === undefined).map(({ id, spec }) => [id, spec.place] as const),
    ...groups.flatMap(({ rules }) => rules.map(({ id, rule }) => [id, rule.place] as const)),
  ]);

function idsOf(group: RuleGroup, taken: Map<string, number>): readonly string[] {
  return group.rules.map((rule) => {
    const id = `${group.name}/${rule.kind === 'alerting' ? rule.alert : rule.record}`;
    const times = (taken.get(id) ?? 0) + 1;
    taken.set(id, times);
    return times === 1 ? id : `${id}#${times}`;
  });
}
