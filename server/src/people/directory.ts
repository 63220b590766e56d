import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Transaction } from 'kysely';
import { type Permits, beyond, heldBy, teamsOf } from '../access/contract.ts';
import type { AuditEntry, ErasePerson, RecordAudit } from '../audit/contract.ts';
import type { UserRow } from '../platform/db/migrations/0002-access.ts';
import type { PersonLinkRow } from '../platform/db/migrations/0050-people.ts';
import type { Db } from '../platform/db/open.ts';
import { expectUpdated } from '../platform/db/revision.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Actor, Role } from '../platform/http/contract.ts';
import type { SessionBook } from '../sessions/contract.ts';
import {
  type IssuedLink,
  type LinkKind,
  type NewPerson,
  PEOPLE_CODES,
  type PersonChange,
  type PersonState,
  type PersonView,
  type SecondFactors,
  keyOf,
} from './contract.ts';
import * as store from './directory-store.ts';
import { deleteLinkOf } from './link-store.ts';
import type { PersonLinks } from './links.ts';
import { deletePendingOf } from './pending-store.ts';
import { newUser } from './person.ts';
import { userById, userByName } from './store.ts';

export type DirectoryDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  readonly erase: ErasePerson;
  readonly sessions: SessionBook;
  readonly links: Pick<PersonLinks, 'issue'>;
  readonly factors: Pick<SecondFactors, 'forget'>;
  /** What a role permits now; nothing when there is none of this id. */
  readonly permitsOf: (role: Role) => Permits;
  /** What whoever asks is bound to that no person is, in words: an end, some networks, some actions. Absent: nobody is. */
  readonly boundsOf?: (by: By) => Promise<string | undefined>;
};

/** Who asks for a change. */
export type By = AuditEntry['actor'] & Pick<Actor, 'permits'>;

/**
 * Everybody who may sign in. Invariants: at least one administrator who can sign in stays, whoever changes what at the same time;
 * another role or scope, being disabled and being removed end a person's sessions at once. Beside a running server as well: the command
 * line uses the same class.
 */
export class Directory {
  readonly #deps: DirectoryDeps;

  constructor(deps: DirectoryDeps) {
    this.#deps = deps;
  }

  /** By name. */
  async list(): Promise<readonly PersonView[]> {
    const { db, clock, sessions } = this.#deps;
    const [users, links, counts] = await Promise.all([
      store.listUsers(db.kysely),
      store.listLinks(db.kysely, clock.now()),
      sessions.counts(),
    ]);
    const linkOf = new Map(links.map((link) => [link.user_id, link]));
    const administrators = users.filter(canAdminister);
    return users.map((user) => ({
      ...viewOf(user, linkOf.get(user.id)),
      sessions: counts.get(user.id) ?? 0,
      last_administrator: administrators.length === 1 && administrators[0]?.id === user.id,
    }));
  }

