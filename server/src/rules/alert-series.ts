import { SECOND_MS, type EpochMs, epochMs } from '@nines/base/units.ts';
import { type Labels, METRIC_NAME, labelPairs, labelsFrom, labelsKey, labelsOf, withLabels } from '@nines/model/labels.ts';
import type { AlertView } from '../alerting/contract.ts';
import type { RuleContext, RuleElement, RuleSample } from './context.ts';
import type { Trigger, Unit } from './runner.ts';

/** `ALERTS` and `ALERTS_FOR_STATE` as Prometheus writes them. */
export function alertSeries(open: readonly AlertView[]): readonly RuleElement[] {
  return open.flatMap((alert) => {
    const labels = labelsOf(alert.labels);
    const state = labelsFrom([...labelPairs(labels), [METRIC_NAME, 'ALERTS'], ['alertstate', alert.condition]]);
    return [
      { labels: state, value: 1 },
      { labels: withLabels(labels, { [METRIC_NAME]: 'ALERTS_FOR_STATE' }), value: Math.floor(alert.active_at_ms / 1000) },
    ];
  });
}

/** What is written now, and a staleness marker for each of `before` that is not. */
export function withEndings(samples: readonly RuleElement[], before: ReadonlyMap<string, Labels>, atMs: number): readonly RuleSample[] {
  const now = new Set(samples.map(({ labels }) => labelsKey(labels)));
  return [
    ...samples.map(({ labels, value, histogram }) => ({ labels, atMs, value: histogram ?? value })),
    ...[...before].filter(([key]) => !now.has(key)).map(([, labels]) => ({ labels, atMs, value: 'stale' as const })),
  ];
}

/** The series of alerts have a sample this often; the default collection interval. */
const GRID_MS = 15 * SECOND_MS;

/** Keeps up the series of alerts whose rules have no group and so no grid: thresholds, SLAs, services. */
export class UngroupedAlertSeries implements Unit {
  readonly id = 'ALERTS';
  readonly selectors = [];
  readonly #context: RuleContext;
  readonly #isGrouped: (ruleId: string) => boolean;
  #written: ReadonlyMap<string, Labels> = new Map();

  constructor(context: RuleContext, isGrouped: (ruleId: string) => boolean) {
    this.#context = context;
    this.#isGrouped = isGrouped;
  }

  nextAtMs(afterMs: EpochMs): EpochMs {
    return epochMs((Math.floor(afterMs / GRID_MS) + 1) * GRID_MS);
  }

  async evaluate({ atMs }: Trigger): Promise<void> {
    const open = this.#context.alerting.open().filter(({ rule }) => !this.#isGrouped(rule));
    // Two rules may say the same of the same thing; the series is one.
    const samples = new Map(alertSeries(open).map((sample) => [labelsKey(sample.labels), sample]));
    const written = withEndings([...samples.values()], this.#written, Math.floor(atMs / GRID_MS) * GRID_MS);
    this.#written = new Map([...samples].map(([key, { labels }]) => [key, labels]));
    if (written.length > 0) await this.#context.store(written);
  }
}
