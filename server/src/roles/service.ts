import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { type Permits, type RoleSpec, SHIPPED_ROLES, beyond, heldBy, permitsOf } from '../access/contract.ts';
import type { AuditEntry, RecordAudit } from '../audit/contract.ts';
import type { Db } from '../platform/db/open.ts';
import type { Actor } from '../platform/http/contract.ts';
import { findEntity, listEntities, retireEntity, retireMissing, updateEntity, upsertEntity } from '../platform/records/entities.ts';
import { createTurns } from '../platform/turns.ts';
import { type DeclaredRole, type Holder, ROLE_CODES, type RoleBody, type RoleBook, type RoleView, roleBody, roleOf } from './contract.ts';

const KIND = 'role';
/** What the file declared when it was last read, so that what it changes shows, also over a restart. */
const DECLARED = 'declared_role';
const FILE: AuditEntry['actor'] = { kind: 'system', id: 'configuration', name: 'configuration file', role: 'administrator' };
const MAX_MADE = 200;
/** A change made by another process on the same database is known here at most this much later. */
const FRESH_MS = 5 * SECOND_MS;

type By = Pick<Actor, 'role' | 'permits'>;

/** A role in force. */
type RoleInForce = {
  readonly role: RoleSpec;
  readonly written: Pick<RoleBody, 'teams' | 'scope'>;
  readonly origin: string;
  readonly revision: number;
};

export type RolesDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  /** People and tokens with their roles. */
  readonly holders: () => Promise<readonly Holder[]>;
};

const SHIPPED: readonly RoleInForce[] = SHIPPED_ROLES.map((role) => ({
  role,
  written: { teams: [], scope: '' },
  origin: 'shipped',
  revision: 0,
}));

