import { createHmac } from 'node:crypto';
import type { Clock } from '@nines/base/clock.ts';
import { parseDuration } from '@nines/base/duration.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { DAY_MS } from '@nines/base/units.ts';
import { formatScope, narrowed, parseScope } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import type { z } from 'zod';
import type { RecordAudit } from '../../audit/contract.ts';
import type { EmbedLinkRow } from '../../platform/db/migrations/0080-embeds.ts';
import type { Db } from '../../platform/db/open.ts';
import type { Actor } from '../../platform/http/contract.ts';
import { isSame } from '../../platform/is-same.ts';
import type { Secrets } from '../../platform/secrets/contract.ts';
import { createTurns } from '../../platform/turns.ts';
import { refuseUnknown } from '../drawn/ask-values.ts';
import type { Drawer } from '../drawn/drawer.ts';
import { mayKnow } from '../maker.ts';
import type { DashboardSpec } from '../model.ts';
import type { Dashboards } from '../service.ts';
import { EMBED_CODES, EMBED_LIMITS, type EmbedLink, type EmbedView, embedLink, type newEmbed } from './contract.ts';
import { boardHtml } from './page.ts';
import { countOpenEmbeds, deleteEnded, embedSecret, findEmbed, insertEmbed, listEmbeds, revokeEmbed } from './store.ts';
import { type Written, WrittenBoards } from './written.ts';

const SECRET_BYTES = 32;
/** Ended links stay listed for this long. */
const TOLD_MS = 90 * DAY_MS;

export type EmbedsDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  readonly secrets: Secrets;
  readonly dashboards: Pick<Dashboards, 'get'>;
  readonly drawer: Drawer;
  /** The maker as they are now: what they see, if they may still read dashboards; undefined when they may not, or are gone. */
  readonly sightOf: (maker: { readonly kind: string; readonly id: string }) => Promise<Sight | undefined>;
  /** The product's own address, without a trailing slash. */
  readonly externalUrl: string;
};

/** What somebody may see: of everything this scope, and figures of these kinds. */
export type Sight = { readonly scope: Scope; readonly kinds: ReadonlySet<string> };

/** What is behind a link that opens. */
export type Opened = { readonly id: string; readonly link: EmbedLink; readonly spec: DashboardSpec; readonly sight: Sight };

export async function openEmbeds(deps: EmbedsDeps): Promise<Embeds> {
  const fresh = deps.ids.secret(SECRET_BYTES);
  const secret = await embedSecret(deps.db.kysely, { secrets: deps.secrets, fresh, nowMs: deps.clock.now() });
  return new Embeds(deps, secret);
}

/** A dashboard that is gone, or that a later server wrote, shows nothing; a database that stumbles is no answer about the link. */
function goneOrUnreadable(thrown: unknown): undefined {
  if (!(thrown instanceof AppError)) throw thrown;
}

/** Links to dashboards for pages of others. What a link shows is fixed when it is made; whoever follows it can ask for nothing else. */
export class Embeds {
  readonly #deps: EmbedsDeps;
  readonly #secret: string;
  readonly #alone = createTurns();
  readonly #written: WrittenBoards;

  constructor(deps: EmbedsDeps, secret: string) {
    this.#deps = deps;
    this.#secret = secret;
    this.#written = new WrittenBoards(deps.clock);
  }

