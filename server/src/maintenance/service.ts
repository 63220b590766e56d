import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { DAY_MS, type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import { createTurns } from '../platform/turns.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import {
  MAINTENANCE_CODES,
  type Maintenance,
  type MaintenanceSpec,
  type MaintenanceView,
  type Occurrence,
  type OccurrenceFilter,
  occurrenceToWire,
  overlapsOnce,
} from './contract.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import {
  type MaintenanceCorrection,
  type MaintenanceVersion,
  Plan,
  type Planned,
  corrected,
  isSamePlan,
  occurrencesOf,
} from './evaluate.ts';
import { insertCorrection, maintenanceCorrections, maintenanceVersions, saveMaintenance } from './store.ts';

/** How often `step` is to be called. */
export const MAINTENANCE_STEP_MS = 1_000;
/** How far ahead the next occurrence of a window is looked for. */
const HORIZON_MS = 366 * DAY_MS;

export type MaintenanceDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly bus: Bus;
  readonly services: Pick<ServiceCatalogue, 'get'>;
  /** Told after a window began or ended, so that alerts that it holds back are looked at again. */
  readonly onBoundary: () => Promise<void>;
  /** Told before whoever corrects a window is answered. */
  readonly onPastChanged: (service: string, span: Span) => Promise<void>;
};

/** A window of the configuration file with the place that declares it. */
export type DeclaredMaintenance = { readonly spec: MaintenanceSpec; readonly place: string };

/** Which windows are in force, and which ever were. The file's are the file's; those made through the API are changed here. */
export class MaintenanceService implements Maintenance {
  readonly #deps: MaintenanceDeps;
  readonly #alone = createTurns();
  #planned: readonly Planned[] = [];
  #corrections: readonly MaintenanceCorrection[] = [];
  #active = new Map<string, Occurrence>();

  constructor(deps: MaintenanceDeps) {
    this.#deps = deps;
  }

  /** Reads what was ever announced. To be called once, before anything else. */
  async load(): Promise<void> {
    this.#planned = (await maintenanceVersions(this.#deps.db)).map(planOf);
    this.#corrections = await maintenanceCorrections(this.#deps.db);
  }

  occurrences(filter: OccurrenceFilter): readonly Occurrence[] {
    return corrected(occurrencesOf(this.#planned, filter), this.#corrections, filter.knownAtMs);
  }

  /** Why alerts about a service are kept from people now; undefined when they are not. */
  holding(service: string, atMs: EpochMs): string | undefined {
    const held = this.occurrences({ service, fromMs: atMs, toMs: epochMs(atMs + 1) }).find((one) => one.suppressAlerts);
    return held === undefined ? undefined : `maintenance "${held.name}" until ${new Date(held.toMs).toISOString()}`;
  }

  list(): readonly MaintenanceView[] {
    const nowMs = this.#deps.clock.now();
    return this.#inForce()
      .map((planned) => viewOf(planned, nowMs))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** `AppError` `maintenance_not_found`. */
  get(id: string): MaintenanceView {
    return viewOf(this.#find(id), this.#deps.clock.now());
  }

  /** Makes the file's windows the whole set of file-owned ones. An id that the file declares is the file's. */
  declare(declared: readonly DeclaredMaintenance[]): Promise<void> {
    return this.#alone(async () => {
      const ids = new Set(declared.map(({ spec }) => spec.id));
      const gone = this.#inForce().filter(({ version }) => version.place !== '' && !ids.has(version.spec.id));
      await this.#change({ gone, next: declared });
    });
  }

  /** `AppError` `maintenance_exists`, `maintenance_invalid`. */
  create(spec: MaintenanceSpec): Promise<MaintenanceView> {
    return this.#alone(async () => {
      if (this.#inForce().some(({ version }) => version.spec.id === spec.id)) {
        throw new AppError('conflict', MAINTENANCE_CODES.exists, `there is a maintenance "${spec.id}" already`, { field: 'id' });
      }
      this.#judge(spec);
      await this.#change({ gone: [], next: [{ spec, place: '' }] });
      return this.get(spec.id);
    });
  }

