import { AppError } from '@nines/base/errors.ts';
import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { Kysely } from 'kysely';
import type { Bus } from '../platform/bus.ts';
import { Secret } from '../platform/config/fields.ts';
import type { StatusPageRow } from '../platform/db/migrations/0016-status-pages.ts';
import type { Database } from '../platform/db/schema.ts';
import type { SecretPlace, Secrets } from '../platform/secrets/contract.ts';
import { keptOpen, mapLeaves, openLeaves, placeBelow, refuseStandIns, sealedLeaf } from '../platform/secrets/leaves.ts';
import { HIDDEN } from '../platform/scrub.ts';
import { createTurns } from '../platform/turns.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import { STATUS_PAGE_CODES, type StatusPageSpec, statusPageSchema, unknownToPage } from './contract.ts';
import { type Logo, readLogo } from '../platform/logo.ts';
import { deletePage, madePages, savePage } from './store.ts';

/** A page of the configuration file with the place that declares it, such as `nines.yml:12`. */
export type DeclaredStatusPage = { readonly spec: StatusPageSpec; readonly place: string; readonly logo: Logo | undefined };
/** A page in force; without a place it was made through the API. */
export type StandingPage = { readonly spec: StatusPageSpec; readonly place: string | undefined; readonly logo: Logo | undefined };

export type PagesDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly services: Pick<ServiceCatalogue, 'get' | 'list'>;
  readonly secrets: Secrets;
  /** How people reach the server itself. */
  readonly externalUrl: string;
  /** Whether there is a channel of kind `email` with this id. */
  readonly hasMailer: (channel: string) => boolean;
  /** Called after the pages in force have changed, before whoever changed them is answered. */
  readonly onChange: () => Promise<void>;
};

/** Which status pages there are. The file's are the file's; those made through the API are changed here. */
export class StatusPages {
  readonly #deps: PagesDeps;
  /** What stands in the place of secrets that cannot be read: nobody knows it, so the page stays closed. */
  readonly #standIns = new Set<string>();
  readonly #alone = createTurns();
  #standing: ReadonlyMap<string, StandingPage> = new Map();
  #byDomain: ReadonlyMap<string, StandingPage> = new Map();

  constructor(deps: PagesDeps) {
    this.#deps = deps;
  }

  /** By id. */
  list(): readonly StandingPage[] {
    return [...this.#standing.values()];
  }

  get(id: string): StandingPage | undefined {
    return this.#standing.get(id);
  }

  /** The page of a host name, in lower case. */
  ofDomain(name: string): StandingPage | undefined {
    return this.#byDomain.get(name);
  }

  /** Makes the file's pages the whole set of file-owned ones. An id or a domain that the file uses is the file's. */
  declare(declared: readonly DeclaredStatusPage[]): Promise<void> {
    return this.#alone(async () => {
      const ids = new Set(declared.map(({ spec }) => spec.id));
      const domains = new Set(declared.flatMap(({ spec }) => spec.domain ?? []));
      const made = (await this.#kept()).filter(({ spec }) => !ids.has(spec.id));
      const fitting = made.map((page) =>
        page.spec.domain !== undefined && domains.has(page.spec.domain) ? { ...page, spec: { ...page.spec, domain: undefined } } : page,
      );
      await this.#putInForce([...declared, ...fitting]);
    });
  }

