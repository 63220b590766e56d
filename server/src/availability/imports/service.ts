import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { createTurns } from '../../platform/turns.ts';
import {
  IMPORT_CODES,
  IMPORT_LIMITS,
  type ImportBody,
  type ImportedEvidence,
  type ImportReport,
  type ImportView,
  type ReadRows,
  type Refusal,
  type StoredSpan,
} from './contract.ts';
import { readProbeSuccess } from './probe-success.ts';
import { judgeRows, readCsvIntervals, readIntervals } from './rows.ts';
import type { ImportStore } from './store.ts';
import { readUptimeKuma } from './uptime-kuma.ts';

export type ImportDeps = {
  readonly store: ImportStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  /** Why a service takes no imports; undefined when it does. */
  readonly refuses: (service: string) => string | undefined;
  /** Puts what stands for a service in force; `fromMs` is the earliest instant that changed, `toMs` the latest. */
  readonly enforce: (
    service: string,
    spans: readonly StoredSpan[],
    changed: { readonly fromMs: EpochMs; readonly toMs: EpochMs },
  ) => Promise<void>;
};

/** Takes in what other monitors saw. One import at a time; each whole or not at all. */
export class Imports implements ImportedEvidence {
  readonly #deps: ImportDeps;
  readonly #alone = createTurns();
  /** What stands, by service, ascending. */
  #standing = new Map<string, readonly StoredSpan[]>();

  constructor(deps: ImportDeps) {
    this.#deps = deps;
  }

  /** To be called once, before anything else. */
  async load(): Promise<void> {
    this.#standing = Map.groupBy(await this.#deps.store.standing(), (span) => span.service);
  }

  imported(service: string, window: Parameters<ImportedEvidence['imported']>[1]): Promise<readonly StoredSpan[]> {
    return this.#deps.store.spansOf(service, window);
  }

  list(): Promise<readonly ImportView[]> {
    return this.#deps.store.list();
  }

  /** `AppError` `import_refused` with every refused row, and then nothing is taken. */
  take(body: ImportBody, by: string): Promise<ImportReport> {
    return this.#alone(async () => {
      const nowMs = this.#deps.clock.now();
      const read = readBody(body);
      if (read.rows.length > IMPORT_LIMITS.rows)
        throw new AppError(
          'bad_input',
          IMPORT_CODES.refused,
          `at most ${IMPORT_LIMITS.rows} stretches in one import, found ${read.rows.length}`,
        );
      const judged = judgeRows(read.rows, {
        nowMs,
        refuses: this.#deps.refuses,
        imported: (service) => this.#standing.get(service) ?? [],
      });
      const refused = [...read.refused, ...judged.refused];
      if (refused.length > 0) throw refusal(refused);
      if (judged.fresh.length === 0) return { import: null, taken: 0, known: judged.known };
      const kept = [...this.#standing.values()].reduce((sum, spans) => sum + spans.length, judged.fresh.length);
      if (kept > IMPORT_LIMITS.kept)
        throw new AppError('bad_input', IMPORT_CODES.refused, `at most ${IMPORT_LIMITS.kept} imported stretches are kept`);
      const made = {
        id: this.#deps.ids.uuid(),
        source: body.source,
        format: body.format,
        imported_at_ms: nowMs,
        imported_by: by,
        withdrawn_at_ms: null,
        withdrawn_by: null,
      };
      await this.#deps.store.save(made, judged.fresh);
      const fresh = judged.fresh.map((row) => ({ ...row, importId: made.id, source: body.source }));
      for (const [service, spans] of Map.groupBy(fresh, (span) => span.service)) {
        await this.#put(service, [...(this.#standing.get(service) ?? []), ...spans], spans);
      }
      const services = [...new Set(fresh.map((span) => span.service))].sort();
      return { import: { ...made, rows: fresh.length, services }, taken: fresh.length, known: judged.known };
    });
  }

  /** Takes an import back. What it said stays on record, with who withdrew it. `AppError` `import_not_found`. */
  withdraw(id: string, by: string): Promise<void> {
    return this.#alone(async () => {
      if (!(await this.#deps.store.withdraw(id, by, this.#deps.clock.now()))) {
        throw new AppError('not_found', IMPORT_CODES.notFound, `there is no import ${id} that stands`);
      }
      for (const [service, spans] of this.#standing) {
        const gone = spans.filter((span) => span.importId === id);
        if (gone.length > 0)
          await this.#put(
            service,
            spans.filter((span) => span.importId !== id),
            gone,
          );
      }
    });
  }

  async #put(service: string, spans: readonly StoredSpan[], changed: readonly StoredSpan[]): Promise<void> {
    const ordered = spans.toSorted((a, b) => a.fromMs - b.fromMs);
    this.#standing.set(service, ordered);
    const fromMs = changed.reduce((least, span) => Math.min(least, span.fromMs), Number.POSITIVE_INFINITY) as EpochMs;
    const toMs = changed.reduce((most, span) => Math.max(most, span.toMs), 0) as EpochMs;
    await this.#deps.enforce(service, ordered, { fromMs, toMs });
  }
}

function readBody(body: ImportBody): ReadRows {
  switch (body.format) {
    case 'intervals':
      return readIntervals(body.rows);
    case 'csv':
      return readCsvIntervals(body.text);
    case 'uptime-kuma':
      return readUptimeKuma(body.text, { services: body.services, intervalMs: body.interval });
    case 'probe-success':
      return readProbeSuccess(body.text, { services: body.services, intervalMs: body.interval });
  }
}

function refusal(refused: readonly Refusal[]): AppError {
  const [first] = refused;
  const more = refused.length === 1 ? '' : `, and ${refused.length - 1} more`;
  return new AppError('bad_input', IMPORT_CODES.refused, `nothing was imported: row ${first?.row} ${first?.message}${more}`, {
    details: { refused: refused.slice(0, IMPORT_LIMITS.refusalsTold), refused_count: refused.length },
  });
}
