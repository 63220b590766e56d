import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Kysely } from 'kysely';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Actor } from '../platform/http/contract.ts';
import { findEntity, listEntities, retireEntity, updateEntity, upsertEntity } from '../platform/records/entities.ts';
import { appendEvent } from '../platform/records/events.ts';
import { createTurns } from '../platform/turns.ts';
import { hasTargets, shippedPolicies } from './choose.ts';
import {
  type Directory,
  ESCALATION_CODES,
  type EscalationConfig,
  type EscalationKnown,
  type PolicySpec,
  type PolicyView,
  SHIPPED_IDS,
  type StakeholderSpec,
  type StakeholderView,
  type Target,
  type WrittenPolicy,
  policySchema,
  unknownTarget,
  writtenPolicyOf,
  writtenTargetOf,
} from './contract.ts';
import { reach } from './reach.ts';

const KIND = 'escalation_policy';

/** A policy of the configuration file with the place that declares it, such as `nines.yml:12`. */
export type DeclaredPolicy = { readonly spec: PolicySpec; readonly place: string };
/** A policy in force: `origin` is `shipped`, `ui`, or its place in the file. */
type Standing = { readonly spec: PolicySpec; readonly origin: string; readonly revision: number };

export type PoliciesDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly bus: Bus;
  readonly directory: Directory;
  readonly channelIds: () => readonly string[];
  /** What is wrong with a way to reach somebody, by the channels there are now. */
  readonly contactFault: EscalationKnown['contactFault'];
  readonly config: () => EscalationConfig;
};

/** Which policies there are: the file's are the file's, those made through the API are changed here, and shipped ones give way to both. */
export class Policies {
  readonly #deps: PoliciesDeps;
  readonly #alone = createTurns();
  #declared: readonly DeclaredPolicy[] = [];
  #standing: ReadonlyMap<string, Standing> = new Map();
  #inForce: ReadonlyMap<string, PolicySpec> = new Map();

  constructor(deps: PoliciesDeps) {
    this.#deps = deps;
  }

  /** By id. */
  inForce(): ReadonlyMap<string, PolicySpec> {
    return this.#inForce;
  }

