import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { windowAt } from '@nines/maths/slo/window.ts';
import type { Evaluation } from '../alerting/contract.ts';
import type { Maintenance } from '../maintenance/contract.ts';
import type { Bus } from '../platform/bus.ts';
import { SLA_VIOLATION_RULE, activeElement, alertsFromMs } from './alert.ts';
import type { BookEntry, SlaBook } from './book.ts';
import { CALM_LOOK_MS } from './config.ts';
import { type SlaEvaluation, evaluateSla } from './evaluate.ts';
import { factsFor } from './facts.ts';
import { type FigureSample, figuresOf } from './figures.ts';
import { LateSamples, unionOf } from './late.ts';
import { type SliceDeps, closeSlices, judgeLateSlices, nextVerdictMs } from './slices.ts';
import { insertViolation, updateViolation } from './store.ts';
import { toView, toViolationView } from './view.ts';
import { type OpenedViolation, type Violation, type ViolationDecision, decideViolations } from './violations.ts';

export type SlaWorkerDeps = SliceDeps & {
  readonly maintenance: Maintenance;
  readonly book: SlaBook;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  /** Where alerts of violations go; absent when a user's rule replaces the shipped one. */
  readonly alert?: (evaluation: Evaluation) => Promise<void>;
  /** The labels of a service, which its alerts and figures have as well; none when absent. */
  readonly labelsOf?: (service: string) => Readonly<Record<string, string>>;
  /** Told when verdicts of the past changed because samples came late. */
  readonly onLate?: (sla: string, span: Span) => Promise<void>;
  /** Stores the figures of SLAs as samples; absent where nobody wants them. */
  readonly record?: (samples: readonly FigureSample[]) => Promise<unknown>;
};

/** How often figures become samples: as often as everything else is collected. */
const RECORD_MS = 15_000;

/** How often alerting is told the same again: a lost telling is repaired, and annotations stay fresh. */
const RETELL_MS = 60_000;

/**
 * The SLA worker's step: judge the slices that closed, evaluate every SLA that is due, open and close violations, tell alerting. One
 * SLA that cannot be evaluated is logged and leaves its violations as they are; the others go on.
 */
export class SlaWorker {
  readonly #deps: SlaWorkerDeps;
  #recordedAtMs = Number.NEGATIVE_INFINITY;
  #told: { readonly atMs: number; readonly text: string } | undefined;
  #running: Promise<void> | undefined;
  /** To be told of every commit. */
  readonly lateSamples = new LateSamples();

  constructor(deps: SlaWorkerDeps) {
    this.#deps = deps;
  }

  /** Steps never overlap: one that is asked for while another runs follows it. */
  async step(nowMs: EpochMs, signal?: AbortSignal): Promise<void> {
    // How the step before ended is told to whoever asked for it.
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    this.#running = this.#step(nowMs, signal).finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #step(nowMs: EpochMs, signal?: AbortSignal): Promise<void> {
    this.#spreadLate();
    for (const entry of this.#deps.book.entries()) {
      signal?.throwIfAborted();
      if (nowMs < entry.lookAtMs) continue;
      try {
        await this.#look(entry, nowMs, signal);
      } catch (thrown) {
        if (signal?.aborted === true) throw thrown;
        this.#deps.logger.error('an SLA could not be evaluated', { sla: entry.contract.sla, error: messageOf(thrown) });
      }
    }
    await this.#closeOrphans(nowMs);
    await this.#tell(nowMs);
    await this.#record(nowMs);
  }

