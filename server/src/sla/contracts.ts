import { canonicalJson, type Json } from '@nines/base/canonical-json.ts';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { Database } from '../platform/db/schema.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import { listEntities, retireEntity, upsertEntity } from '../platform/records/entities.ts';
import type { Origin, ServiceCatalogue } from '../services/contract.ts';
import type { BookEntry, SlaBook } from './book.ts';
import { SLA_CODES } from './contract.ts';
import { type SlaSpec, termsOf } from './spec.ts';
import { sliceRuns } from './slice-store.ts';
import { type ContractVersion, addContract, contractVersions, newestContracts } from './store.ts';

const KIND = 'sla';

/** A spec with the place in the configuration file that declared it, such as `nines.yml:12`. */
export type DeclaredSla = { readonly spec: SlaSpec; readonly place: string };

export type SlaContractsDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly book: SlaBook;
  readonly services: Pick<ServiceCatalogue, 'get'>;
  /** Called after the set of SLAs changed. */
  readonly onChange: () => void;
};

/**
 * Which SLAs are in force, and under which terms. Terms are never changed in place: other terms are another version, in force
 * from now on. SLAs of the configuration file are changed there alone; those made through the API are changed here.
 */
export class SlaContracts {
  readonly #deps: SlaContractsDeps;

  constructor(deps: SlaContractsDeps) {
    this.#deps = deps;
  }

  /** Makes the configuration file's SLAs the whole set of file-owned ones, and puts those made through the API in force. */
  async declare(declared: readonly DeclaredSla[]): Promise<void> {
    const nowMs = this.#deps.clock.now();
    const known = await listEntities(this.#deps.db, { kind: KIND });
    const declaredIds = new Set(declared.map(({ spec }) => spec.id));
    // An id that the file declares belongs to the file: what was made under it in the UI ends, its history goes on.
    for (const entity of known) if (entity.origin === 'ui' && declaredIds.has(entity.slug)) await this.#retire(entity.slug, nowMs);
    const newest = new Map((await newestContracts(this.#deps.db)).map((contract) => [contract.sla, contract]));
    const inForce = new Map(known.map((entity) => [entity.slug, entity]));
    for (const { spec, place } of declared) {
      const [entity, contract] = [inForce.get(spec.id), newest.get(spec.id)];
      // At most starts nothing has changed, and a thousand SLAs should not cost a thousand transactions.
      const same = entity?.origin === 'file' && entity.originPlace === place && entity.name === spec.name;
      if (same && contract !== undefined && sameTerms(contract.spec, spec))
        await this.#put({ entityId: entity.id, contract, origin: { kind: 'file', place } }, nowMs);
      else await this.#enforce(spec, { kind: 'file', place }, nowMs);
    }
    for (const entity of known) {
      if (declaredIds.has(entity.slug)) continue;
      if (entity.origin === 'file') await this.#retire(entity.slug, nowMs);
      else await this.#enforce(entity.spec as SlaSpec, { kind: 'ui' }, nowMs);
    }
    this.#deps.onChange();
  }

  /** SLAs in force about a service, by id. */
  about(service: string): readonly string[] {
    const specs = this.#deps.book.entries().map(({ contract }) => contract.spec);
    return specs.filter((spec) => spec.service === service).map(({ id }) => id);
  }

  /** Makes an SLA through the API. `AppError` `sla_exists` when the id is taken, `sla_invalid` for an unknown service. */
  async create(spec: SlaSpec): Promise<void> {
    if (this.#deps.book.get(spec.id) !== undefined) {
      throw new AppError('conflict', SLA_CODES.exists, `there is an SLA "${spec.id}" already`, { field: 'id' });
    }
    this.#judge(spec);
    await this.#enforce(spec, { kind: 'ui' }, this.#deps.clock.now());
    this.#deps.onChange();
  }

  /** Gives an SLA other terms from now on. */
  async update(id: string, spec: SlaSpec): Promise<void> {
    this.#editable(id);
    if (spec.id !== id) throw new AppError('bad_input', SLA_CODES.invalid, 'the id of an SLA cannot change', { field: 'id' });
    this.#judge(spec);
    await this.#enforce(spec, { kind: 'ui' }, this.#deps.clock.now());
    this.#deps.onChange();
  }

  /** Ends an SLA; its history stays. */
  async remove(id: string): Promise<void> {
    this.#editable(id);
    await this.#retire(id, this.#deps.clock.now());
    this.#deps.onChange();
  }

  #editable(id: string): void {
    const entry = this.#deps.book.get(id);
    if (entry === undefined) throw new AppError('not_found', SLA_CODES.notFound, `there is no SLA "${id}"`);
    if (entry.origin.kind !== 'file') return;
    const message = `the SLA "${id}" is declared at ${entry.origin.place} and is changed there; save it as a copy to change it here`;
    throw new AppError('conflict', SLA_CODES.ownedByFile, message, { details: { place: entry.origin.place } });
  }

  #judge(spec: SlaSpec): void {
    if (this.#deps.services.get(spec.service) === undefined) {
      throw new AppError('bad_input', SLA_CODES.invalid, `there is no service "${spec.service}"`, { field: 'service' });
    }
  }

  async #enforce(spec: SlaSpec, origin: Origin, nowMs: EpochMs): Promise<void> {
    const { db, ids } = this.#deps;
    const made = await db.transaction().execute(async (trx) => {
      const input = { kind: KIND, slug: spec.id, name: spec.name, origin: origin.kind, spec };
      const entity = await upsertEntity(trx, { ...input, originPlace: origin.kind === 'file' ? origin.place : '' }, { ids, nowMs });
      return { entity, contract: await this.#version(trx, spec, nowMs) };
    });
    await this.#put({ entityId: made.entity.id, origin, contract: made.contract }, nowMs);
  }

  /** Puts an SLA in force with the verdicts of its window. */
  async #put(entry: Pick<BookEntry, 'entityId' | 'origin' | 'contract'>, nowMs: EpochMs): Promise<void> {
    const terms = termsOf(entry.contract.spec);
    const isSliced = terms.spec.indicator.kind !== 'availability';
    const runs = isSliced ? await sliceRuns(this.#deps.db, terms.spec.id, nowMs - terms.windowMs - terms.lookbackMs) : [];
    this.#deps.book.put({ ...entry, terms }, runs);
  }

  /** The version whose terms are `spec`: the newest one, or one more when its terms differ. */
  async #version(db: Kysely<Database>, spec: SlaSpec, nowMs: EpochMs): Promise<ContractVersion> {
    const newest = (await contractVersions(db, spec.id)).at(-1);
    if (newest !== undefined && sameTerms(newest.spec, spec)) return newest;
    const contract: ContractVersion = {
      id: this.#deps.ids.uuid(),
      sla: spec.id,
      version: (newest?.version ?? 0) + 1,
      teamId: DEFAULT_TEAM,
      spec,
      effectiveFromMs: nowMs,
      recordedAtMs: nowMs,
    };
    await addContract(db, contract);
    return contract;
  }

  async #retire(id: string, nowMs: EpochMs): Promise<void> {
    await retireEntity(this.#deps.db, { kind: KIND, slug: id }, nowMs);
    this.#deps.book.remove(id);
  }
}

const sameTerms = (a: SlaSpec, b: SlaSpec): boolean => canonicalJson(a as unknown as Json) === canonicalJson(b as unknown as Json);
