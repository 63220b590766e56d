import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import { type Known, type Knows, scopeOf, teamsOf } from '../access/contract.ts';
import type { AuditEntry, RecordAudit } from '../audit/contract.ts';
import type { TokenRow } from '../platform/db/migrations/0002-access.ts';
import type { Db } from '../platform/db/open.ts';
import type { Actor } from '../platform/http/contract.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import { SECRET_BYTES, digestOf } from '../platform/secret-digest.ts';
import { type NewToken, TOKEN_CODES, type TokenView } from './contract.ts';
import * as store from './store.ts';

const TOKEN_PREFIX = 'nines_';
/** What is shown of a token behind its prefix, so that a person recognises it. */
const HINT_CHARS = 4;
/** Last use is shown to the minute; writing it more often would only cost. */
const TOUCH_EVERY_MS = MINUTE_MS;

export type TokenDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  /** A token was revoked: what is remembered of tokens is to be forgotten. */
  readonly onRevoked?: () => void;
  /** Refuses a role that is not there, or that `by` may not give away. */
  readonly judgeRole: (by: AuditEntry['actor'], role: string) => void;
};

/** Beside a running server as well: the command line makes tokens by the same class. */
export class Tokens implements Knows {
  readonly #deps: TokenDeps;

  constructor(deps: TokenDeps) {
    this.#deps = deps;
  }

  /** Those that were not revoked, newest first. */
  async list(): Promise<readonly TokenView[]> {
    return (await store.listTokens(this.#deps.db.kysely)).map(viewOf);
  }

  /** The secret is in the answer and nowhere else. `AppError` `token_already_expired`, `role_not_found`, `beyond_own_permits`. */
  async create(by: AuditEntry['actor'], input: NewToken): Promise<TokenView & { readonly token: string }> {
    const { db, clock, ids, record, judgeRole } = this.#deps;
    judgeRole(by, input.role);
    const nowMs = clock.now();
    const expiresAtMs = input.expires_at_ms ?? null;
    if (expiresAtMs !== null && expiresAtMs <= nowMs)
      throw new AppError('bad_input', TOKEN_CODES.alreadyExpired, 'expires_at_ms lies in the past', { field: 'expires_at_ms' });
    const token = `${TOKEN_PREFIX}${ids.secret(SECRET_BYTES)}`;
    const row: TokenRow = {
      id: ids.uuid(),
      name: input.name,
      team_id: DEFAULT_TEAM,
      role: input.role,
      teams: JSON.stringify(input.teams ?? []),
      scope: input.scope ?? '',
      hint: token.slice(0, TOKEN_PREFIX.length + HINT_CHARS),
      secret_hash: digestOf(token),
      created_by: by.name,
      created_at_ms: nowMs,
      expires_at_ms: expiresAtMs,
      last_used_at_ms: null,
      revoked_at_ms: null,
    };
    await db.kysely.transaction().execute(async (trx) => {
      await store.insertToken(trx, row);
      const object = { kind: 'tokens', id: row.id };
      await record(trx, { actor: by, action: 'token.created', object, phase: 'done', after: viewOf(row) });
    });
    return { ...viewOf(row), token };
  }

  /** `AppError` `token_not_found`. */
  async revoke(by: AuditEntry['actor'], id: string): Promise<void> {
    const { db, clock, record, onRevoked } = this.#deps;
    await db.kysely.transaction().execute(async (trx) => {
      const before = (await store.listTokens(trx)).find((row) => row.id === id);
      if (before === undefined || !(await store.revokeToken(trx, id, clock.now()))) {
        throw new AppError('not_found', TOKEN_CODES.notFound, 'there is no such token, or it was revoked before');
      }
      await record(trx, { actor: by, action: 'token.revoked', object: { kind: 'tokens', id }, phase: 'done', before: viewOf(before) });
    });
    onRevoked?.();
  }

  /** Whom a secret stands for; undefined when it is no live token. */
  async actorOf(secret: string): Promise<Known | undefined> {
    const { db, clock } = this.#deps;
    const nowMs = clock.now();
    const row = await store.findToken(db.kysely, digestOf(secret));
    if (row === undefined || (row.expires_at_ms !== null && row.expires_at_ms <= nowMs)) return undefined;
    if (row.last_used_at_ms === null || nowMs - row.last_used_at_ms > TOUCH_EVERY_MS) await store.touchToken(db.kysely, row.id, nowMs);
    const actor: Actor = { kind: 'token', id: row.id, name: row.name, role: row.role, teamId: row.team_id, scope: scopeOf(row) };
    return { actor, endsAtMs: row.expires_at_ms ?? Number.POSITIVE_INFINITY };
  }
}

function viewOf(row: TokenRow): TokenView {
  const { id, name, scope, hint, created_by, created_at_ms, expires_at_ms, last_used_at_ms } = row;
  return {
    id,
    name,
    role: row.role,
    teams: [...(teamsOf(row.teams) ?? [])],
    scope,
    hint,
    created_by,
    created_at_ms,
    expires_at_ms,
    last_used_at_ms,
  };
}
