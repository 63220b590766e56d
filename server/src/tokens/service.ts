import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { FastifyRequest } from 'fastify';
import { type Known, type Knows, type Permits, beyond, heldBy, permitsOf, scopeOf, teamsOf, withinPermits } from '../access/contract.ts';
import type { AuditEntry, RecordAudit } from '../audit/contract.ts';
import type { TokenRow } from '../platform/db/migrations/0002-access.ts';
import type { Db } from '../platform/db/open.ts';
import type { Actor } from '../platform/http/contract.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import { inNetworks } from '../platform/networks.ts';
import { digestOf } from '../platform/secret-digest.ts';
import { type NewToken, TOKEN_CODES, type TokenLimits, type TokenView } from './contract.ts';
import { type TokenRefusal, judgeToken } from './judge.ts';
import { hintOf, isTokenLike, makeSecret } from './secret.ts';
import * as store from './store.ts';

/** Last use is shown to the minute; writing it more often would only cost. */
const TOUCH_EVERY_MS = MINUTE_MS;
/** How long a replaced secret still counts, so that what uses it can be changed without a gap. */
const OVERLAP_MS = 15 * MINUTE_MS;

export type TokenDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  /** A token changed: what is remembered of tokens is to be forgotten. */
  readonly onChanged?: () => void;
  readonly onRefused?: (reason: TokenRefusal) => void;
  /** Refuses a role that is not there, or that `by` may not give away. */
  readonly judgeRole: (by: Pick<Actor, 'role'>, role: string) => void;
  readonly permitsOfRole: (role: string) => Permits;
  readonly limits?: () => TokenLimits;
};

type By = AuditEntry['actor'] & Pick<Actor, 'permits'>;
/** Where a token counts and how long; absent and null: everywhere, without end. */
type Bounds = { readonly addresses: readonly string[] | undefined; readonly expiresAtMs: number | null };

export type MadeToken = TokenView & { readonly token: string };

/** Beside a running server as well: the command line makes tokens by the same class. */
export class Tokens implements Knows {
  readonly #deps: TokenDeps;

  constructor(deps: TokenDeps) {
    this.#deps = deps;
  }