  /** Refuses whoever may do less than the person does. `AppError` `person_not_found`, `role_too_wide`. */
  async mayTouch(by: By, id: string): Promise<void> {
    const user = await userById(this.#deps.db.kysely, id);
    if (user === undefined) throw notFound();
    this.#mayTouch(by, user);
  }

  /** `AppError` `person_not_found`. */
  async find(name: string): Promise<UserRow> {
    const user = await userByName(this.#deps.db.kysely, keyOf(name));
    if (user === undefined) throw notFound();
    return user;
  }

  /** Makes a person who cannot sign in before they have used their link. `AppError` `name_taken`. */
  async invite(by: By, input: NewPerson): Promise<IssuedLink> {
    const { db, clock, ids, record } = this.#deps;
    await this.#mayLast(by);
    this.#mayGive(by, input.role);
    const { name, role, teams = [], scope = '', email = null } = input;
    const user = newUser({ id: ids.uuid(), name, role, teams: JSON.stringify(teams), scope, email, created_at_ms: clock.now() });
    return db.kysely.transaction().execute(async (trx) => {
      if (!(await store.addUser(trx, user))) {
        throw new AppError('conflict', PEOPLE_CODES.nameTaken, 'somebody of this name is there already', { field: 'name' });
      }
      await record(trx, { ...about(by, user), action: 'user.invited', after: factsOf(user) });
      return this.#issue(trx, user, { kind: 'invitation', by });
    });
  }

  /** A new link: the invitation again for who has not joined, otherwise to a new password. Until it is used nothing else changes. */
  async reset(by: By, id: string, options: { readonly factors?: boolean } = {}): Promise<IssuedLink> {
    const { db, record, sessions, factors } = this.#deps;
    await this.#mayLast(by);
    const issued = await db.kysely.transaction().execute(async (trx) => {
      const user = await this.#get(trx, id);
      this.#mayTouch(by, user);
      if (user.disabled_at_ms !== null) throw new AppError('conflict', PEOPLE_CODES.personDisabled, 'enable this person first');
      const kind = user.joined_at_ms === null ? 'invitation' : 'reset';
      if (options.factors === true) {
        await factors.forget(trx, id);
        await this.#endSessions(trx, id);
      }
      const after = { kind, factors: options.factors === true };
      await record(trx, { ...about(by, user), action: 'user.link_made', after });
      return this.#issue(trx, user, { kind, by });
    });
    if (options.factors === true) sessions.forget();
    return issued;
  }

  /** Takes a link back that was not used. `AppError` `person_not_found`, `link_not_found`. */
  async revokeLink(by: By, id: string): Promise<void> {
    const { db, record } = this.#deps;
    await db.kysely.transaction().execute(async (trx) => {
      const user = await this.#get(trx, id);
      if (!(await deleteLinkOf(trx, id))) throw new AppError('not_found', PEOPLE_CODES.linkNotFound, 'this person has no open link');
      await record(trx, { ...about(by, user), action: 'user.link_revoked' });
    });
  }

  /** `AppError` `person_not_found`, `revision_conflict`, `last_administrator`. */
  async change(by: By, id: string, { revision, ...asked }: PersonChange): Promise<PersonView> {
    const { db, clock, record, sessions } = this.#deps;
    if (asked.role !== undefined || asked.teams !== undefined || asked.scope !== undefined || asked.disabled === false)
      await this.#mayLast(by);
    const { next, ends } = await db.kysely.transaction().execute(async (trx) => {
      const user = await this.#hold(trx, id, revision);
      this.#mayTouch(by, user);
      if (asked.role !== undefined && asked.role !== user.role) this.#mayGive(by, asked.role);
      const next: UserRow = {
        ...user,
        role: asked.role ?? user.role,
        teams: asked.teams === undefined ? user.teams : JSON.stringify(asked.teams),
        scope: asked.scope ?? user.scope,
        email: asked.email === undefined ? user.email : asked.email,
        disabled_at_ms: disabledAt(user, asked.disabled, clock.now()),
      };
      await this.#keepAnAdministrator(trx, user, next);
      const { role, teams, scope, email, disabled_at_ms } = next;
      expectUpdated(await store.updateUser(trx, user, { role, teams, scope, email, disabled_at_ms }), 'this person');
      const ends =
        role !== user.role || teams !== user.teams || scope !== user.scope || (disabled_at_ms !== null && user.disabled_at_ms === null);
      if (ends) await this.#endSessions(trx, id);
      // Whoever has a link from before could come in as more than they were given.
      if (disabled_at_ms !== null || this.#isWidened(user, next)) await deleteLinkOf(trx, id);
      await record(trx, { ...about(by, user), action: 'user.changed', before: factsOf(user), after: factsOf(next) });
      return { next: { ...next, revision: user.revision + 1 }, ends };
    });
    if (ends) sessions.forget();
    return (await this.list()).find((person) => person.id === id) ?? viewOf(next, undefined);
  }

  /** Removes a person and makes them unreadable in the audit log. `AppError` as `change`. */
  async remove(by: By, id: string, revision: number): Promise<void> {
    const { db, record, erase, sessions, factors } = this.#deps;
    await db.kysely.transaction().execute(async (trx) => {
      const user = await this.#hold(trx, id, revision);
      this.#mayTouch(by, user);
      await this.#keepAnAdministrator(trx, user, undefined);
      await this.#endSessions(trx, id);
      await factors.forget(trx, id);
      await deleteLinkOf(trx, id);
      await record(trx, { ...about(by, user), action: 'user.removed', before: factsOf(user) });
      await store.deleteUser(trx, id);
      await erase(trx, by, id);
    });
    sessions.forget();
  }

  async #issue(trx: Transaction<Database>, user: UserRow, { kind, by }: { readonly kind: LinkKind; readonly by: By }): Promise<IssuedLink> {
    const { secret, expiresAtMs } = await this.#deps.links.issue(trx, { userId: user.id, kind, by });
    return { id: user.id, name: user.name, email: user.email, kind, secret, expires_at_ms: expiresAtMs };
  }

  async #get(trx: Transaction<Database>, id: string): Promise<UserRow> {
    const user = await userById(trx, id);
    if (user === undefined) throw notFound();
    return user;
  }

  /** The person as they were seen, while no administrator can be taken away by anybody else. */
  async #hold(trx: Transaction<Database>, id: string, revision: number): Promise<UserRow> {
    await store.holdAdministrators(trx, this.#deps.db.kind);
    const user = await this.#get(trx, id);
    expectUpdated({ numUpdatedRows: user.revision === revision ? 1n : 0n }, 'this person');
    return user;
  }

  /** Nobody makes anybody more than they are themselves. `AppError` `unknown_role`, `role_too_wide`. */
  #mayGive(by: By, role: Role): void {
    const { permitsOf } = this.#deps;
    const asked = permitsOf(role);
    // Whoever signs in needs to read what is their own; a role without it is for programs.
    if (asked.own?.includes('read') !== true) {
      throw new AppError(
        'bad_input',
        PEOPLE_CODES.unknownRole,
        `there is no role ${JSON.stringify(role)} for people; the page Roles (/settings/roles) and GET /api/roles name them`,
        {
          field: 'role',
        },
      );
    }
    const missing = beyond(heldBy(by, permitsOf), asked);
    if (missing.length === 0) return;
    throw new AppError('forbidden', PEOPLE_CODES.roleTooWide, `this role may do more than you: ${missing.slice(0, 3).join(', ')}`);
  }