  /** `AppError` `dashboard_not_found`, `embed_panel_not_found`, `unknown_variable`, `too_many_embeds`. */
  make(dashboard: string, { expires_in: expiresIn, ...link }: z.output<typeof newEmbed>, actor: Actor): Promise<EmbedView> {
    return this.#alone(async () => {
      const { db, clock, ids, record, dashboards } = this.#deps;
      const { spec } = await dashboards.get(dashboard);
      refuseMissing(spec, link);
      const nowMs = clock.now();
      if ((await countOpenEmbeds(db.kysely, nowMs, dashboard)) >= EMBED_LIMITS.ofDashboard)
        throw tooMany(`${EMBED_LIMITS.ofDashboard} open links to this dashboard`);
      if ((await countOpenEmbeds(db.kysely, nowMs)) >= EMBED_LIMITS.links) throw tooMany(`${EMBED_LIMITS.links} open links to dashboards`);
      const lasts = parseDuration(expiresIn);
      const row: EmbedLinkRow = {
        id: ids.uuid(),
        dashboard,
        spec: JSON.stringify(link),
        made_by_kind: actor.kind,
        made_by_id: actor.id,
        made_by_name: actor.name,
        scope: formatScope(actor.scope),
        made_at_ms: nowMs,
        expires_at_ms: nowMs + (lasts.ok ? lasts.value : 0),
        revoked_at_ms: null,
        revoked_by: null,
      };
      const { logo, ...shown } = link;
      const object = { kind: 'dashboards/embeds', id: row.id };
      const after = {
        dashboard,
        ...shown,
        ...(logo === undefined ? {} : { logo: `${logo.length} characters` }),
        expires_at_ms: row.expires_at_ms,
      };
      await db.kysely.transaction().execute(async (trx) => {
        await deleteEnded(trx, { dashboard, nowMs, beforeMs: nowMs - TOLD_MS, keep: EMBED_LIMITS.endedOfDashboard });
        await insertEmbed(trx, row);
        await record(trx, { actor, action: 'dashboard.embed_made', object, phase: 'done', after });
      });
      return this.#viewOf(row);
    });
  }

  /** Whoever sees a part of everything is told of their own links only: another one may show more. */
  async list(dashboard: string, actor: Actor): Promise<readonly EmbedView[]> {
    await this.#deps.dashboards.get(dashboard);
    const rows = await listEmbeds(this.#deps.db.kysely, dashboard);
    return rows.filter((row) => mayKnow(actor, row)).map((row) => this.#viewOf(row));
  }

  /** At once, also for pages that show it now. `AppError` `embed_not_found`. */
  async revoke(dashboard: string, id: string, actor: Actor): Promise<void> {
    const { db, clock, record } = this.#deps;
    const row = await findEmbed(db.kysely, id);
    if (row === undefined || row.dashboard !== dashboard || !mayKnow(actor, row)) throw notFound(id);
    await db.kysely.transaction().execute(async (trx) => {
      if (!(await revokeEmbed(trx, id, { by: actor.name, nowMs: clock.now() }))) throw notFound(id);
      const object = { kind: 'dashboards/embeds', id };
      await record(trx, { actor, action: 'dashboard.embed_revoked', object, phase: 'done', before: { dashboard } });
    });
    this.#written.forget(id);
  }

  /** What a token opens; undefined for every token that opens nothing, whatever the reason. */
  async open(token: string): Promise<Opened | undefined> {
    const { db, clock, dashboards, sightOf } = this.#deps;
    const [id = '', mac = '', ...rest] = token.split('.');
    if (rest.length > 0 || !isSame(mac, this.#mac(id))) return undefined;
    const row = await findEmbed(db.kysely, id);
    if (row === undefined || row.revoked_at_ms !== null || Number(row.expires_at_ms) <= clock.now()) return undefined;
    const sight = await sightOf({ kind: row.made_by_kind, id: row.made_by_id });
    const then = parseScope(row.scope);
    if (sight === undefined || !then.ok) return undefined;
    const view = await dashboards.get(row.dashboard).catch(goneOrUnreadable);
    if (view === undefined) return undefined;
    const link = embedLink.parse(JSON.parse(row.spec));
    return { id, link, spec: view.spec, sight: { ...sight, scope: narrowed(then.value, sight.scope) } };
  }

  /** The board behind a link as HTML: read at most once in ten seconds, however many look. */
  written(opened: Opened): Promise<Written> {
    const { scope, kinds } = opened.sight;
    return this.#written.get(opened.id, `${formatScope(scope)} ${[...kinds].join()}`, (atMs) => this.#write(opened, atMs));
  }

  async #write({ link, spec, sight: { scope, kinds } }: Opened, atMs: number): Promise<Written> {
    // A variable or a panel that left the dashboard since shows nothing instead of something else.
    const given = Object.fromEntries(Object.entries(link.values).filter(([name]) => spec.variables.some((one) => one.name === name)));
    const board = await this.#deps.drawer.read(spec, {
      given,
      scope,
      reads: (kind) => kinds.has(kind),
      panel: link.panel,
      range: link.range,
      isPublic: true,
    });
    return { html: boardHtml({ spec, link, board }), atMs };
  }

  #mac(id: string): string {
    return createHmac('sha256', this.#secret).update(`embed.${id}`).digest('base64url');
  }

  #viewOf(row: EmbedLinkRow): EmbedView {
    const { externalUrl, clock } = this.#deps;
    const link = embedLink.parse(JSON.parse(row.spec));
    const expiresAtMs = Number(row.expires_at_ms);
    return {
      id: row.id,
      dashboard: row.dashboard,
      url: `${externalUrl}/embed/${row.id}.${this.#mac(row.id)}`,
      title: link.title ?? null,
      panel: link.panel ?? null,
      values: link.values,
      range: link.range ?? null,
      sites: link.sites,
      theme: link.theme,
      made_by: row.made_by_name,
      made_at_ms: Number(row.made_at_ms),
      expires_at_ms: expiresAtMs,
      state: row.revoked_at_ms !== null ? 'revoked' : expiresAtMs <= clock.now() ? 'expired' : 'open',
    };
  }
}

function refuseMissing(spec: DashboardSpec, { panel, values }: EmbedLink): void {
  if (panel !== undefined && !Object.hasOwn(spec.panels, panel))
    throw new AppError('bad_input', EMBED_CODES.panelNotFound, `the dashboard has no panel "${panel}"`, { field: 'panel' });
  refuseUnknown(spec, values);
}

const tooMany = (count: string): AppError => new AppError('limited', EMBED_CODES.tooMany, `there are ${count} already; revoke some`);

const notFound = (id: string): AppError =>
  new AppError('not_found', EMBED_CODES.notFound, `there is no link ${id} to this dashboard, or it was revoked before`);
