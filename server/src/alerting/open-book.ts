import type { AlertRecord } from './evaluate.ts';

/** Newest start first, then by id, as every list of alerts is sorted. */
const newestFirst = (a: AlertRecord, b: AlertRecord): number => b.startsAtMs - a.startsAtMs || (a.id < b.id ? 1 : -1);

/**
 * The alerts that are open, by rule, by id and in the order of their lists. Always equal to what the database has, but for
 * newer values. A newer value costs nothing to the order: it is made again only when alerts came.
 */
export class OpenBook {
  readonly #byRule = new Map<string, Map<string, AlertRecord>>();
  readonly #byId = new Map<string, AlertRecord>();
  #order: readonly string[] | undefined;

  get size(): number {
    return this.#byId.size;
  }

  /** By fingerprint. */
  ofRule(rule: string): ReadonlyMap<string, AlertRecord> {
    return this.#byRule.get(rule) ?? new Map<string, AlertRecord>();
  }

  find(id: string): AlertRecord | undefined {
    return this.#byId.get(id);
  }

  records(): IterableIterator<AlertRecord> {
    return this.#byId.values();
  }

  /** Newest start first. */
  *newestFirst(): Generator<AlertRecord> {
    // What came last stands last in the map: the reverse is nearly sorted already.
    this.#order ??= [...this.#byId.values()]
      .reverse()
      .sort(newestFirst)
      .map(({ id }) => id);
    for (const id of this.#order) {
      const record = this.#byId.get(id);
      if (record !== undefined) yield record;
    }
  }

  keep(record: AlertRecord): void {
    const ofRule = this.#byRule.get(record.rule);
    if (ofRule === undefined) this.#byRule.set(record.rule, new Map([[record.fingerprint, record]]));
    else ofRule.set(record.fingerprint, record);
    if (this.#byId.get(record.id)?.startsAtMs !== record.startsAtMs) this.#order = undefined;
    this.#byId.set(record.id, record);
  }

  forget(record: AlertRecord): void {
    const ofRule = this.#byRule.get(record.rule);
    if (ofRule?.get(record.fingerprint)?.id === record.id) ofRule.delete(record.fingerprint);
    if (ofRule?.size === 0) this.#byRule.delete(record.rule);
    this.#byId.delete(record.id);
  }

  /** Everything anew. */
  replace(records: readonly AlertRecord[]): void {
    this.#byRule.clear();
    this.#byId.clear();
    this.#order = undefined;
    for (const record of records) this.keep(record);
  }
}
