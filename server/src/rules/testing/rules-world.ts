import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { type Labels, labelValue, labelsOf } from '@nines/model/labels.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { openStore } from '@nines/tsdb/store.ts';
import { type OpenDatabase, openSqliteForTest } from '../../../../test/harness/databases.ts';
import { silentLogger } from '../../../../test/harness/logs.ts';
import { type ManualClock, settle } from '../../../../test/harness/manual-clock.ts';
import { createMemoryAlerting } from '../../alerting/memory.ts';
import { createAsk } from '../../ask.ts';
import type { CurrentState, Flapping } from '../../availability/contract.ts';
import { createAliases } from '../../collect/aliases.ts';
import type { Ingest } from '../../collect/contract.ts';
import { createIngest } from '../../collect/ingest.ts';
import { createSelfMetrics } from '../../collect/self.ts';
import { type World, openWorld } from '../../notify/testing/world.ts';
import { createIds } from '../../platform/ids.ts';
import type { ServiceEntry } from '../../services/contract.ts';
import { rulesConfig } from '../config.ts';
import { RULE_FAILING_ID } from '../contract.ts';
import { type LoadedRuleFiles, loadRuleFiles } from '../load.ts';
import { SavedRules } from '../saved.ts';
import { type RulesDeps, RulesService } from '../service.ts';

/** Rules over a real store, a real engine, real alerting and a clock that is moved by hand. */
export type RulesWorld = {
  readonly world: World;
  readonly clock: ManualClock;
  readonly rules: RulesService;
  readonly saved: SavedRules;
  /** Another process on the same database that evaluates nothing. */
  beside(): SavedRules;
  readonly ingest: Ingest;
  readonly store: Base['store'];
  /** What an own figure without labels says. */
  metric(name: string): number | undefined;
  readonly services: TestService[];
  /** Stores samples now, in the form `name{label="value"}` as a record, and lets the rules act on them. */
  push(...samples: readonly (readonly [labels: Record<string, string>, value: number])[]): Promise<void>;
  /** Time passes, in steps of a second. */
  advance(lengthMs: number): Promise<void>;
  /**
   * Reads a new configuration, whose `files` are written below its folder first, and puts it in force unless a rule file has
   * problems, as the server does. Returns what was read.
   */
  configure(config: unknown, files?: Readonly<Record<string, string>>): Promise<LoadedRuleFiles>;
  /** What the engine says now, as `labels value`. */
  ask(expr: string): Promise<readonly { readonly labels: Labels; readonly value: number }[]>;
  /** Open alerts but those about rules, as `alertname{series} condition severity`, sorted. */
  open(): readonly string[];
  /** Alerts about rules that do not work, as `id condition`. */
  failing(): readonly string[];
  /** The same installation in a new process, `downMs` later. */
  restart(downMs: number): Promise<RulesWorld>;
};

/** A service with one check, `ID-http`. */
type TestService = { id: string; state: CurrentState; dependsOn?: readonly string[]; flapping?: Flapping };

type Base = {
  readonly directory: string;
  readonly store: Awaited<ReturnType<typeof openStore>>;
  readonly world: World;
  readonly services: RulesWorld['services'];
};

export async function openRulesWorld(t: TestContext, open: OpenDatabase = openSqliteForTest): Promise<RulesWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'nines-rules-'));
  const { db } = await open(t);
  const world = await openWorld(t, { db, routing: { default: ['hook'] } });
  const store = await openStore({ dir: join(directory, 'tsdb'), retentionMs: 86_400_000, logger: silentLogger });
  t.after(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return loaded(compose(t, { directory, store, world, services: [] }));
}

async function loaded(w: RulesWorld): Promise<RulesWorld> {
  await w.saved.load();
  return w;
}

