import type { SliceRun } from '@nines/maths/slo/slices.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { Origin } from '../services/contract.ts';
import type { SlaStatus } from './contract.ts';
import type { SlaEvaluation } from './evaluate.ts';
import type { SlaTerms } from './spec.ts';
import type { ContractVersion } from './store.ts';
import type { Violation } from './violations.ts';

/** One SLA that is kept an eye on. The fields below the line change with each evaluation. */
export type BookEntry = {
  readonly entityId: string;
  readonly origin: Origin;
  readonly contract: ContractVersion;
  readonly terms: SlaTerms;
  /** Verdicts of closed slices, ascending; empty for availability. Reaches back at least one window. */
  runs: SliceRun[];
  /** Time that people took out, as far as it holds now. Sorted and disjoint. */
  exclusions: readonly Span[];
  /** The last status that was told to anyone; null before the first evaluation. */
  status: SlaStatus | null;
  /** The last one; undefined before the first. */
  evaluation: SlaEvaluation | undefined;
  /** When the worker is to look again; 0 is at once. */
  lookAtMs: number;
  /** Its samples are not read again before this: reading them took long, or failed. */
  restUntilMs: number;
  /** About which time samples came since slices of it were judged. */
  late: Span | undefined;
  /** Slices are not judged again before this. */
  againAtMs: number;
};

/**
 * The SLAs in force, and what the worker knows of them between two steps. Rebuilt from the state database at start; nothing
 * here is the only copy of anything.
 */
export class SlaBook {
  readonly #entries = new Map<string, BookEntry>();
  readonly #exclusions = new Map<string, readonly Span[]>();
  #open: readonly Violation[] = [];

  /** In the order in which they were declared. */
  entries(): readonly BookEntry[] {
    return [...this.#entries.values()];
  }

  get(id: string): BookEntry | undefined {
    return this.#entries.get(id);
  }

  /** Puts an SLA in force; one of the same id keeps its slices and its status. */
  put(entry: Pick<BookEntry, 'entityId' | 'origin' | 'contract' | 'terms'>, runs: readonly SliceRun[]): void {
    const known = this.#entries.get(entry.contract.sla);
    this.#entries.set(entry.contract.sla, {
      ...entry,
      runs: known?.runs ?? [...runs],
      exclusions: this.#exclusions.get(entry.contract.sla) ?? [],
      status: known?.status ?? null,
      evaluation: known?.evaluation,
      lookAtMs: 0,
      restUntilMs: 0,
      late: known?.late,
      againAtMs: known?.againAtMs ?? 0,
    });
  }

  /** Makes the SLAs of a service due, or all of them, because something changed. */
  hurry(service?: string): void {
    for (const entry of this.#entries.values()) {
      if (service === undefined || entry.terms.spec.service === service) entry.lookAtMs = 0;
    }
  }

  remove(id: string): void {
    this.#entries.delete(id);
  }

  /** Puts the exclusions of an SLA in force; it is due then. Also for one that is not in the book yet. */
  setExclusions(sla: string, spans: readonly Span[]): void {
    this.#exclusions.set(sla, spans);
    const entry = this.#entries.get(sla);
    if (entry === undefined) return;
    entry.exclusions = spans;
    entry.lookAtMs = 0;
  }

  openViolations(sla?: string): readonly Violation[] {
    return sla === undefined ? this.#open : this.#open.filter((violation) => violation.sla === sla);
  }

  setOpenViolations(violations: readonly Violation[]): void {
    this.#open = violations;
  }
}