  #spreadLate(): void {
    const late = this.lateSamples.take();
    if (late === undefined) return;
    for (const entry of this.#deps.book.entries()) {
      if (entry.terms.spec.indicator.kind === 'availability') continue;
      entry.late = unionOf(entry.late, late);
      entry.lookAtMs = Math.min(entry.lookAtMs, entry.againAtMs);
    }
  }

  async #look(entry: BookEntry, nowMs: EpochMs, signal?: AbortSignal): Promise<void> {
    const at = signal === undefined ? { nowMs } : { nowMs, signal };
    await closeSlices(this.#deps, entry, at);
    const changed = await judgeLateSlices(this.#deps, entry, at);
    if (changed !== undefined) await this.#deps.onLate?.(entry.contract.sla, changed);
    const facts = await factsFor(this.#deps, entry, windowAt(entry.terms.window, nowMs).window);
    const evaluation = evaluateSla(entry.terms, facts, nowMs);
    const open = this.#deps.book.openViolations(entry.contract.sla);
    for (const decision of decideViolations(open, evaluation)) await this.#carryOut(entry, decision, nowMs);
    this.#announce(entry, evaluation, nowMs);
    entry.evaluation = evaluation;
    entry.lookAtMs = this.#isSpending(entry, evaluation)
      ? 0
      : Math.min(nowMs + Math.min(CALM_LOOK_MS, entry.terms.spec.interval_ms), nextVerdictMs(entry));
  }

  /** Whether the verdict may change by time passing alone: the service is down, or something is wrong already. */
  #isSpending(entry: BookEntry, { verdict }: SlaEvaluation): boolean {
    return verdict.status === 'breached' || verdict.status === 'at_risk' || this.#deps.timelines.isDown(entry.terms.spec.service);
  }

  async #carryOut(entry: BookEntry, decision: ViolationDecision, nowMs: EpochMs): Promise<void> {
    switch (decision.kind) {
      case 'open':
        return this.#open(entry, decision.violation, nowMs);
      case 'worsen':
        return this.#change({ ...decision.violation, severity: decision.severity, figures: decision.figures }, 'worsened', nowMs);
      case 'close':
        return this.#close(decision.violation, nowMs);
    }
  }

  async #open({ contract, terms }: BookEntry, opened: OpenedViolation, nowMs: EpochMs): Promise<void> {
    const { db, book, ids } = this.#deps;
    const violation: Violation = {
      ...opened,
      id: ids.uuid(),
      sla: contract.sla,
      service: terms.spec.service,
      teamId: contract.teamId,
      contractVersion: contract.version,
      openedAtMs: nowMs,
      closedAtMs: null,
      revision: 1,
    };
    await insertViolation(db, violation);
    book.setOpenViolations([...book.openViolations(), violation]);
    this.#publish(violation, 'opened', nowMs);
  }

  #close(violation: Violation, nowMs: EpochMs): Promise<void> {
    return this.#change({ ...violation, closedAtMs: nowMs }, 'closed', nowMs);
  }

  async #change(violation: Violation, what: 'worsened' | 'closed', nowMs: EpochMs): Promise<void> {
    const { db, book } = this.#deps;
    const changed: Violation = { ...violation, revision: violation.revision + 1 };
    await updateViolation(db, changed);
    const others = book.openViolations().filter((each) => each.id !== changed.id);
    book.setOpenViolations(changed.closedAtMs === null ? [...others, changed] : others);
    this.#publish(changed, what, nowMs);
  }

  #publish(violation: Violation, what: 'opened' | 'worsened' | 'closed', nowMs: EpochMs): void {
    this.#deps.bus.publish({ topic: 'slas', type: `violation.${what}`, atMs: nowMs, data: toViolationView(violation) });
  }

  #announce(entry: BookEntry, evaluation: SlaEvaluation, nowMs: EpochMs): void {
    const { status } = evaluation.verdict;
    if (entry.status === status) return;
    const before = entry.status;
    entry.status = status;
    const violationsOpen = this.#deps.book.openViolations(entry.contract.sla).length;
    const view = toView(evaluation, entry, violationsOpen);
    this.#deps.logger.info('an SLA changed its status', { sla: view.id, from: before, to: status, reason: view.status_reason });
    this.#deps.bus.publish({ topic: 'slas', type: 'sla.status_changed', atMs: nowMs, data: view });
  }

  /** Violations of SLAs that are no longer in force are over. */
  async #closeOrphans(nowMs: EpochMs): Promise<void> {
    const { book } = this.#deps;
    for (const violation of book.openViolations()) if (book.get(violation.sla) === undefined) await this.#close(violation, nowMs);
  }

  /** Figures are for charts: when they cannot be stored now, the verdicts still stand. */
  async #record(nowMs: EpochMs): Promise<void> {
    const { record, book, logger } = this.#deps;
    if (record === undefined || nowMs - this.#recordedAtMs < RECORD_MS) return;
    this.#recordedAtMs = nowMs;
    const samples = book
      .entries()
      .flatMap(({ evaluation }) =>
        evaluation === undefined ? [] : figuresOf(evaluation, this.#deps.labelsOf?.(evaluation.terms.spec.service) ?? {}),
      );
    if (samples.length === 0) return;
    await record(samples).catch((thrown: unknown) => logger.warn('figures of SLAs were not stored', { error: messageOf(thrown) }));
  }

  /** Tells alerting the whole truth about the rule when it changed, at the first step, and again every minute. */
  async #tell(nowMs: EpochMs): Promise<void> {
    if (this.#deps.alert === undefined) return;
    const { book } = this.#deps;
    const active = book
      .openViolations()
      .filter((violation) => alertsFromMs(violation, book.get(violation.sla)?.terms.spec) <= nowMs)
      .map((violation) =>
        activeElement(violation, {
          name: book.get(violation.sla)?.terms.spec.name ?? violation.sla,
          labels: this.#deps.labelsOf?.(violation.service) ?? {},
        }),
      );
    const text = JSON.stringify(active);
    if (this.#told !== undefined && this.#told.text === text && nowMs - this.#told.atMs < RETELL_MS) return;
    await this.#deps.alert({ rule: SLA_VIOLATION_RULE, atMs: nowMs, found: { kind: 'complete', active, holding: [] } });
    this.#told = { atMs: nowMs, text };
  }
}