  /** Makes the file's policies the whole set of file-owned ones. An id that the file declares is the file's. */
  declare(declared: readonly DeclaredPolicy[]): Promise<void> {
    return this.#alone(async () => {
      this.#declared = declared;
      await this.#read();
    });
  }

  list(): readonly PolicyView[] {
    return [...this.#standing.values()].map((one) => this.#viewOf(one));
  }

  /** `AppError` `escalation_policy_not_found`. */
  get(id: string): PolicyView {
    return this.#viewOf(this.#find(id));
  }

  /** What a policy would be, with whom each level would tell now. `AppError` `escalation_policy_invalid`. */
  preview(spec: PolicySpec): PolicyView {
    this.#judge(spec);
    return this.#viewOf({ spec, origin: 'ui', revision: 0 });
  }

  /** `AppError` `escalation_policy_exists`, `escalation_policy_invalid`. A shipped policy is replaced. */
  create(spec: PolicySpec, actor: Actor): Promise<PolicyView> {
    return this.#alone(async () => {
      this.#judge(spec);
      const written = writtenPolicyOf(spec);
      const standing = this.#standing.get(spec.id);
      if (standing !== undefined && standing.origin !== 'shipped')
        throw new AppError('conflict', ESCALATION_CODES.exists, `there is an escalation policy "${spec.id}" already`, { field: 'id' });
      const { db, ids, clock } = this.#deps;
      const nowMs = clock.now();
      await db.transaction().execute(async (trx) => {
        const input = { kind: KIND, slug: spec.id, name: spec.name, origin: 'ui' as const, originPlace: '', spec: written };
        await upsertEntity(trx, input, { ids, nowMs });
        await this.#note(trx, 'created', { id: spec.id, actor, written });
      });
      await this.#read();
      return this.get(spec.id);
    });
  }

  /** `AppError` as for `create` and `remove`, and `revision_conflict` when it is no longer the one that was read. */
  update(id: string, { spec, revision }: { spec: PolicySpec; revision: number | undefined }, actor: Actor): Promise<PolicyView> {
    return this.#alone(async () => {
      this.#editable(id);
      this.#judge(spec);
      const written = writtenPolicyOf(spec);
      if (spec.id !== id) throw invalid('the id of a policy cannot change', 'id');
      const { db } = this.#deps;
      await db.transaction().execute(async (trx) => {
        const read = await findEntity(trx, KIND, id);
        if (read === undefined) throw notFound(id);
        await updateEntity(trx, { ...read, revision: revision ?? read.revision }, { name: spec.name, spec: written });
        await this.#note(trx, 'updated', { id, actor, written });
      });
      await this.#read();
      return this.get(id);
    });
  }

  /** Alerts keep the policy that they came to. `AppError` `escalation_policy_not_found`, `…_owned_by_file`, `…_shipped`, `…_used`. */
  remove(id: string, actor: Actor): Promise<void> {
    return this.#alone(async () => {
      this.#editable(id);
      const user = [...this.#inForce.values()].find(({ outside }) => typeof outside === 'object' && outside.policy === id);
      const severity = Object.entries(this.#deps.config().severities).find(([, policy]) => policy === id)?.[0];
      const isShipped = SHIPPED_IDS.some((one) => one === id);
      if (user !== undefined) throw used(`"${user.id}" hands over to it outside of its hours`);
      if (severity !== undefined && !isShipped) throw used(`alerts of severity ${severity} lead to it`);
      const { db, clock } = this.#deps;
      await db.transaction().execute(async (trx) => {
        await retireEntity(trx, { kind: KIND, slug: id }, clock.now());
        await this.#note(trx, 'removed', { id, actor, written: null });
      });
      await this.#read();
    });
  }

  /** Stakeholder routes, with whom each reaches now. */
  stakeholders(): readonly StakeholderView[] {
    return this.#deps.config().stakeholders.map((one) => this.#stakeholderOf(one));
  }

  async #read(): Promise<void> {
    const { db, config, bus, clock } = this.#deps;
    const standing = new Map<string, Standing>();
    for (const spec of shippedPolicies(config().contacts)) standing.set(spec.id, { spec, origin: 'shipped', revision: 0 });
    for (const { slug, spec, revision } of await listEntities(db, { kind: KIND })) {
      standing.set(slug, { spec: policySchema.parse(spec), origin: 'ui', revision });
    }
    for (const { spec, place } of this.#declared) standing.set(spec.id, { spec, origin: place, revision: 0 });
    this.#standing = standing;
    this.#inForce = new Map(Array.from(standing, ([id, { spec }]) => [id, spec]));
    bus.publish({ topic: 'alerts', type: 'escalation.policies', atMs: clock.now(), data: null });
  }

  #find(id: string): Standing {
    const found = this.#standing.get(id);
    if (found === undefined) throw notFound(id);
    return found;
  }

  #editable(id: string): void {
    const { origin } = this.#find(id);
    if (origin === 'ui') return;
    if (origin === 'shipped') {
      const message = `the policy "${id}" is shipped; make one with its id to replace it, or configure \`escalation.contacts\``;
      throw new AppError('conflict', ESCALATION_CODES.shipped, message);
    }
    throw new AppError('conflict', ESCALATION_CODES.ownedByFile, `the policy "${id}" is declared at ${origin} and is changed there`, {
      details: { place: origin },
    });
  }

  /** What an API call may write: the same as the file, and nothing that nobody declared. */
  #judge(spec: PolicySpec): void {
    const { directory, contactFault } = this.#deps;
    spec.levels.forEach(({ targets }, rung) => {
      targets.forEach((target, index) => {
        // People and schedules are asked for one at a time; what does not exist answers with nobody.
        const people = new Set(target.kind === 'person' && directory.person(target.person) !== undefined ? [target.person] : []);
        const schedules = new Set(target.kind === 'schedule' && directory.hasSchedule(target.schedule) ? [target.schedule] : []);
        const [fault] = unknownTarget(target, { contactFault, people, schedules });
        if (fault !== undefined) throw invalid(fault.message, ['levels', rung, 'targets', index, ...fault.path].join('.'));
      });
    });
    if (typeof spec.outside === 'object' && !this.#standing.has(spec.outside.policy))
      throw invalid(`there is no escalation policy "${spec.outside.policy}"`, 'outside');
  }

  async #note(
    trx: Parameters<typeof appendEvent>[0],
    what: 'created' | 'updated' | 'removed',
    { id, actor, written }: { id: string; actor: Actor; written: WrittenPolicy | null },
  ): Promise<void> {
    const { ids, clock } = this.#deps;
    const nowMs = clock.now();
    const data = { id, policy: written, actor: actor.name, actor_kind: actor.kind };
    const event = { kind: `escalation_policy.${what}`, dedupKey: ids.uuid(), atMs: nowMs, data, retentionClass: 'audit' as const };
    await appendEvent(trx, event, { ids, nowMs });
  }

  #reach(targets: readonly Target[]): Pick<PolicyView['levels'][number], 'targets' | 'reaches' | 'notes'> {
    const { directory, channelIds, clock } = this.#deps;
    const { recipients, notes } = reach(targets, { directory, channels: channelIds(), nowMs: clock.now() });
    return {
      targets: targets.map((one) => writtenTargetOf(one) as Record<string, string>),
      reaches: recipients.map((one) => ({ ...one })),
      notes: [...notes],
    };
  }

  #viewOf({ spec, origin, revision }: Standing): PolicyView {
    const { severities } = this.#deps.config();
    return {
      id: spec.id,
      name: spec.name,
      origin,
      revision,
      levels: spec.levels.map(({ after, targets }) => ({ after_ms: after, ...this.#reach(targets) })),
      repeat: { times: spec.repeat.times, every_ms: spec.repeat.every },
      hours: spec.hours ?? null,
      outside: spec.outside ?? null,
      severities: Object.entries(severities).flatMap(([severity, id]) => (id === spec.id ? [severity] : [])),
      applies: hasTargets(spec),
    };
  }

  #stakeholderOf({ id, audience, severities, matchers, after, targets }: StakeholderSpec): StakeholderView {
    return {
      id,
      audience,
      severities: [...severities],
      matchers: matchers.map(({ name, op, value }) => `${name}${op}${JSON.stringify(value)}`),
      after_ms: after,
      ...this.#reach(targets),
    };
  }
}

const notFound = (id: string): AppError => new AppError('not_found', ESCALATION_CODES.notFound, `there is no escalation policy "${id}"`);
const invalid = (message: string, field: string): AppError => new AppError('bad_input', ESCALATION_CODES.invalid, message, { field });
const used = (why: string): AppError => new AppError('conflict', ESCALATION_CODES.used, `the policy is in use: ${why}`);
