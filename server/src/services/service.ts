import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Kysely, Transaction } from 'kysely';
import type { ServicePlan } from '../availability/contract.ts';
import { CHECK_CODES, type CheckSpec, type ParsedCheck, SERVER_LOCATION, toSpec } from '../checks/contract.ts';
import type { Bus } from '../platform/bus.ts';
import { type Judge, judgeAddress, type Trust } from '../platform/fetch/judge.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Entity } from '../platform/records/contract.ts';
import { findEntity, listEntities, retireEntity, upsertEntity } from '../platform/records/entities.ts';
import type { Secrets } from '../platform/secrets/contract.ts';
import { refuseStandIns } from '../platform/secrets/leaves.ts';
import { createTurns } from '../platform/turns.ts';
import { SERVICE_CODES, type ServiceCatalogue, type ServiceEntry, type ServiceSpec } from './contract.ts';
import { ruleOf } from './composite.ts';
import { dependenciesOf, judgeServices, judgeTargets } from './evaluate.ts';
import { SERVICE_KIND, readKept, sealKept, writtenToKeep } from './kept.ts';
import { ownLabelsOf, withSecretsOf, writtenOf } from './written.ts';

export const CHECK_KIND = 'check';

/** A service of the configuration file with the place that declared it, such as `nines.yml:12`. */
export type DeclaredService = { readonly spec: ServiceSpec; readonly place: string };

export type ServicesDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly secrets: Secrets;
  /** Where checks may ask; what holds without a policy by default. */
  readonly judge?: Judge;
  readonly judgeAtAgents?: Judge;
  /** Puts the whole set of checks in force, ledger first. Called after every change, when it is durable. */
  readonly enforce: (inForce: { readonly plans: readonly ServicePlan[]; readonly specs: readonly CheckSpec[] }) => Promise<void>;
};

/** Who made a service in the UI or API decides where its checks may go. */
export type Maker = Extract<Trust, 'administrator' | 'operator'>;
type Standing = { readonly entry: ServiceEntry; readonly spec: ServiceSpec; readonly trust: Trust };

/** What is watched. The file's services are the file's; those made through the API are changed here. Changes come one after the other. */
export class Services implements ServiceCatalogue {
  readonly #deps: ServicesDeps;
  #standing = new Map<string, Standing>();
  /** By id; made anew with each change, so that reading a thousand services sorts nothing. */
  #list: readonly ServiceEntry[] = [];
  #dependents = new Map<string, string[]>();
  /** What stands in the place of secrets that cannot be read. */
  readonly #standIns = new Set<string>();
  readonly #alone = createTurns();

  constructor(deps: ServicesDeps) {
    this.#deps = deps;
  }

  list(): readonly ServiceEntry[] {
    return this.#list;
  }

  get(id: string): ServiceEntry | undefined {
    return this.#standing.get(id)?.entry;
  }

  /** The declaration, as it was parsed. */
  specOf(id: string): ServiceSpec | undefined {
    return this.#standing.get(id)?.spec;
  }

  dependents(id: string): readonly string[] {
    return this.#dependents.get(id) ?? [];
  }

