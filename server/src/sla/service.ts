import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import { type EpochMs, HOUR_MS, epochMs } from '@nines/base/units.ts';
import type { WriteBatch } from '@nines/model/storage.ts';
import { windowAt } from '@nines/maths/slo/window.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { Ledger } from '../availability/contract.ts';
import { type BookEntry, SlaBook } from './book.ts';
import { SLA_CODES, type SlaView, type Slas, type ViolationView } from './contract.ts';
import { type SlaEvaluation, evaluateSla } from './evaluate.ts';
import { factsFor } from './facts.ts';
import { type Prediction, backTest, neededMs, predict } from './prediction.ts';
import type { SlaSpec } from './spec.ts';
import { openViolations, violationPages, violationsOf } from './store.ts';
import { ServiceTimelines } from './timelines.ts';
import { toView, toViolationView } from './view.ts';
import { SlaWorker, type SlaWorkerDeps } from './worker.ts';

export type SlaServiceDeps = Omit<SlaWorkerDeps, 'timelines' | 'book'> & {
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, 'timeline' | 'current' | 'monitoredSinceMs' | 'version'>;
};

/** How many windows before the one in force a prediction learns from. */
const PAST_WINDOWS = 2;
/** A back-test is some hundred evaluations, and an hour changes little of it. */
const BACK_TEST_MS = HOUR_MS;
/** Violations listed in one answer. */
const MAX_VIOLATIONS = 1_000;
/** Everything about SLAs that others ask for. `declare` comes from contracts.ts and fills the book. */
export class SlaService implements Slas {
  readonly book = new SlaBook();
  readonly timelines: ServiceTimelines;
  readonly worker: SlaWorker;
  readonly #deps: SlaServiceDeps;
  #woken = false;
  /** By contract. */
  readonly #backTests = new Map<string, { readonly atMs: number; readonly calibration: Prediction['calibration'] }>();

  constructor(deps: SlaServiceDeps) {
    this.#deps = deps;
    this.timelines = new ServiceTimelines(deps.ledger);
    this.worker = new SlaWorker({ ...deps, timelines: this.timelines, book: this.book });
  }

  /** Reads the violations that were open when the process ended. To be called once, before the first step. */
  async load(): Promise<void> {
    this.book.setOpenViolations(await openViolations(this.#deps.db));
  }

  /** Asks for a step soon, after a service changed its state or the set of SLAs did. Any number of calls in one turn are one step. */
  wake(service?: string): void {
    this.book.hurry(service);
    if (this.#woken) return;
    this.#woken = true;
    this.#deps.clock.after(0, () => {
      this.#woken = false;
      this.worker.step(this.#deps.clock.now()).catch((thrown: unknown) => {
        this.#deps.logger.error('the SLA step failed', { error: messageOf(thrown) });
      });
    });
  }

  /** Told of each durable commit, so that slices are judged again about which samples come late. */
  committed(batch: WriteBatch): void {
    this.worker.lateSamples.committed(batch, this.#deps.clock.now());
  }

  async list(nowMs: EpochMs): Promise<readonly SlaView[]> {
    return Promise.all(this.book.entries().map((entry) => this.#view(entry, nowMs)));
  }

  async get(id: string, nowMs: EpochMs): Promise<SlaView | undefined> {
    const entry = this.book.get(id);
    if (entry === undefined) return undefined;
    return { ...(await this.#view(entry, nowMs)), ...(await this.#prediction(entry, nowMs)), terms: entry.terms.spec };
  }

  /** The terms in force of these SLAs, of all of them without ids. `AppError` `sla_not_found`. */
  specs(ids: readonly string[]): readonly SlaSpec[] {
    const entries = ids.length === 0 ? this.book.entries() : ids.map((id) => this.#entry(id));
    return entries.map(({ terms }) => terms.spec);
  }

  /** Violations that were open at some time in `[fromMs, toMs)`, newest first; also of an SLA that has ended since. `AppError` `sla_not_found`. */
  async violations(id: string, range: Span): Promise<readonly ViolationView[]> {
    const found = await violationsOf(this.#deps.db, id, { ...range, limit: MAX_VIOLATIONS });
    if (found.length === 0) this.#entry(id);
    return found.map(toViolationView);
  }

  /** All violations of these SLAs, or of all, that were open at some time of a span, ascending by SLA and opening; page by page. */
  async *violationPages(filter: Parameters<typeof violationPages>[1]): AsyncGenerator<readonly ViolationView[]> {
    for await (const page of violationPages(this.#deps.db, filter)) yield page.map(toViolationView);
  }

  /** The window of an SLA that ends at `nowMs`: the period of a statement without one. */
  windowOf(id: string, nowMs: EpochMs): Span {
    return windowAt(this.#entry(id).terms.window, nowMs).window;
  }

  async #view(entry: BookEntry, nowMs: EpochMs): Promise<SlaView> {
    const facts = await factsFor({ ...this.#deps, timelines: this.timelines }, entry, windowAt(entry.terms.window, nowMs).window);
    return this.#toView(entry, evaluateSla(entry.terms, facts, nowMs));
  }

  /** From as much of the past as is at hand: two windows more of the ledger, or the slices that are kept. */
  async #prediction(entry: BookEntry, nowMs: EpochMs): Promise<Pick<SlaView, 'prediction' | 'prediction_needs_ms'>> {
    const { window } = windowAt(entry.terms.window, nowMs);
    const past: Span = { fromMs: epochMs(window.fromMs - PAST_WINDOWS * entry.terms.windowMs), toMs: nowMs };
    const facts = await factsFor({ ...this.#deps, timelines: this.timelines }, entry, past);
    const evaluation = evaluateSla(entry.terms, facts, nowMs);
    const found = predict(evaluation, facts);
    if (found === null) return { prediction: null };
    const needs = neededMs(entry.terms);
    // What is broken already is no guess.
    const isYoung = evaluation.budget.remainingMs >= 0 && nowMs - (facts.sinceMs ?? nowMs) < needs;
    if (isYoung) return { prediction: null, prediction_needs_ms: needs };
    const id = entry.contract.id;
    const known = this.#backTests.get(id);
    const isFresh = known !== undefined && nowMs - known.atMs < BACK_TEST_MS;
    const test = isFresh ? known : { atMs: nowMs, calibration: backTest(entry.terms, facts, nowMs) };
    this.#backTests.set(id, test);
    return { prediction: { ...found, calibration: test.calibration } };
  }

  #toView(entry: Pick<BookEntry, 'contract' | 'origin'>, evaluation: SlaEvaluation): SlaView {
    const violationsOpen = this.book.openViolations(entry.contract.sla).length;
    return toView(evaluation, entry, violationsOpen);
  }

  #entry(id: string): BookEntry {
    const entry = this.book.get(id);
    if (entry === undefined) throw unknownSla(id);
    return entry;
  }
}

const unknownSla = (id: string): AppError => new AppError('not_found', SLA_CODES.notFound, `there is no SLA "${id}"`);