  /** Another schedule or other services are announced anew. `AppError` as for `create` and `remove`. */
  update(id: string, spec: MaintenanceSpec): Promise<MaintenanceView> {
    return this.#alone(async () => {
      this.#editable(id);
      if (spec.id !== id) throw new AppError('bad_input', MAINTENANCE_CODES.invalid, 'the id of a window cannot change', { field: 'id' });
      this.#judge(spec);
      await this.#change({ gone: [], next: [{ spec, place: '' }] });
      return this.get(id);
    });
  }

  /** Ends a window now; what it was until now stays. `AppError` `maintenance_not_found`, `maintenance_owned_by_file`. */
  remove(id: string): Promise<void> {
    return this.#alone(() => this.#change({ gone: [this.#editable(id)], next: [] }));
  }

  /**
   * Says afterwards that within a span nobody worked on account of a window, also of one that is over or the file's. What was known before
   * can be asked again. `AppError` `maintenance_not_found`, `maintenance_invalid`.
   */
  correct(id: string, { fromMs, toMs, note, by }: Span & { readonly note: string; readonly by: string }): Promise<readonly Occurrence[]> {
    return this.#alone(async () => {
      const { db, clock, ids, onPastChanged } = this.#deps;
      const nowMs = clock.now();
      const refuse = (message: string): never => {
        throw new AppError('bad_input', MAINTENANCE_CODES.invalid, message, { field: 'from' });
      };
      if (!this.#planned.some(({ version }) => version.spec.id === id))
        throw new AppError('not_found', MAINTENANCE_CODES.notFound, `there is no maintenance "${id}"`);
      if (fromMs >= toMs || toMs > nowMs) refuse('from must be before to, and to not later than now: what is to come is changed or ended');
      const concerned = this.occurrences({ fromMs, toMs }).filter(({ window }) => window === id);
      if (concerned.length === 0) refuse(`the maintenance "${id}" was not in force then`);
      const correction = { window: id, fromMs, toMs, recordedAtMs: nowMs };
      await insertCorrection(db, correction, { id: ids.uuid(), note, by });
      this.#corrections = [...this.#corrections, correction];
      for (const service of new Set(concerned.flatMap(({ services }) => services))) await onPastChanged(service, { fromMs, toMs });
      return concerned;
    });
  }

  /** Tells of windows that began or ended. Steps must not overlap. */
  async step(nowMs: EpochMs): Promise<void> {
    const active = this.occurrences({ fromMs: nowMs, toMs: epochMs(nowMs + 1) });
    const before = this.#active;
    this.#active = new Map(active.map((one) => [`${one.window} ${one.plannedFromMs}`, one]));
    const began = [...this.#active].filter(([key]) => !before.has(key));
    const ended = [...before].filter(([key]) => !this.#active.has(key));
    for (const [, one] of began) this.#publish('began', occurrenceToWire(one), nowMs);
    for (const [, one] of ended) this.#publish('ended', occurrenceToWire(one), nowMs);
    if (began.length + ended.length > 0) await this.#deps.onBoundary();
  }

  #inForce(): readonly Planned[] {
    return this.#planned.filter(({ version }) => version.endedAtMs === null);
  }

  #find(id: string): Planned {
    const found = this.#inForce().find(({ version }) => version.spec.id === id);
    if (found === undefined) throw new AppError('not_found', MAINTENANCE_CODES.notFound, `there is no maintenance "${id}"`);
    return found;
  }

  #editable(id: string): Planned {
    const found = this.#find(id);
    const { place } = found.version;
    if (place === '') return found;
    throw new AppError('conflict', MAINTENANCE_CODES.ownedByFile, `the maintenance "${id}" is declared at ${place} and is changed there`, {
      details: { place },
    });
  }

  #judge(spec: MaintenanceSpec): void {
    const refuse = (message: string, field: string): never => {
      throw new AppError('bad_input', MAINTENANCE_CODES.invalid, message, { field });
    };
    const unknown = spec.services.find((id) => this.#deps.services.get(id) === undefined);
    if (unknown !== undefined) refuse(`there is no service "${unknown}"`, 'services');
    const other = this.#inForce().find(({ version }) => version.spec.id !== spec.id && overlapsOnce(version.spec, spec));
    if (other !== undefined) refuse(`the maintenance overlaps "${other.version.spec.id}" for one of its services`, 'from');
    const { schedule } = spec;
    if (schedule.kind === 'once' && schedule.to_at_ms <= this.#deps.clock.now()) {
      refuse('the maintenance lies in the past; time that is over is taken out of a contract by an exclusion', 'to');
    }
  }

  async #change(change: { readonly gone: readonly Planned[]; readonly next: readonly DeclaredMaintenance[] }): Promise<void> {
    const { db, clock, ids } = this.#deps;
    const nowMs = clock.now();
    const ended = change.gone.map(({ version }) => ({ ...version, endedAtMs: nowMs }));
    const recorded: MaintenanceVersion[] = [];
    for (const { spec, place } of change.next) {
      const before = this.#inForce().find(({ version }) => version.spec.id === spec.id)?.version;
      if (before !== undefined && before.place === place && JSON.stringify(before.spec) === JSON.stringify(spec)) continue;
      if (before !== undefined) ended.push({ ...before, endedAtMs: nowMs });
      const announcedAtMs = before !== undefined && isSamePlan(before.spec, spec) ? before.announcedAtMs : nowMs;
      recorded.push({ id: ids.uuid(), spec, place, announcedAtMs, recordedAtMs: nowMs, endedAtMs: null });
    }
    if (ended.length + recorded.length === 0) return;
    await saveMaintenance(db, { ended, recorded });
    const endedIds = new Map(ended.map((version) => [version.id, version]));
    this.#planned = [
      ...this.#planned.map(({ version, plan }) => ({ version: endedIds.get(version.id) ?? version, plan })),
      ...recorded.map(planOf),
    ];
    for (const version of recorded) this.#publish('announced', viewOf(planOf(version), nowMs), nowMs);
  }

  #publish(what: 'announced' | 'began' | 'ended', data: unknown, atMs: EpochMs): void {
    this.#deps.bus.publish({ topic: 'services', type: `maintenance.${what}`, atMs, data });
  }
}

const planOf = (version: MaintenanceVersion): Planned => ({ version, plan: new Plan(version.spec) });

function viewOf(planned: Planned, nowMs: EpochMs): MaintenanceView {
  const { spec, place, announcedAtMs } = planned.version;
  const next = occurrencesOf([planned], { fromMs: nowMs, toMs: epochMs(nowMs + HORIZON_MS) })[0];
  return {
    id: spec.id,
    name: spec.name,
    services: [...spec.services],
    suppress_alerts: spec.suppress_alerts,
    schedule: spec.schedule,
    announced_at_ms: announcedAtMs,
    next: next === undefined ? null : occurrenceToWire(next),
    active: next !== undefined && next.fromMs <= nowMs,
    origin: place === '' ? 'ui' : place,
  };
}
