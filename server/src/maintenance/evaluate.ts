import { DAY_MS, type EpochMs, epochMs } from '@nines/base/units.ts';
import { type Recurrence, occurrencesWithin } from '@nines/maths/calendar/recurrence.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { type MaintenanceSpec, type Occurrence, type OccurrenceFilter, recurrenceOf } from './contract.ts';

/** One wording of a window, in force from when it was recorded until it was ended. Another wording is another version. */
export type MaintenanceVersion = {
  readonly id: string;
  readonly spec: MaintenanceSpec;
  /** `''`: made through the API; otherwise the place in the configuration file. */
  readonly place: string;
  /** When this schedule for these services was recorded first. */
  readonly announcedAtMs: EpochMs;
  readonly recordedAtMs: EpochMs;
  readonly endedAtMs: EpochMs | null;
};

/** Whether nothing changed that people would have to be told again. */
export const isSamePlan = (a: MaintenanceSpec, b: MaintenanceSpec): boolean =>
  JSON.stringify([a.schedule, [...a.services].sort()]) === JSON.stringify([b.schedule, [...b.services].sort()]);

const CHUNK_MS = 32 * DAY_MS;
/** Stretches of one version's calendar that are remembered: five years. */
const MAX_CHUNKS = 64;

/** The planned spans of one version, reckoned once. */
export class Plan {
  readonly #once: readonly Span[];
  readonly #recurrence: Recurrence | undefined;
  readonly #chunks = new Map<number, readonly Span[]>();

  constructor({ schedule }: MaintenanceSpec) {
    this.#recurrence = recurrenceOf(schedule);
    this.#once = schedule.kind === 'once' ? [{ fromMs: epochMs(schedule.from_at_ms), toMs: epochMs(schedule.to_at_ms) }] : [];
  }

  /** Those that overlap a span, ascending. */
  within({ fromMs, toMs }: Span): readonly Span[] {
    const all = this.#recurrence === undefined ? this.#once : this.#chunksFor(this.#recurrence, { fromMs, toMs });
    return all.filter((one) => one.fromMs < toMs && one.toMs > fromMs);
  }

  #chunksFor(recurrence: Recurrence, { fromMs, toMs }: Span): readonly Span[] {
    const spans: Span[] = [];
    for (let chunk = Math.floor((fromMs - recurrence.durationMs) / CHUNK_MS); chunk * CHUNK_MS < toMs; chunk++) {
      spans.push(...this.#chunk(recurrence, chunk));
    }
    return spans;
  }

  /** The spans that begin in a stretch of 32 days. */
  #chunk(recurrence: Recurrence, chunk: number): readonly Span[] {
    const known = this.#chunks.get(chunk);
    if (known !== undefined) return known;
    if (this.#chunks.size >= MAX_CHUNKS) this.#chunks.clear();
    const fromMs = epochMs(chunk * CHUNK_MS);
    const spans = occurrencesWithin(recurrence, { fromMs, toMs: epochMs(fromMs + CHUNK_MS) }).filter((one) => one.fromMs >= fromMs);
    this.#chunks.set(chunk, spans);
    return spans;
  }
}

/** What was said afterwards: within `[fromMs, toMs)` nobody worked on account of the window. */
export type MaintenanceCorrection = Span & { readonly window: string; readonly recordedAtMs: EpochMs };

/** The occurrences without the time that was corrected, as far as that was known. */
export function corrected(
  occurrences: readonly Occurrence[],
  corrections: readonly MaintenanceCorrection[],
  knownAtMs: EpochMs | undefined,
): readonly Occurrence[] {
  return occurrences.flatMap((one) => {
    const gone = corrections.filter(({ window, recordedAtMs }) => window === one.window && recordedAtMs <= (knownAtMs ?? recordedAtMs));
    return gone.reduce<readonly Occurrence[]>((left, cut) => left.flatMap((part) => withoutSpan(part, cut)), [one]);
  });
}

const withoutSpan = (one: Occurrence, cut: Span): readonly Occurrence[] =>
  cut.toMs <= one.fromMs || cut.fromMs >= one.toMs
    ? [one]
    : [...(cut.fromMs > one.fromMs ? [{ ...one, toMs: cut.fromMs }] : []), ...(cut.toMs < one.toMs ? [{ ...one, fromMs: cut.toMs }] : [])];

/** A version with its plan. */
export type Planned = { readonly version: MaintenanceVersion; readonly plan: Plan };

/** The occurrences of versions as they were known: never from before they were recorded, cut where they were ended. */
export function occurrencesOf(planned: readonly Planned[], { service, fromMs, toMs, knownAtMs }: OccurrenceFilter): readonly Occurrence[] {
  const found: Occurrence[] = [];
  for (const { version, plan } of planned) {
    const { spec, recordedAtMs, announcedAtMs } = version;
    const endedAtMs = version.endedAtMs !== null && version.endedAtMs <= (knownAtMs ?? version.endedAtMs) ? version.endedAtMs : null;
    if (recordedAtMs > (knownAtMs ?? recordedAtMs) || (service !== undefined && !spec.services.includes(service))) continue;
    for (const one of plan.within({ fromMs, toMs })) {
      const span = {
        fromMs: epochMs(Math.max(one.fromMs, recordedAtMs)),
        toMs: epochMs(Math.min(one.toMs, endedAtMs ?? one.toMs)),
      };
      if (span.fromMs >= span.toMs || span.fromMs >= toMs || span.toMs <= fromMs) continue;
      found.push({
        ...span,
        plannedFromMs: one.fromMs,
        announcedAtMs,
        window: spec.id,
        name: spec.name,
        services: spec.services,
        suppressAlerts: spec.suppress_alerts,
      });
    }
  }
  return found.sort((a, b) => a.fromMs - b.fromMs || (a.window < b.window ? -1 : 1));
}