  /** Those that were not revoked, newest first. */
  async list(): Promise<readonly TokenView[]> {
    const nowMs = this.#deps.clock.now();
    return (await store.listTokens(this.#deps.db.kysely)).map((row) => viewOf(row, nowMs));
  }

  /**
   * The secret is in the answer and nowhere else. `AppError` `token_already_expired`, `token_lives_too_long`, `role_not_found`,
   * `beyond_own_permits`, `beyond_role`.
   */
  async create(by: By, input: NewToken): Promise<MadeToken> {
    const { db, clock, ids, record, judgeRole } = this.#deps;
    // The role alone: what the token is narrowed to is judged below.
    judgeRole({ role: by.role }, input.role);
    const nowMs = clock.now();
    const permits = this.#permitsWithin(by, input);
    const own = await this.#limitsOf(by);
    const addresses = input.addresses ?? own?.addresses;
    const expiresAtMs = this.#endOf(input.expires_at_ms ?? own?.expiresAtMs ?? null, nowMs);
    refuseWider(own, { addresses, expiresAtMs });
    const token = makeSecret(ids);
    const row: TokenRow = {
      id: ids.uuid(),
      name: input.name,
      team_id: DEFAULT_TEAM,
      role: input.role,
      teams: JSON.stringify(input.teams ?? []),
      scope: input.scope ?? '',
      permits: textOf(permits),
      actions: textOf(input.actions),
      addresses: textOf(addresses),
      hint: hintOf(token),
      secret_hash: digestOf(token),
      created_by: by.name,
      created_at_ms: nowMs,
      expires_at_ms: expiresAtMs,
      last_used_at_ms: null,
      last_used_address: null,
      revoked_at_ms: null,
      previous_hash: null,
      previous_until_ms: null,
    };
    const view = viewOf(row, nowMs);
    await db.kysely.transaction().execute(async (trx) => {
      await store.insertToken(trx, row);
      await record(trx, { actor: by, action: 'token.created', object: { kind: 'tokens', id: row.id }, phase: 'done', after: view });
    });
    return { ...view, token };
  }

  /**
   * Another secret for the same token; the one before counts 15 minutes more. `AppError` `token_not_found`, `revision_conflict`;
   * `beyond_own_permits` when it may do, or lasts, more than who asks: whoever reads its secret has all of it.
   */
  async replace(by: By, id: string): Promise<MadeToken> {
    const { db, clock, ids, record, onChanged } = this.#deps;
    const nowMs = clock.now();
    const token = makeSecret(ids);
    const next = { secret_hash: digestOf(token), hint: hintOf(token), previous_until_ms: nowMs + OVERLAP_MS };
    const own = await this.#limitsOf(by);
    const view = await db.kysely.transaction().execute(async (trx) => {
      const before = await store.liveToken(trx, id);
      if (before === undefined) throw notFound();
      this.#mayRead(by, before);
      refuseWider(own, boundsOf(before));
      if (!(await store.replaceSecret(trx, before, next)))
        throw new AppError('conflict', 'revision_conflict', 'the secret was replaced meanwhile');
      const after = viewOf({ ...before, ...next }, nowMs);
      const about = { before: viewOf(before, nowMs), after };
      await record(trx, { actor: by, action: 'token.replaced', object: { kind: 'tokens', id }, phase: 'done', ...about });
      return after;
    });
    onChanged?.();
    return { ...view, token };
  }

  /** `AppError` `token_not_found`. */
  async revoke(by: AuditEntry['actor'], id: string): Promise<void> {
    const { db, clock, record, onChanged } = this.#deps;
    const nowMs = clock.now();
    await db.kysely.transaction().execute(async (trx) => {
      const before = await store.liveToken(trx, id);
      if (before === undefined || !(await store.revokeToken(trx, id, nowMs))) throw notFound();
      const object = { kind: 'tokens', id };
      await record(trx, { actor: by, action: 'token.revoked', object, phase: 'done', before: viewOf(before, nowMs) });
    });
    onChanged?.();
  }

  /** What a secret is worth now; undefined when it is no good token. It does not count as a use. */
  async introspect(secret: string): Promise<TokenView | undefined> {
    const { db, clock } = this.#deps;
    if (!isTokenLike(secret)) return undefined;
    const digest = digestOf(secret);
    const row = await store.findToken(db.kysely, digest);
    const nowMs = clock.now();
    return row !== undefined && judgeToken(row, digest, nowMs).kind === 'good' ? viewOf(row, nowMs) : undefined;
  }

  /** Whom a secret stands for; undefined when it is no live token. */
  async actorOf(secret: string, request: Pick<FastifyRequest, 'ip'>): Promise<Known | undefined> {
    const { db, clock, onRefused } = this.#deps;
    if (!isTokenLike(secret)) {
      onRefused?.('malformed');
      return undefined;
    }
    const nowMs = clock.now();
    const digest = digestOf(secret);
    const row = await store.findToken(db.kysely, digest);
    const judged = judgeToken(row, digest, nowMs);
    if (row === undefined || judged.kind !== 'good') {
      if (judged.kind !== 'good') onRefused?.(judged.kind);
      return undefined;
    }
    const networks = listOf(row.addresses);
    const taken = networks === undefined ? undefined : inNetworks(networks);
    const from = taken === undefined ? undefined : (address: string) => taken(address) || (onRefused?.('address'), false);
    if (taken?.(request.ip) !== false && (row.last_used_at_ms === null || nowMs - row.last_used_at_ms > TOUCH_EVERY_MS))
      await store.touchToken(db.kysely, row.id, { atMs: nowMs, address: request.ip });
    return { actor: actorOf(row), endsAtMs: judged.endsAtMs, ...(from !== undefined && { from }) };
  }

  /** What a token is bound to that no person is, in words. Undefined for people, and for tokens that are bound to nothing. */
  async boundsOf(by: Pick<By, 'kind' | 'id'>): Promise<string | undefined> {
    const own = by.kind === 'token' ? await store.liveToken(this.#deps.db.kysely, by.id) : undefined;
    if (own === undefined) return by.kind === 'token' ? 'was revoked' : undefined;
    if (own.expires_at_ms !== null) return `ends at ${new Date(own.expires_at_ms).toISOString()}`;
    if (own.addresses !== null) return `counts from ${listOf(own.addresses)?.join(', ')} only`;
    return own.actions === null ? undefined : 'may do some actions only';
  }

  /** What a token is bound to makes no token that is bound to less. Undefined for people. */
  async #limitsOf(by: By): Promise<Bounds | undefined> {
    if (by.kind !== 'token') return undefined;
    const own = await store.liveToken(this.#deps.db.kysely, by.id);
    if (own === undefined) throw notFound();
    return boundsOf(own);
  }

  #mayRead(by: By, row: TokenRow): void {
    const { permitsOfRole } = this.#deps;
    const more = beyond(heldBy(by, permitsOfRole), heldBy(actorOf(row), permitsOfRole));
    if (more.length > 0) throw new AppError('forbidden', TOKEN_CODES.beyondOwn, `this token may do what you may not: ${more.join(', ')}`);
  }

  /** What the token is narrowed to. Whoever is narrowed makes tokens that are, too. */
  #permitsWithin(by: Pick<Actor, 'permits'>, { role, permits: written }: NewToken): Permits | undefined {
    const ofRole = this.#deps.permitsOfRole(role);
    const asked = written === undefined ? ofRole : permitsOf(written);
    const field = { field: 'permits' };
    const more = beyond(ofRole, asked);
    if (more.length > 0)
      throw new AppError('bad_input', TOKEN_CODES.beyondRole, `the role ${role} does not have ${more.join(', ')}`, field);
    const beyondOwn = by.permits === undefined ? [] : beyond(withinPermits(ofRole, by.permits as Permits), asked);
    if (beyondOwn.length > 0)
      throw new AppError('forbidden', TOKEN_CODES.beyondOwn, `you cannot give what you do not have: ${beyondOwn.join(', ')}`, field);
    return written === undefined && by.permits === undefined ? undefined : asked;
  }

  /** A token as it is now, without its secret; undefined when it is revoked or has run out. */
  async actorById(id: string): Promise<Actor | undefined> {
    const { db, clock } = this.#deps;
    const row = await store.liveToken(db.kysely, id);
    return row === undefined || (row.expires_at_ms !== null && row.expires_at_ms <= clock.now()) ? undefined : actorOf(row);
  }

  #endOf(asked: number | null, nowMs: number): number | null {
    const { maxLifeMs } = this.#deps.limits?.() ?? { maxLifeMs: undefined };
    if (asked !== null && asked <= nowMs)
      throw new AppError('bad_input', TOKEN_CODES.alreadyExpired, 'expires_at_ms lies in the past', { field: 'expires_at_ms' });
    if (maxLifeMs === undefined) return asked;
    if (asked !== null && asked - nowMs > maxLifeMs) {
      const limit = new Date(nowMs + maxLifeMs).toISOString();
      throw new AppError('bad_input', TOKEN_CODES.livesTooLong, `access.tokens.max_life allows ${limit} at the latest`, {
        field: 'expires_at_ms',
      });
    }
    return asked ?? nowMs + maxLifeMs;
  }
}