function compose(t: TestContext, base: Base): RulesWorld {
  const { directory, store, world, services } = base;
  const { clock, alerting } = world;
  const metrics = createSelfMetrics();
  const ask = createAsk(createEngine({ limits: { maxSamples: 1_000_000 } }), store);
  const ingest = createIngest({ appender: store, clock, metrics, onCommitted: (refs, committed) => rules.committed(refs, committed) });
  const entry = (id: string): ServiceEntry => ({
    entityId: id,
    id,
    name: id,
    owner: '',
    labels: {},
    teamId: 'default',
    tier: '',
    description: '',
    runbook: '',
    tags: [],
    dependsOn: services.find((service) => service.id === id)?.dependsOn ?? [],
    suppressWhenParentDown: true,
    checks: [`${id}-http`],
    origin: { kind: 'ui' },
  });
  const find = (id: string): CurrentState =>
    services.find((service) => service.id === id)?.state ?? { state: 'unknown', sinceMs: clock.now(), evidence: [] };
  const deps: RulesDeps = {
    query: (expr, atMs, options) => ask.instant(expr, atMs, options),
    range: (expr, span, options) => ask.range(expr, span, options),
    createAlerting: createMemoryAlerting,
    ingest,
    alerting,
    clock,
    logger: silentLogger,
    teamId: 'default',
    externalUrl: 'http://nines.example',
    labelsOfRef: (ref: number) => store.labelsOfRef(ref),
    queryable: store,
    yieldNow: () => undefined,
    lookbackMs: 300_000,
    aliases: createAliases(15e3),
    metrics,
    services: {
      list: () => services.map(({ id }) => entry(id)),
      get: (id: string) => entry(id),
      dependents: () => [],
    },
    ledger: {
      current: find,
      whyFlapping: (id) => (services.some((service) => service.id === id && service.flapping !== undefined) ? 'flapping' : undefined),
      flapping: (check) => services.find(({ id }) => check === `${id}-http`)?.flapping ?? null,
    },
  };
  const rules = new RulesService(deps);
  const keeping = { db: world.db.kysely, clock, ids: createIds(clock), bus: world.bus };
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (!stopped) await rules[Symbol.asyncDispose]();
    stopped = true;
  };
  t.after(stop);
  const rest = async (): Promise<void> => {
    // An append waits for the disk, so the chain from sample to alert takes more than turns of the loop.
    for (let quiet = 0; quiet < 3; quiet++) {
      await world.advance(0);
      await clock.advance(0);
      await settle();
      if (rules.backlog > 0) quiet = -1;
    }
    await world.advance(1);
  };
  return {
    world,
    clock,
    rules,
    saved: new SavedRules({ ...keeping, rules }),
    beside: () => new SavedRules({ ...keeping, rules: new RulesService({ ...deps, metrics: createSelfMetrics() }) }),
    ingest,
    store,
    metric: (wanted) => metrics.collect().find(({ name }) => name === wanted)?.samples[0]?.value,
    services,
    async push(...samples) {
      const atMs: EpochMs = epochMs(clock.now());
      await ingest.appendSamples(
        samples.map(([labels, value]) => ({
          labels: labelsOf(labels),
          atMs,
          value,
        })),
      );
      await rest();
    },
    async advance(lengthMs) {
      for (let passed = 0; passed < lengthMs; passed += 1e3) {
        await clock.advance(Math.min(1e3, lengthMs - passed));
        await rest();
      }
    },
    async configure(written, files = {}) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(join(directory, 'rules'), { recursive: true });
        writeFileSync(join(directory, name), text);
      }
      const config = rulesConfig.parse(written);
      const read = loadRuleFiles(config.files, { baseDir: directory });
      if (read.problems.length === 0)
        await rules.configure({
          config,
          groups: read.groups,
          externalLabels: config.external_labels,
          hasRoutingTree: false,
          placeOf: (path) => path.join('.'),
        });
      return read;
    },
    ask: (expr) => ask.instant(expr, clock.now()),
    failing: () => alerting.openOf(RULE_FAILING_ID).map(({ labels, condition }) => `${labels['rule']} ${condition}`),
    open: () =>
      alerting
        .open()
        .filter(({ rule }) => rule !== RULE_FAILING_ID)
        .map((alert) => `${alert.alertname}{${labelValue(labelsOf(alert.labels), 'instance')}} ${alert.condition} ${alert.severity}`)
        .sort(),
    async restart(downMs) {
      await stop();
      clock.jump(downMs);
      return loaded(
        compose(t, {
          ...base,
          world: await world.restart(),
        }),
      );
    },
  };
}
