import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { FastifyRequest } from 'fastify';
import type { Kysely } from 'kysely';
import type { AuditEntry, RecordAudit } from '../audit/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Db } from '../platform/db/open.ts';
import type { TokenRow, UserRow } from '../platform/db/migrations/0002-access.ts';
import type { Actor, Gate, Permission, Role } from '../platform/http/contract.ts';
import { ACCESS_CODES, type NewToken, OPEN_ACTOR, PERMISSIONS_OF, type SessionView, type TokenView } from './contract.ts';
import { NO_ONES_HASH, hashPassword, isOutdated, judgePassword, verifyPassword } from './password.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import * as store from './store.ts';
import { createThrottle } from './throttle.ts';

export const SESSION_COOKIE = 'nines_session';
/** The prefix that browsers tie to this very host and to TLS (RFC 6265bis); it cannot be used without TLS. */
export const SECURE_SESSION_COOKIE = '__Host-nines_session';
const TOKEN_PREFIX = 'nines_';
const SECRET_BYTES = 32;
const SESSION_IDLE_MS = 12 * HOUR_MS;
const SESSION_LIFE_MS = 7 * DAY_MS;
const SETUP_LIFE_MS = HOUR_MS;
/** Last use is shown to the minute; writing it more often would only cost. */
const TOUCH_EVERY_MS = MINUTE_MS;
/** Authenticated credentials kept in memory, so that ingest does not ask the database per request. */
const MAX_CACHED = 1_000;
/** A revoked token or ended session works at most this much longer in another process; in this one it ends at once. */
const CACHE_MS = 5 * SECOND_MS;
/** What is kept of the browser's own name, for the list of sessions. */
const MAX_USER_AGENT_CHARS = 200;
const SHOWN_DIGEST_CHARS = 16;

export type AccessDeps = {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Sessions, people and tokens change together with their entries in the audit log, or not at all. */
  readonly record: RecordAudit;
  /** --insecure-no-auth */
  readonly open: boolean;
  /** Requests arrive over TLS, so cookies can be tied to it. */
  readonly secure: boolean;
};

const digest = (secret: string): string => createHash('sha256').update(secret).digest('hex');
const keyOf = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

type Known = { readonly actor: Actor; readonly endsAtMs: number };
type NewSession = { readonly cookie: string };
/** Where a person is. */
type Place = { readonly address: string; readonly userAgent: string };

export const createAccess = (deps: AccessDeps): Access => new Access(deps);

export class Access implements Gate {
  readonly cookieName: string;
  readonly #deps: AccessDeps;
  readonly #sql: Kysely<Database>;
  readonly #throttle = createThrottle();
  readonly #cache = new Map<string, Known & { readonly untilMs: number }>();

  constructor(deps: AccessDeps) {
    this.#deps = deps;
    this.#sql = deps.db.kysely;
    this.cookieName = deps.secure ? SECURE_SESSION_COOKIE : SESSION_COOKIE;
  }