  /**
   * Makes the file's services the whole set of file-owned ones and puts those made through the API in force beside them. Where both
   * claim an id the file wins, and what an API-made service refers to and is no longer there is left out; both are logged.
   */
  declare(declared: readonly DeclaredService[]): Promise<void> {
    return this.#alone(async () => {
      const nowMs = this.#deps.clock.now();
      const next = await this.#deps.db.transaction().execute(async (trx) => {
        await sealKept(trx, this.#deps.secrets);
        const known = await listEntities(trx, { kind: SERVICE_KIND });
        const ids = new Set(declared.map(({ spec }) => spec.id));
        const standing: Standing[] = [];
        for (const entity of known) {
          if (ids.has(entity.slug) && entity.origin === 'ui') await this.#takeOver(trx, entity, nowMs);
          if (!ids.has(entity.slug) && entity.origin === 'file') await retireEntity(trx, { kind: SERVICE_KIND, slug: entity.slug }, nowMs);
        }
        for (const { spec, place } of declared) standing.push(await this.#store(trx, { spec, made: { place }, nowMs }));
        const made = known.filter((entity) => entity.origin === 'ui' && !ids.has(entity.slug));
        const all = [...standing, ...this.#fitting(made, standing)];
        await this.#retireUnused(trx, all, nowMs);
        return all;
      });
      await this.#putInForce(next);
    });
  }

  /** Makes a service. `AppError` `service_exists` when the id is taken, `service_invalid` when it contradicts the others. */
  create(spec: ServiceSpec, by: Maker = 'operator'): Promise<ServiceEntry> {
    return this.#alone(async () => {
      const taken = this.#standing.get(spec.id);
      if (taken !== undefined) {
        throw new AppError('conflict', SERVICE_CODES.exists, `there is a service "${spec.id}" already`, { field: 'id' });
      }
      return this.#replace(spec, by);
    });
  }

  /** Replaces the declaration of a service made through the API; from now on it is who replaced it that made it. Its history goes on. */
  update(id: string, spec: ServiceSpec, by: Maker = 'operator'): Promise<ServiceEntry> {
    return this.#alone(async () => {
      this.#editable(id);
      if (spec.id !== id) throw new AppError('bad_input', SERVICE_CODES.invalid, 'the id of a service cannot change', { field: 'id' });
      const before = this.specOf(id);
      return this.#replace(before === undefined ? spec : withSecretsOf(before, spec), by);
    });
  }

  /**
   * Stops a check of a service made through the API from asking, or lets it go on; while it is paused its time is unknown. `AppError`
   * `check_not_found`, `service_owned_by_file`.
   */
  setPaused(check: string, paused: boolean): Promise<void> {
    return this.#alone(async () => {
      const standing = [...this.#standing.values()].find(({ spec }) => spec.checks.some(({ id }) => id === check));
      if (standing === undefined) throw new AppError('not_found', CHECK_CODES.notFound, `there is no check "${check}"`);
      this.#editable(standing.entry.id);
      const { spec, trust } = standing;
      if (spec.checks.some(({ id, paused: now }) => id === check && now === paused)) return;
      await this.#replace({ ...spec, checks: spec.checks.map((one) => (one.id === check ? { ...one, paused } : one)) }, trust);
    });
  }

  /** Retires a service made through the API; its history stays. `AppError` `service_invalid` while others depend on it. */
  remove(id: string): Promise<void> {
    return this.#alone(async () => {
      this.#editable(id);
      const dependents = this.dependents(id);
      if (dependents.length > 0) {
        throw new AppError('conflict', SERVICE_CODES.invalid, `"${id}" cannot go: ${dependents.join(', ')} depend on it`);
      }
      const left = [...this.#standing.values()].filter(({ entry }) => entry.id !== id);
      const nowMs = this.#deps.clock.now();
      await this.#deps.db.transaction().execute(async (trx) => {
        await retireEntity(trx, { kind: SERVICE_KIND, slug: id }, nowMs);
        await this.#retireUnused(trx, left, nowMs);
      });
      await this.#putInForce(left);
    });
  }

  async #replace(spec: ServiceSpec, trust: Trust): Promise<ServiceEntry> {
    refuseStandIns(spec.checks, this.#standIns);
    const others = [...this.#standing.values()].filter(({ entry }) => entry.id !== spec.id);
    const refused = judgeTargets(spec.checks, (address, host, check) => this.#judgeOf(check)(address, trust, host));
    if (refused !== undefined) throw invalid(refused.path, refused.message);
    const [contradiction] = judgeServices([...others.map((one) => one.spec), spec]);
    if (contradiction !== undefined) throw invalid(contradiction.path.slice(1), contradiction.message);
    const nowMs = this.#deps.clock.now();
    const made = await this.#deps.db.transaction().execute(async (trx) => {
      const stored = await this.#store(trx, { spec, made: trust, nowMs });
      await this.#retireUnused(trx, [...others, stored], nowMs);
      return stored;
    });
    await this.#putInForce([...others, made]);
    return made.entry;
  }

  /** Of where the check asks from: agents have a policy of their own. */
  #judgeOf(check: ParsedCheck): Judge {
    const { judge = judgeAddress, judgeAtAgents = judge } = this.#deps;
    return 'locations' in check && check.locations?.includes(SERVER_LOCATION) === false ? judgeAtAgents : judge;
  }

  #editable(id: string): void {
    const entry = this.get(id);
    if (entry === undefined) throw new AppError('not_found', SERVICE_CODES.notFound, `there is no service "${id}"`);
    if (entry.origin.kind !== 'file') return;
    const { place } = entry.origin;
    throw new AppError(
      'conflict',
      SERVICE_CODES.ownedByFile,
      `the service "${id}" is declared at ${place} and is changed there; save it as a copy to change it here`,
      { details: { place } },
    );
  }

  /** Saves the service and its checks as entities. `made`: where in the file, or by whom. */
  async #store(
    trx: Transaction<Database>,
    { spec, made, nowMs }: { readonly spec: ServiceSpec; readonly made: { readonly place: string } | Trust; readonly nowMs: EpochMs },
  ): Promise<Standing> {
    const { ids } = this.#deps;
    const inFile = typeof made === 'object';
    const origin = inFile
      ? ({ origin: 'file', originPlace: made.place } as const)
      : ({ origin: 'ui', originPlace: made === 'administrator' ? made : '' } as const);
    const name = spec.name ?? spec.id;
    // What is in the file is read from the file; only what was made through the API must be found here again, secrets included.
    const written = inFile ? writtenOf(spec, 'redacted') : writtenToKeep(this.#deps.secrets, spec);
    const entity = await upsertEntity(trx, { kind: SERVICE_KIND, slug: spec.id, name, ...origin, spec: written }, { ids, nowMs });
    for (const check of spec.checks) {
      const known = await findEntity(trx, CHECK_KIND, check.id);
      // A check follows its service: when the other side owned it before, that one has let go of it by now.
      if (known !== undefined && known.retiredAtMs === null && known.origin !== origin.origin) {
        await retireEntity(trx, { kind: CHECK_KIND, slug: check.id }, nowMs);
      }
      const input = {
        kind: CHECK_KIND,
        slug: check.id,
        name: check.name ?? check.id,
        ...origin,
        spec: { service: spec.id, kind: check.kind },
      };
      await upsertEntity(trx, input, { ids, nowMs });
    }
    return { spec, entry: entryOf(entity, spec), trust: trustOf(entity) };
  }

  /** Retires the checks that no service has any more. */
  async #retireUnused(trx: Transaction<Database>, standing: readonly Standing[], nowMs: EpochMs): Promise<void> {
    const used = new Set(standing.flatMap(({ spec }) => spec.checks.map((check) => check.id)));
    for (const check of await listEntities(trx, { kind: CHECK_KIND })) {
      if (!used.has(check.slug)) await retireEntity(trx, { kind: CHECK_KIND, slug: check.slug }, nowMs);
    }
  }

  async #takeOver(trx: Transaction<Database>, entity: Entity, nowMs: EpochMs): Promise<void> {
    this.#deps.logger.warn('the configuration file takes the place of a service made in the UI', { service: entity.slug });
    await retireEntity(trx, { kind: SERVICE_KIND, slug: entity.slug }, nowMs);
  }

  /** API-made services beside the file's, without what the file has taken away. */
  #fitting(made: readonly Entity[], standing: readonly Standing[]): readonly Standing[] {
    const fitting: Standing[] = [];
    const ids = new Set([...standing.map(({ entry }) => entry.id), ...made.map((entity) => entity.slug)]);
    const checks = new Set(standing.flatMap(({ spec }) => spec.checks.map((check) => check.id)));
    for (const entity of made) {
      const known = readKept(this.#deps.secrets, entity);
      if (known === undefined) {
        this.#deps.logger.error('a service made in the UI cannot be read and is left out', { service: entity.slug });
        continue;
      }
      for (const standIn of known.standIns) this.#standIns.add(standIn);
      const kept = known.spec.checks.filter((check) => !checks.has(check.id));
      const whole: ServiceSpec = { ...known.spec, depends_on: known.spec.depends_on.filter((id) => ids.has(id)), checks: kept };
      const judged = [...standing, ...fitting].map((one) => one.spec);
      const candidates = [whole, { ...whole, composite: undefined }, { ...whole, depends_on: [] }];
      const fits = (one: ServiceSpec): boolean => judgeServices([...judged, one], [...ids]).length === 0;
      const spec = candidates.find(fits) ?? { ...whole, depends_on: [], composite: undefined };
      if (JSON.stringify(spec) !== JSON.stringify(known.spec)) {
        this.#deps.logger.warn('a service made in the UI refers to what is not there; that part is left out', { service: entity.slug });
      }
      for (const check of kept) checks.add(check.id);
      fitting.push({ spec, entry: entryOf(entity, spec), trust: trustOf(entity) });
    }
    return fitting;
  }

  async #putInForce(standing: readonly Standing[]): Promise<void> {
    this.#standing = new Map(standing.map((one) => [one.entry.id, one]));
    this.#list = standing.map(({ entry }) => entry).sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#dependents = new Map(this.#list.map(({ id }) => [id, []]));
    for (const { id, dependsOn } of this.#list) for (const parent of new Set(dependsOn)) this.#dependents.get(parent)?.push(id);
    const specs = standing.flatMap(({ spec, entry, trust }) =>
      spec.checks.map((check) => toSpec(check, { service: entry.id, trust, labels: entry.labels })),
    );
    const byService = Map.groupBy(specs, (spec) => spec.service);
    const plans = standing.map(({ entry, spec }) => ({
      service: entry.id,
      checks: (byService.get(entry.id) ?? []).filter((spec) => !spec.paused),
      ...(entry.composite === undefined ? {} : { composite: entry.composite }),
      ...(spec.down_when === 'any' ? {} : { downAt: spec.down_when === 'all' ? Number.MAX_SAFE_INTEGER : spec.down_when.at_least }),
    }));
    await this.#deps.enforce({ plans, specs });
    this.#deps.bus.publish({ topic: 'config', type: 'services.changed', atMs: this.#deps.clock.now(), data: { count: standing.length } });
  }
}

const invalid = (path: readonly (string | number)[], message: string): AppError =>
  new AppError('bad_input', SERVICE_CODES.invalid, message, path.length === 0 ? {} : { field: path.join('.') });

const trustOf = ({ origin, originPlace }: Entity): Trust =>
  origin === 'file' ? 'trusted' : originPlace === 'administrator' ? 'administrator' : 'operator';

const entryOf = (entity: Entity, spec: ServiceSpec): ServiceEntry => ({
  entityId: entity.id,
  id: spec.id,
  name: spec.name ?? spec.id,
  owner: spec.owner,
  labels: ownLabelsOf(spec),
  teamId: entity.teamId,
  tier: spec.tier,
  description: spec.description,
  runbook: spec.runbook,
  tags: spec.tags,
  dependsOn: dependenciesOf(spec),
  ...(spec.composite === undefined ? {} : { composite: ruleOf(spec.composite) }),
  suppressWhenParentDown: spec.suppress_when_parent_down,
  checks: spec.checks.map((check) => check.id),
  origin: entity.origin === 'file' ? { kind: 'file', place: entity.originPlace } : { kind: 'ui' },
});