  /** `AppError` `status_page_exists`, `status_page_invalid`. */
  create(spec: StatusPageSpec, by: string): Promise<StandingPage> {
    return this.#alone(() => {
      if (this.#standing.has(spec.id)) {
        throw new AppError('conflict', STATUS_PAGE_CODES.exists, `there is a status page "${spec.id}" already`, { field: 'id' });
      }
      return this.#save(spec, by);
    });
  }

  /** `[redacted]` in the place of a secret keeps the one that stood there. `AppError` as for `create` and `remove`. */
  update(id: string, spec: StatusPageSpec, by: string): Promise<StandingPage> {
    return this.#alone(() => {
      const before = this.#editable(id);
      if (spec.id !== id)
        throw new AppError('bad_input', STATUS_PAGE_CODES.invalid, 'the id of a status page cannot change', { field: 'id' });
      return this.#save(withSecretsOf(before.spec, spec), by);
    });
  }

  /** `AppError` `status_page_not_found`, `status_page_owned_by_file`. */
  remove(id: string): Promise<void> {
    return this.#alone(async () => {
      this.#editable(id);
      await deletePage(this.#deps.db, id);
      await this.#putInForce(this.list().filter(({ spec }) => spec.id !== id));
    });
  }

  /** `AppError` `status_page_not_found`. */
  find(id: string): StandingPage {
    const found = this.#standing.get(id);
    if (found === undefined) throw new AppError('not_found', STATUS_PAGE_CODES.notFound, `there is no status page "${id}"`);
    return found;
  }

  #editable(id: string): StandingPage {
    const found = this.find(id);
    if (found.place === undefined) return found;
    throw new AppError(
      'conflict',
      STATUS_PAGE_CODES.ownedByFile,
      `the status page "${id}" is declared at ${found.place} and is changed there`,
      {
        details: { place: found.place },
      },
    );
  }

  async #save(spec: StatusPageSpec, by: string): Promise<StandingPage> {
    const page = this.#judged(spec);
    refuseStandIns(spec, this.#standIns);
    const row = { id: spec.id, spec: writtenToKeep(this.#deps.secrets, spec), made_by: by, made_at_ms: this.#deps.clock.now() };
    await savePage(this.#deps.db, row);
    await this.#putInForce([...this.list().filter((one) => one.spec.id !== spec.id), page]);
    return page;
  }

  /** The pages that were made here; a secret that an older version kept open is sealed now. */
  async #kept(): Promise<readonly StandingPage[]> {
    const { db, logger } = this.#deps;
    const pages: StandingPage[] = [];
    for (const row of await madePages(db)) {
      const page = await this.#read(row);
      if (page === undefined) logger.error('a status page made in the UI cannot be read and is left out', { page: row.id });
      else pages.push(page);
    }
    return pages;
  }

  async #read(row: StatusPageRow): Promise<StandingPage | undefined> {
    const { db, secrets } = this.#deps;
    let kept: unknown;
    try {
      kept = JSON.parse(row.spec);
    } catch {
      return undefined;
    }
    const opened = openLeaves(secrets, placeOf(row.id), kept);
    for (const standIn of opened.standIns.keys()) this.#standIns.add(standIn);
    const parsed = statusPageSchema.safeParse(opened.value);
    if (!parsed.success) return undefined;
    const page = madeOf(parsed.data);
    if (keptOpen(page.spec, opened)) await savePage(db, { ...row, spec: writtenToKeep(secrets, page.spec) });
    return page;
  }

  #judged(spec: StatusPageSpec): StandingPage {
    const refuse = (message: string, field: string): never => {
      throw new AppError('bad_input', STATUS_PAGE_CODES.invalid, message, { field });
    };
    const { services, hasMailer } = this.#deps;
    const { email } = spec.subscriptions;
    const known = {
      services: new Set(services.list().map(({ id }) => id)),
      emails: new Set(email !== undefined && hasMailer(email) ? [email] : []),
      host: new URL(this.#deps.externalUrl).hostname,
    };
    const [unknown] = unknownToPage(spec, known);
    if (unknown !== undefined) refuse(unknown.message, unknown.path.join('.'));
    const other = spec.domain === undefined ? undefined : this.#byDomain.get(spec.domain);
    if (other !== undefined && other.spec.id !== spec.id)
      refuse(`the domain "${spec.domain}" is that of "${other.spec.id}" already`, 'domain');
    // What an administrator types in reaches no receiver that the outbound policy does not let them reach; trusted ones stand in the file.
    if (spec.webhooks.length > 0) refuse('webhooks that need no subscription belong into the configuration file', 'webhooks');
    if (spec.logo === undefined) return { spec, place: undefined, logo: undefined };
    const logo = readLogo(spec.logo, undefined);
    return { spec, place: undefined, logo: logo.ok ? logo.value : refuse(logo.error, 'logo') };
  }

  async #putInForce(pages: readonly StandingPage[]): Promise<void> {
    const sorted = pages.toSorted((a, b) => (a.spec.id < b.spec.id ? -1 : 1));
    this.#standing = new Map(sorted.map((page) => [page.spec.id, page]));
    this.#byDomain = new Map(sorted.flatMap((page) => (page.spec.domain === undefined ? [] : [[page.spec.domain, page] as const])));
    await this.#deps.onChange();
    this.#deps.bus.publish({ topic: 'services', type: 'status_pages.changed', atMs: this.#deps.clock.now(), data: null });
  }
}

/** A page as a person would write it, without secrets. Of receivers it says only on which server they are: chat services put their secret into the address. */
export function shownOf(spec: StatusPageSpec): unknown {
  return JSON.parse(JSON.stringify({ ...spec, webhooks: spec.webhooks.map((one) => ({ ...one, url: new URL(one.url).origin })) }));
}

const placeOf = (page: string): SecretPlace => ({ table: 'status_pages', id: page, column: 'spec' });

/** JSON for the database, secrets sealed. */
const writtenToKeep = (secrets: Secrets, spec: StatusPageSpec): string =>
  JSON.stringify(
    mapLeaves(spec, (leaf, path) => (leaf instanceof Secret ? sealedLeaf(secrets, placeBelow(placeOf(spec.id), path), leaf) : leaf)),
  );

function madeOf(spec: StatusPageSpec): StandingPage {
  const logo = spec.logo === undefined ? undefined : readLogo(spec.logo, undefined);
  return { spec, place: undefined, logo: logo?.ok === true ? logo.value : undefined };
}

function withSecretsOf(before: StatusPageSpec, after: StatusPageSpec): StatusPageSpec {
  const kept = (written: Secret | undefined, old: Secret | undefined): Secret | undefined =>
    written?.reveal() === HIDDEN ? (old ?? written) : written;
  const { private: secrets } = after;
  if (secrets === undefined) return after;
  return {
    ...after,
    private: { password: kept(secrets.password, before.private?.password), token: kept(secrets.token, before.private?.token) },
  };
}