/** Which roles there are: the shipped ones, those that the file declares, and those made through the API. */
export class Roles implements RoleBook {
  readonly #deps: RolesDeps;
  readonly #alone = createTurns();
  #declared: readonly DeclaredRole[] = [];
  #inForce: ReadonlyMap<string, RoleInForce> = new Map(SHIPPED.map((one) => [one.role.id, one]));
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: RolesDeps) {
    this.#deps = deps;
  }

  /** Makes the file's roles the whole set of declared ones. Holders of one that is gone are left with nothing. */
  declare(declared: readonly DeclaredRole[]): Promise<void> {
    return this.#alone(async () => {
      this.#declared = declared;
      await this.#read();
    });
  }

  /** Writes what the file changed about its roles into the audit log, as if somebody had done it by hand. Call it before `declare`. */
  recordDeclared(declared: readonly DeclaredRole[]): Promise<void> {
    const { db, ids, clock, record } = this.#deps;
    return this.#alone(() =>
      db.kysely.transaction().execute(async (trx) => {
        const about = (id: string) => ({ actor: FILE, object: { kind: 'roles', id }, phase: 'done' as const });
        for (const { spec, place } of declared) {
          // Whoever held a role that was gone for a while holds it again.
          const known = (await findEntity(trx, DECLARED, spec.id)) ?? (await findEntity(trx, KIND, spec.id));
          const input = { kind: DECLARED, slug: spec.id, name: spec.name, origin: 'file' as const, originPlace: '', spec };
          const { spec: written } = await upsertEntity(trx, input, { ids, nowMs: clock.now() });
          const before = known?.retiredAtMs === null ? known.spec : known && { ...(known.spec as object), permits: {} };
          if (JSON.stringify(before) === JSON.stringify(written)) continue;
          const action = known === undefined ? 'role.created' : 'role.changed';
          await record(trx, { ...about(spec.id), action, ...(before !== undefined && { before }), after: written, asked: { place } });
        }
        const gone = await retireMissing(trx, { kind: DECLARED, origin: 'file', keep: declared.map(({ spec }) => spec.id) }, clock.now());
        for (const id of gone) await record(trx, { ...about(id), action: 'role.removed' });
      }),
    );
  }

  async refresh(): Promise<void> {
    if (this.#isFresh()) return;
    await this.#alone(async () => {
      if (!this.#isFresh()) await this.#read();
    });
  }

  #isFresh(): boolean {
    return Math.abs(this.#deps.clock.now() - this.#readAtMs) < FRESH_MS;
  }

  find(id: string): RoleSpec | undefined {
    return this.#inForce.get(id)?.role;
  }

  permitsOf(id: string): Permits {
    return this.find(id)?.permits ?? {};
  }

  judgeGift(by: By, id: string): void {
    const role = this.find(id);
    if (role === undefined) {
      const known = [...this.#inForce.keys()].join(', ');
      throw new AppError('bad_input', ROLE_CODES.notFound, `there is no role "${id}"; there are ${known}`, { field: 'role' });
    }
    this.#judge(by, role.permits, 'role');
  }

  async list(): Promise<readonly RoleView[]> {
    const holders = await this.#deps.holders();
    return [...this.#inForce.values()].map((one) => viewOf(one, holders));
  }

  /** `AppError` `role_exists`, `beyond_own_permits`, `too_many_roles`. */
  create(spec: RoleBody, by: AuditEntry['actor'] & By): Promise<RoleView> {
    return this.#alone(async () => {
      this.#judge(by, permitsOf(spec.permits), 'permits');
      await this.#read();
      if (this.#inForce.has(spec.id))
        throw new AppError('conflict', ROLE_CODES.exists, `there is a role "${spec.id}" already`, { field: 'id' });
      const { db, ids, clock, record } = this.#deps;
      await db.kysely.transaction().execute(async (trx) => {
        if ((await listEntities(trx, { kind: KIND })).length >= MAX_MADE)
          throw new AppError('conflict', ROLE_CODES.tooMany, `there are ${MAX_MADE} roles already; remove one that nobody needs`);
        const input = { kind: KIND, slug: spec.id, name: spec.name, origin: 'ui' as const, originPlace: '', spec };
        await upsertEntity(trx, input, { ids, nowMs: clock.now() });
        await record(trx, { actor: by, action: 'role.created', object: { kind: 'roles', id: spec.id }, phase: 'done', after: spec });
      });
      return this.#readView(spec.id);
    });
  }

  /** `AppError` `role_not_found`, `role_owned_elsewhere`, `beyond_own_permits`, `revision_conflict`. */
  update(
    id: string,
    { spec, revision }: { spec: RoleBody; revision: number | undefined },
    by: AuditEntry['actor'] & By,
  ): Promise<RoleView> {
    return this.#alone(async () => {
      const { role } = await this.#editable(id);
      if (spec.id !== id) throw new AppError('bad_input', ROLE_CODES.fixed, 'the id of a role cannot change', { field: 'id' });
      // Whoever takes something from a role must have it as well, or a small administrator could disarm a great one.
      this.#judge(by, role.permits, 'permits');
      this.#judge(by, permitsOf(spec.permits), 'permits');
      const { db, record } = this.#deps;
      await db.kysely.transaction().execute(async (trx) => {
        const read = await findEntity(trx, KIND, id);
        if (read === undefined) throw notFound(id);
        await updateEntity(trx, { ...read, revision: revision ?? read.revision }, { name: spec.name, spec });
        const object = { kind: 'roles', id };
        await record(trx, { actor: by, action: 'role.changed', object, phase: 'done', before: read.spec, after: spec });
      });
      return this.#readView(id);
    });
  }

  /** `AppError` `role_not_found`, `role_owned_elsewhere`, `beyond_own_permits`, `role_in_use` with who holds it. */
  remove(id: string, by: AuditEntry['actor'] & By): Promise<void> {
    return this.#alone(async () => {
      const found = await this.#editable(id);
      this.#judge(by, found.role.permits, 'permits');
      const { db, clock, record, holders } = this.#deps;
      const using = (await holders()).filter((holder) => holder.role === id);
      if (using.length > 0) {
        const names = using.map(({ kind, name }) => `${kind === 'user' ? '' : 'the token '}${name}`);
        const details = { holders: using.map(({ kind, name }) => ({ kind, name })) };
        throw new AppError('conflict', ROLE_CODES.inUse, `the role is held by ${names.join(', ')}; give them another one first`, {
          details,
        });
      }
      await db.kysely.transaction().execute(async (trx) => {
        await retireEntity(trx, { kind: KIND, slug: id }, clock.now());
        await record(trx, { actor: by, action: 'role.removed', object: { kind: 'roles', id }, phase: 'done', before: viewOf(found, []) });
      });
      await this.#read();
    });
  }

  async #read(): Promise<void> {
    const { db, clock } = this.#deps;
    const readAtMs = clock.now();
    const inForce = new Map<string, RoleInForce>();
    for (const { slug, spec, revision } of await listEntities(db.kysely, { kind: KIND })) {
      // What an earlier version permitted and this one does not know is not permitted, rather than guessed.
      const parsed = roleBody.safeParse(spec);
      if (parsed.success) inForce.set(slug, { role: roleOf(parsed.data), written: parsed.data, origin: 'ui', revision });
    }
    for (const { spec, place } of this.#declared) inForce.set(spec.id, { role: roleOf(spec), written: spec, origin: place, revision: 0 });
    this.#inForce = new Map([...SHIPPED.map((one) => [one.role.id, one] as const), ...inForce]);
    this.#readAtMs = readAtMs;
  }

  async #readView(id: string): Promise<RoleView> {
    await this.#read();
    return viewOf(this.#inForceOf(id), await this.#deps.holders());
  }

  #inForceOf(id: string): RoleInForce {
    const found = this.#inForce.get(id);
    if (found === undefined) throw notFound(id);
    return found;
  }

  async #editable(id: string): Promise<RoleInForce> {
    await this.#read();
    const found = this.#inForceOf(id);
    if (found.origin === 'ui') return found;
    const where = found.origin === 'shipped' ? 'is shipped; make one of your own' : `is declared at ${found.origin} and is changed there`;
    throw new AppError('conflict', ROLE_CODES.fixed, `the role "${id}" ${where}`);
  }

  /** Nobody gives more than they have. */
  #judge(by: By, permits: Permits, field: string): void {
    const more = beyond(
      heldBy(by, (role) => this.permitsOf(role)),
      permits,
    );
    if (more.length === 0) return;
    const message = `needs ${more.join(', ')}; ${by.permits === undefined ? `the role ${by.role} does` : 'you do'} not have it, and nobody gives more than they have`;
    throw new AppError('forbidden', ROLE_CODES.beyondOwn, message, { field, details: { beyond: more } });
  }
}

const notFound = (id: string): AppError => new AppError('not_found', ROLE_CODES.notFound, `there is no role "${id}"`);

const viewOf = ({ role, written, origin, revision }: RoleInForce, holders: readonly Holder[]): RoleView => ({
  id: role.id,
  name: role.name,
  origin,
  revision,
  permits: Object.fromEntries(Object.entries(role.permits).map(([area, verbs]) => [area, [...verbs]])),
  landing: role.landing,
  teams: [...written.teams],
  scope: written.scope,
  holders: holders.filter((holder) => holder.role === role.id).map(({ kind, name }) => ({ kind, name })),
});