const boundsOf = (row: TokenRow): Bounds => ({ addresses: listOf(row.addresses), expiresAtMs: row.expires_at_ms });

function refuseWider(own: Bounds | undefined, { addresses, expiresAtMs }: Bounds): void {
  if (own === undefined) return;
  const { addresses: networks, expiresAtMs: ownEndMs } = own;
  if (networks !== undefined && addresses?.every((network) => networks.includes(network)) !== true)
    throw new AppError('forbidden', TOKEN_CODES.beyondOwn, `you count from ${networks.join(', ')} only`, { field: 'addresses' });
  if (ownEndMs !== null && (expiresAtMs === null || expiresAtMs > ownEndMs))
    throw new AppError('forbidden', TOKEN_CODES.beyondOwn, 'a token makes none that lasts longer than itself', { field: 'expires_at_ms' });
}

function actorOf(row: TokenRow): Actor {
  const permits = row.permits === null ? undefined : (JSON.parse(row.permits) as Permits);
  const actions = listOf(row.actions);
  return {
    kind: 'token',
    id: row.id,
    name: row.name,
    role: row.role,
    teamId: row.team_id,
    scope: scopeOf(row),
    ...(permits !== undefined && { permits }),
    ...(actions !== undefined && { actions }),
  };
}

const notFound = (): AppError => new AppError('not_found', TOKEN_CODES.notFound, 'there is no such token, or it was revoked before');
const textOf = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));
const listOf = (text: string | null): readonly string[] | undefined =>
  text === null ? undefined : (JSON.parse(text) as readonly string[]);

function viewOf(row: TokenRow, nowMs: number): TokenView {
  const { id, name, role, scope, hint, created_by, created_at_ms, expires_at_ms, last_used_at_ms, last_used_address } = row;
  const previousUntilMs = row.previous_until_ms ?? 0;
  return {
    id,
    name,
    role,
    teams: [...(teamsOf(row.teams) ?? [])],
    scope,
    permits: row.permits === null ? null : (JSON.parse(row.permits) as Record<string, string[]>),
    actions: row.actions === null ? null : [...(listOf(row.actions) ?? [])],
    addresses: row.addresses === null ? null : [...(listOf(row.addresses) ?? [])],
    hint,
    created_by,
    created_at_ms,
    expires_at_ms,
    last_used_at_ms,
    last_used_address,
    previous_until_ms: previousUntilMs > nowMs ? previousUntilMs : null,
  } satisfies TokenView;
}