  async authenticate(request: FastifyRequest): Promise<Actor | undefined> {
    if (this.#deps.open) return OPEN_ACTOR;
    const credential = credentialOf(request, this.cookieName);
    if (credential === undefined) return undefined;
    const key = `${credential.kind} ${digest(credential.secret)}`;
    const nowMs = this.#deps.clock.now();
    const cached = this.#cache.get(key);
    if (cached !== undefined && nowMs < cached.untilMs && nowMs < cached.endsAtMs) return cached.actor;
    const found = await (credential.kind === 'token' ? this.#actorOfToken(credential.secret) : this.#actorOfCookie(credential.secret));
    this.#cache.delete(key);
    if (found === undefined) return undefined;
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    this.#cache.set(key, { ...found, untilMs: nowMs + CACHE_MS });
    return found.actor;
  }

  recall(headers: IncomingHttpHeaders): Actor | undefined {
    if (this.#deps.open) return OPEN_ACTOR;
    const secret = tokenOf(headers.authorization);
    const cached = secret === undefined ? undefined : this.#cache.get(`token ${digest(secret)}`);
    const nowMs = this.#deps.clock.now();
    return cached !== undefined && nowMs < cached.untilMs && nowMs < cached.endsAtMs ? cached.actor : undefined;
  }

  allows(actor: Actor, permission: Permission): boolean {
    return PERMISSIONS_OF[actor.role].includes(permission);
  }

  /** A fresh one-time secret while nobody can sign in, otherwise undefined. The last one made is the only one that works. */
  async startSetup(): Promise<string | undefined> {
    if (this.#deps.open || (await store.hasUsers(this.#sql))) return undefined;
    const secret = this.#deps.ids.secret(SECRET_BYTES);
    const nowMs = this.#deps.clock.now();
    await store.replaceSetupLink(this.#sql, digest(secret), nowMs, nowMs + SETUP_LIFE_MS);
    return secret;
  }

  /** Makes the first administrator and signs them in. `AppError` `setup_link_invalid`, `setup_link_used`, `password_refused`. */
  async setup(input: {
    readonly token: string;
    readonly name: string;
    readonly password: string;
    readonly address: string;
    readonly userAgent: string;
  }): Promise<NewSession> {
    requireGoodPassword(input.password, input.name);
    const nowMs = this.#deps.clock.now();
    // A look before the costly hash; the transaction below decides.
    const link = await store.judgeSetupLink(this.#sql, digest(input.token), nowMs);
    if (link !== 'usable') throw setupRefusal(link);
    const user: UserRow = {
      id: this.#deps.ids.uuid(),
      name: input.name,
      name_key: keyOf(input.name),
      team_id: DEFAULT_TEAM,
      role: 'administrator',
      password_hash: await hashPassword(input.password),
      created_at_ms: nowMs,
      disabled_at_ms: null,
      revision: 1,
    };
    await this.#sql.transaction().execute(async (trx) => {
      const use = await store.useSetupLink(trx, digest(input.token), nowMs);
      if (use !== 'used_now') throw setupRefusal(use);
      if (await store.hasUsers(trx)) throw setupRefusal('used_before');
      await store.insertUser(trx, user);
      const after = { name: user.name, role: user.role };
      await this.#deps.record(trx, { ...byUser(user, input), action: 'user.created', object: { kind: 'users', id: user.id }, after });
    });
    return this.#startSession(user, input);
  }

  /** Signs a person in under a new session. `AppError` `wrong_credentials`, `too_many_tries`. */
  async login(input: {
    readonly name: string;
    readonly password: string;
    readonly address: string;
    readonly userAgent: string;
  }): Promise<NewSession> {
    const { name, password, address } = input;
    this.#takeTurn(name, address);
    const user = await store.findUser(this.#sql, keyOf(name));
    const fits = await verifyPassword(password, user?.password_hash ?? NO_ONES_HASH);
    if (user === undefined || !fits) {
      throw new AppError('unauthenticated', ACCESS_CODES.wrongCredentials, 'the name or the password is wrong');
    }
    this.#throttle.succeeded(name, address);
    // Whoever is faster has written a hash of today; losing this race changes nothing.
    if (isOutdated(user.password_hash)) await store.updatePassword(this.#sql, user, await hashPassword(password));
    return this.#startSession(user, input);
  }

  async logout(request: FastifyRequest): Promise<void> {
    const credential = credentialOf(request, this.cookieName);
    if (credential?.kind !== 'session') return;
    const idHash = digest(credential.secret);
    await this.#sql.transaction().execute(async (trx) => {
      const found = await store.findSession(trx, idHash);
      if (found === undefined) return;
      await store.deleteSession(trx, idHash);
      const place = { address: request.ip, userAgent: found.session.user_agent };
      await this.#deps.record(trx, { ...byUser(found.user, place), action: 'session.ended', object: sessionOf(idHash) });
    });
    this.#cache.delete(`session ${digest(credential.secret)}`);
  }

  /** Changes the password of whoever asks and ends all their sessions; the answer holds a new one. */
  async changePassword(request: FastifyRequest, input: { readonly current: string; readonly next: string }): Promise<NewSession> {
    const { actor } = request;
    const user = actor.kind === 'user' ? await store.findUser(this.#sql, keyOf(actor.name)) : undefined;
    if (user === undefined) {
      throw new AppError('forbidden', ACCESS_CODES.sessionNeeded, 'only a signed-in person has a password to change');
    }
    this.#takeTurn(user.name, request.ip);
    if (!(await verifyPassword(input.current, user.password_hash))) {
      throw new AppError('bad_input', ACCESS_CODES.wrongCredentials, 'the current password is wrong', { field: 'current' });
    }
    this.#throttle.succeeded(user.name, request.ip);
    requireGoodPassword(input.next, user.name, 'next');
    const passwordHash = await hashPassword(input.next);
    const place = { address: request.ip, userAgent: request.headers['user-agent'] ?? '' };
    await this.#sql.transaction().execute(async (trx) => {
      if (!(await store.updatePassword(trx, user, passwordHash))) {
        throw new AppError('conflict', 'revision_conflict', 'the password was changed meanwhile');
      }
      await store.deleteSessionsOf(trx, user.id);
      await this.#deps.record(trx, { ...byUser(user, place), action: 'password.changed', object: { kind: 'users', id: user.id } });
    });
    this.#cache.clear();
    return this.#startSession(user, place);
  }

  /** Who asks and what they may do; `AppError` `unauthenticated` says whether the first administrator is still to be made. */
  async session(request: FastifyRequest): Promise<SessionView> {
    const actor = await this.authenticate(request);
    if (actor === undefined) {
      throw new AppError('unauthenticated', 'unauthenticated', 'sign in, or send a token: Authorization: Bearer …', {
        details: { setup_needed: !(await store.hasUsers(this.#sql)) },
      });
    }
    const { id, name, role, kind } = actor;
    return { actor: { id, name, role, kind }, permissions: [...PERMISSIONS_OF[role]], open: this.#deps.open };
  }

  async listTokens(): Promise<readonly TokenView[]> {
    return (await store.listTokens(this.#sql)).map(viewToken);
  }

  createToken(by: Actor, input: NewToken): Promise<TokenView & { readonly token: string }> {
    return createToken(this.#deps, by, input);
  }

  async revokeToken(by: Actor, id: string): Promise<void> {
    await this.#sql.transaction().execute(async (trx) => {
      const before = (await store.listTokens(trx)).find((row) => row.id === id);
      if (before === undefined || !(await store.revokeToken(trx, id, this.#deps.clock.now()))) {
        throw new AppError('not_found', ACCESS_CODES.tokenNotFound, 'there is no such token, or it was revoked before');
      }
      const object = { kind: 'tokens', id };
      await this.#deps.record(trx, { actor: by, action: 'token.revoked', object, phase: 'done', before: viewToken(before) });
    });
    this.#cache.clear();
  }

  /** Refuses while former failures demand a wait; otherwise counts the try. */
  #takeTurn(name: string, address: string): void {
    const nowMs = this.#deps.clock.now();
    const waitMs = this.#throttle.waitMs(name, address, nowMs);
    if (waitMs > 0) {
      throw new AppError('limited', ACCESS_CODES.tooManyTries, `too many failed tries; wait ${Math.ceil(waitMs / 1000)} s`, {
        retryAfterMs: waitMs,
      });
    }
    this.#throttle.trying(name, address, nowMs);
  }

  async #startSession(user: UserRow, place: Place): Promise<NewSession> {
    const cookie = this.#deps.ids.secret(SECRET_BYTES);
    const nowMs = this.#deps.clock.now();
    const session = {
      id_hash: digest(cookie),
      user_id: user.id,
      created_at_ms: nowMs,
      last_seen_at_ms: nowMs,
      expires_at_ms: nowMs + SESSION_LIFE_MS,
      user_agent: place.userAgent.slice(0, MAX_USER_AGENT_CHARS),
    };
    await this.#sql.transaction().execute(async (trx) => {
      await store.deleteEndedSessions(trx, nowMs, nowMs - SESSION_IDLE_MS);
      await store.insertSession(trx, session);
      const after = { user_agent: session.user_agent, expires_at_ms: session.expires_at_ms };
      await this.#deps.record(trx, { ...byUser(user, place), action: 'session.started', object: sessionOf(session.id_hash), after });
    });
    return { cookie };
  }

  async #actorOfToken(secret: string): Promise<Known | undefined> {
    const nowMs = this.#deps.clock.now();
    const row = await store.findToken(this.#sql, digest(secret));
    if (row === undefined || (row.expires_at_ms !== null && row.expires_at_ms <= nowMs)) return undefined;
    if (row.last_used_at_ms === null || nowMs - row.last_used_at_ms > TOUCH_EVERY_MS) await store.touchToken(this.#sql, row.id, nowMs);
    const actor: Actor = { kind: 'token', id: row.id, name: row.name, role: row.role as Role, teamId: row.team_id };
    return { actor, endsAtMs: row.expires_at_ms ?? Number.POSITIVE_INFINITY };
  }

  async #actorOfCookie(cookie: string): Promise<Known | undefined> {
    const nowMs = this.#deps.clock.now();
    const idHash = digest(cookie);
    const found = await store.findSession(this.#sql, idHash);
    if (found === undefined) return undefined;
    const { session, user } = found;
    if (session.expires_at_ms <= nowMs || nowMs - session.last_seen_at_ms > SESSION_IDLE_MS) {
      await store.deleteSession(this.#sql, idHash);
      return undefined;
    }
    if (nowMs - session.last_seen_at_ms > TOUCH_EVERY_MS) await store.touchSession(this.#sql, idHash, nowMs);
    const actor: Actor = { kind: 'user', id: user.id, name: user.name, role: user.role as Role, teamId: user.team_id };
    return { actor, endsAtMs: session.expires_at_ms };
  }
}

/** Makes a token; also for the command line, beside a running server. The secret is in the answer and nowhere else. */
export async function createToken(
  deps: Pick<AccessDeps, 'db' | 'clock' | 'ids' | 'record'>,
  by: AuditEntry['actor'],
  input: NewToken,
): Promise<TokenView & { readonly token: string }> {
  const nowMs = deps.clock.now();
  const expiresAtMs = input.expires_at_ms ?? null;
  if (expiresAtMs !== null && expiresAtMs <= nowMs)
    throw new AppError('bad_input', 'token_already_expired', 'expires_at_ms lies in the past', { field: 'expires_at_ms' });
  const token = `${TOKEN_PREFIX}${deps.ids.secret(SECRET_BYTES)}`;
  const row: TokenRow = {
    id: deps.ids.uuid(),
    name: input.name,
    team_id: DEFAULT_TEAM,
    role: input.role,
    hint: token.slice(0, TOKEN_PREFIX.length + 4),
    secret_hash: digest(token),
    created_by: by.name,
    created_at_ms: nowMs,
    expires_at_ms: expiresAtMs,
    last_used_at_ms: null,
    revoked_at_ms: null,
  };
  await deps.db.kysely.transaction().execute(async (trx) => {
    await store.insertToken(trx, row);
    const object = { kind: 'tokens', id: row.id };
    await deps.record(trx, { actor: by, action: 'token.created', object, phase: 'done', after: viewToken(row) });
  });
  return { ...viewToken(row), token };
}

/** Sessions are named by the beginning of their digest, which opens nothing. */
const sessionOf = (idHash: string): AuditEntry['object'] => ({ kind: 'sessions', id: idHash.slice(0, SHOWN_DIGEST_CHARS) });

function byUser(user: UserRow, { address }: Place): Pick<AuditEntry, 'actor' | 'address' | 'phase'> {
  return { actor: { kind: 'user', id: user.id, name: user.name, role: user.role as Role }, address, phase: 'done' };
}

function viewToken(row: TokenRow): TokenView {
  const { id, name, hint, created_by, created_at_ms, expires_at_ms, last_used_at_ms } = row;
  return { id, name, role: row.role as Role, hint, created_by, created_at_ms, expires_at_ms, last_used_at_ms };
}

type Credential = { readonly kind: 'token' | 'session'; readonly secret: string };

/** A token in the header wins over a cookie, so that a program in a browser acts as what it says it is. Basic's password carries a token for clients that know only Basic. */
function credentialOf(request: FastifyRequest, cookieName: string): Credential | undefined {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const secret = tokenOf(authorization);
    return secret === undefined ? undefined : { kind: 'token', secret };
  }
  const cookie = request.cookies[cookieName];
  return cookie === undefined || cookie === '' ? undefined : { kind: 'session', secret: cookie };
}

/** The token in an Authorization header, sent as Bearer, as Token (the word of InfluxDB 2 clients) or as the password of Basic. */
function tokenOf(authorization = ''): string | undefined {
  const bearer = /^(?:Bearer|Token)\s+(\S+)$/i.exec(authorization)?.[1];
  if (bearer !== undefined) return bearer;
  const basic = /^Basic\s+(\S+)$/i.exec(authorization)?.[1];
  return basic === undefined ? undefined : /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString('utf8'))?.[1];
}

function requireGoodPassword(password: string, name: string, field = 'password'): void {
  const judged = judgePassword(password, name);
  if (!judged.ok) throw new AppError('bad_input', ACCESS_CODES.passwordRefused, judged.error, { field });
}

function setupRefusal(use: Exclude<store.SetupLinkState, 'usable'>): AppError {
  if (use === 'used_before') return new AppError('conflict', ACCESS_CODES.setupLinkUsed, 'this link has been used; sign in instead');
  return new AppError(
    'forbidden',
    ACCESS_CODES.setupLinkInvalid,
    'this link is not valid or has expired; start the server again for a new one',
  );
}