  /** A person lasts, and signs in from anywhere: whoever does not makes nobody, and gives nobody more. `AppError` `role_too_wide`. */
  async #mayLast(by: By): Promise<void> {
    const bounds = await this.#deps.boundsOf?.(by);
    if (bounds === undefined) return;
    throw new AppError('forbidden', PEOPLE_CODES.roleTooWide, `this credential ${bounds}, people do not: ask somebody who is not bound so`);
  }

  /** Whoever makes another's link could become them. `AppError` `role_too_wide`. */
  #mayTouch(by: By, user: UserRow): void {
    const { permitsOf } = this.#deps;
    if (beyond(heldBy(by, permitsOf), permitsOf(user.role)).length === 0) return;
    throw new AppError('forbidden', PEOPLE_CODES.roleTooWide, 'this person may do more than you');
  }

  /** Of scopes nobody can tell which one is wider. */
  #isWidened(before: UserRow, after: UserRow): boolean {
    const { permitsOf } = this.#deps;
    if (before.teams !== after.teams || before.scope !== after.scope) return true;
    return beyond(permitsOf(before.role), permitsOf(after.role)).length > 0;
  }

  async #keepAnAdministrator(trx: Transaction<Database>, before: UserRow, after: UserRow | undefined): Promise<void> {
    if (!canAdminister(before) || (after !== undefined && canAdminister(after))) return;
    const others = (await store.holdAdministrators(trx, this.#deps.db.kind)).filter((id) => id !== before.id);
    if (others.length > 0) return;
    throw new AppError(
      'conflict',
      PEOPLE_CODES.lastAdministrator,
      'this is the last administrator who can sign in; make another one first',
    );
  }

  async #endSessions(trx: Transaction<Database>, id: string): Promise<void> {
    await this.#deps.sessions.endAll(trx, id);
    await deletePendingOf(trx, id);
  }
}

const canAdminister = (user: UserRow): boolean => user.role === 'administrator' && stateOf(user) === 'active';

function stateOf({ disabled_at_ms, joined_at_ms }: UserRow): PersonState {
  if (disabled_at_ms !== null) return 'disabled';
  return joined_at_ms === null ? 'invited' : 'active';
}

function disabledAt(user: UserRow, asked: boolean | undefined, nowMs: number): number | null {
  if (asked === undefined) return user.disabled_at_ms;
  return asked ? (user.disabled_at_ms ?? nowMs) : null;
}

function viewOf(user: UserRow, link: PersonLinkRow | undefined): PersonView {
  const { id, name, email, revision, created_at_ms, joined_at_ms, signed_in_at_ms } = user;
  return {
    id,
    name,
    role: user.role,
    teams: [...(teamsOf(user.teams) ?? [])],
    scope: user.scope,
    email,
    state: stateOf(user),
    created_at_ms,
    joined_at_ms,
    signed_in_at_ms,
    link: link === undefined ? null : { kind: link.kind as LinkKind, made_by: link.created_by, expires_at_ms: link.expires_at_ms },
    sessions: 0,
    last_administrator: false,
    revision,
  };
}

/** What the audit log keeps of a person. */
const factsOf = (user: UserRow) => ({
  name: user.name,
  role: user.role,
  teams: user.teams,
  scope: user.scope,
  email: user.email,
  state: stateOf(user),
});

const about = (actor: By, { id }: UserRow): Pick<AuditEntry, 'actor' | 'object' | 'phase'> => ({
  actor,
  object: { kind: 'people', id },
  phase: 'done',
});

const notFound = (): AppError => new AppError('not_found', PEOPLE_CODES.personNotFound, 'there is no such person');
