import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, type EpochMs, SECOND_MS, epochMs } from '@nines/base/units.ts';
import type { LedgerInterval, Timeline } from '@nines/maths/slo/types.ts';
import { unionSpans } from '@nines/maths/slo/window.ts';
import type { Ledger } from '../availability/contract.ts';
import type { Maintenance } from '../maintenance/contract.ts';
import type { PartHealth } from '../ops/contract.ts';
import type { Breath } from '../platform/breath.ts';
import { createTurns } from '../platform/turns.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import { type Artefact, type ServicePart, type Text, artefactOf, partOf, textsOf } from './artefacts.ts';
import { type Announcement, type ShownService, type StatusPageSpec, pagePath, servicesOf } from './contract.ts';
import { type Day, historyOf, lastDays, until } from './days.ts';
import { type PlannedWork, type ServiceSight, type Sight, announcementsOf, overallOf, shownState } from './evaluate.ts';
import { withStaleNotice } from './page.ts';
import type { StandingPage } from './pages.ts';
import type { Shelf } from './shelf.ts';
import { policyOf, styleOf } from './style.ts';

/** How often `step` is to be called. */
export const BOARD_STEP_MS = SECOND_MS;
/** What a page shows is at most this old, unless writing all pages takes long: no more than a tenth of the time is spent on it. */
const REFRESH_MS = 15 * SECOND_MS;
const REST_FACTOR = 10;
/** A page that is older says so. */
const STALE_MS = 60 * SECOND_MS;
/** How far ahead maintenance is shown, and how often. */
const AHEAD_MS = 60 * DAY_MS;
const MAX_WORK = 50;
/** How often pages are kept on the disk while nothing happens. */
const KEEP_MS = 300 * SECOND_MS;
/** And how soon after something has. */
const KEEP_CHANGE_MS = 10 * SECOND_MS;

export type BoardDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: Pick<Ledger, 'timeline' | 'current' | 'version'>;
  readonly services: Pick<ServiceCatalogue, 'get'>;
  readonly maintenance: Maintenance;
  readonly announcements: () => readonly Announcement[];
  readonly yieldNow: Breath;
  readonly shelf: Shelf;
  /** Where people find a page, without a slash at the end. */
  readonly urlOf: (spec: StatusPageSpec) => string;
};

/** What is served of one page: made at `atMs`. */
export type Written = {
  readonly atMs: number;
  readonly state: Sight['state'] | null;
  readonly artefacts: ReadonlyMap<string, Artefact>;
  /** The page itself with the notice that it is old, made when it is first asked for. */
  stale?: Promise<Artefact>;
};

type Closed = { readonly version: number; readonly fromMs: number; readonly toMs: number; readonly intervals: readonly LedgerInterval[] };

/**
 * Writes the pages ahead. Requests are answered from what was written last, whatever else the process is doing; it is written again when a
 * state changes or somebody announces something, and every few seconds. The same lies on the disk for the next start.
 */
export class Board {
  readonly #deps: BoardDeps;
  #pages: readonly StandingPage[] = [];
  readonly #alone = createTurns();
  readonly #written = new Map<string, Written>();
  /** The days of a service that are over, by page; they are asked of the ledger again when its history has changed. */
  readonly #closed = new Map<string, Closed>();
  readonly #texts = new Map<string, readonly Text[]>();
  #changed = true;
  #lastMs = Number.NEGATIVE_INFINITY;
  #tookMs = 0;
  #keptMs = Number.NEGATIVE_INFINITY;
  #unkept = true;

  constructor(deps: BoardDeps) {
    this.#deps = deps;
  }

  /** These pages from now on. One that was never written is taken from the disk, if it lies there; then all are written. */
  async configure(pages: readonly StandingPage[]): Promise<void> {
    const ids = new Set(pages.map(({ spec }) => spec.id));
    const gone = [...this.#written.keys()].filter((id) => !ids.has(id));
    this.#pages = pages;
    this.#closed.clear();
    for (const id of gone) {
      this.#written.delete(id);
      this.#texts.delete(id);
    }
    try {
      this.#deps.shelf.keepOnly(ids);
    } catch (thrown) {
      this.#deps.logger.warn('pages that are gone could not be taken off the disk', { error: messageOf(thrown) });
    }
    for (const id of ids) if (!this.#written.has(id)) await this.#restore(id);
    await this.refresh();
  }

  /** What is served of a page now. */
  written(id: string): Written | undefined {
    return this.#written.get(id);
  }

  /** Whether what is served is older than it should be. */
  isStale({ atMs }: Written): boolean {
    return this.#deps.clock.now() - atMs > Math.max(STALE_MS, 2 * REST_FACTOR * this.#tookMs);
  }

  /** How the pages are, for the health of the whole: one that could not be written anew for long says to visitors that it is old. */
  health(): PartHealth {
    const ids = this.#pages.map(({ spec }) => spec.id);
    const old = ids.filter((id) => {
      const written = this.#written.get(id);
      return written === undefined || this.isStale(written);
    });
    if (old.length > 0) return { status: 'degraded', detail: `not written anew: ${old.join(', ')}` };
    return { status: 'ok', detail: `${ids.length} pages` };
  }

  /** The page with the notice that it is old. */
  staleOf(written: Written, page: Artefact): Promise<Artefact> {
    written.stale ??= artefactOf({ type: page.type, text: withStaleNotice(page.body.toString('utf8')) });
    return written.stale;
  }

  /** Something happened that the pages show. */
  wake(): void {
    this.#changed = true;
  }

  /** Writes what is due. Steps must not overlap. */
  async step(nowMs: EpochMs): Promise<void> {
    const restMs = REST_FACTOR * this.#tookMs;
    const sinceMs = this.#deps.clock.monotonic() - this.#lastMs;
    if (sinceMs >= Math.max(REFRESH_MS, restMs) || (this.#changed && sinceMs >= restMs)) await this.refresh();
    const unkeptMs = nowMs - this.#keptMs;
    if (unkeptMs >= KEEP_MS || (this.#unkept && unkeptMs >= KEEP_CHANGE_MS)) await this.keep(nowMs);
  }

  /** Writes all pages now. One that cannot be written stays as it was; what it says is then as old as it says. */
  refresh(): Promise<void> {
    return this.#alone(async () => {
      const { clock } = this.#deps;
      const startedMs = clock.monotonic();
      this.#unkept ||= this.#changed;
      this.#changed = false;
      for (const page of this.#pages) await this.#tryToWrite(page);
      this.#lastMs = clock.monotonic();
      this.#tookMs = this.#lastMs - startedMs;
    });
  }

  /** Writes these pages now. */
  refreshOnly(ids: readonly string[]): Promise<void> {
    return this.#alone(async () => {
      this.#unkept = true;
      for (const page of this.#pages) if (ids.includes(page.spec.id)) await this.#tryToWrite(page);
    });
  }

  async #tryToWrite(page: StandingPage): Promise<void> {
    try {
      await this.#write(page);
    } catch (thrown) {
      this.#deps.logger.error('a status page could not be written anew', { page: page.spec.id, error: messageOf(thrown) });
    }
  }

  /** Puts what is served on the disk. A disk that refuses harms nobody who reads. */
  async keep(nowMs: number): Promise<void> {
    this.#unkept = false;
    this.#keptMs = nowMs;
    for (const [id, texts] of this.#texts) {
      await this.#deps.shelf
        .put(id, { atMs: this.#written.get(id)?.atMs ?? nowMs, texts })
        .catch((thrown: unknown) =>
          this.#deps.logger.warn('a status page was not kept on the disk', { page: id, error: messageOf(thrown) }),
        );
    }
  }

  async #restore(id: string): Promise<void> {
    const kept = this.#deps.shelf.take(id);
    if (kept === undefined) return;
    const artefacts = new Map<string, Artefact>();
    for (const text of kept.texts) artefacts.set(text.path, await artefactOf(text));
    this.#written.set(id, { atMs: kept.atMs, state: null, artefacts });
  }

  async #write(page: StandingPage): Promise<void> {
    const { spec, logo } = page;
    const sight = await this.sightOf(spec);
    const style = styleOf(spec);
    const parts = new Map<string, ServicePart>();
    for (const service of sight.groups.flatMap(({ services }) => services)) {
      parts.set(service.id, partOf(service, spec));
      await this.#deps.yieldNow();
    }
    const frame = { spec, style, path: pagePath(spec), hasLogo: logo !== undefined };
    const texts = textsOf({ frame, url: this.#deps.urlOf(spec), sight, parts });
    const artefacts = new Map<string, Artefact>();
    for (const text of texts) {
      artefacts.set(text.path, await artefactOf(text));
      await this.#deps.yieldNow();
    }
    this.#texts.set(spec.id, texts);
    this.#written.set(spec.id, { atMs: sight.atMs, state: sight.state, artefacts });
  }

  /** All that a page shows now. */
  async sightOf(spec: StatusPageSpec): Promise<Sight> {
    const { clock, maintenance, announcements } = this.#deps;
    const nowMs = clock.now();
    const days = lastDays(nowMs, spec.days, spec.zone);
    const fromMs = days[0]?.fromMs ?? nowMs;
    const shown = new Set(servicesOf(spec).map(({ service }) => service));
    const planned = maintenance
      .occurrences({ fromMs, toMs: epochMs(nowMs + AHEAD_MS) })
      .map((one) => ({ ...one, services: one.services.filter((id) => shown.has(id)) }))
      .filter(({ services }) => services.length > 0);
    const matters = announcementsOf(announcements(), { page: spec.id, services: shown, sinceMs: fromMs });
    const about = { nowMs, days, planned, open: matters.open, spec };
    const groups: { readonly name: string; readonly services: readonly ServiceSight[] }[] = [];
    for (const group of [{ name: '', services: spec.services }, ...spec.groups]) {
      const services: ServiceSight[] = [];
      for (const one of group.services) services.push(await this.#service(one, about));
      if (services.length > 0) groups.push({ name: group.name, services });
    }
    return {
      atMs: nowMs,
      state: overallOf(groups.flatMap(({ services }) => services)),
      groups,
      ...matters,
      maintenance: planned.filter(({ toMs }) => toMs > nowMs).slice(0, MAX_WORK),
    };
  }

  async #service(one: ShownService, about: About): Promise<ServiceSight> {
    const { nowMs, days, planned, open, spec } = about;
    const { ledger, services, yieldNow } = this.#deps;
    const own = planned.filter((work) => work.services.includes(one.service));
    const maintenance = until(unionSpans(own), nowMs);
    const timeline = await this.#timeline(`${spec.id}/${one.service}`, one.service, days);
    const history = historyOf(timeline, days, { maintenance, excluded: spec.maintenance === 'excluded' ? maintenance : [] });
    const current = ledger.current(one.service);
    await yieldNow();
    return {
      id: one.service,
      name: one.name ?? services.get(one.service)?.name ?? one.service,
      description: one.description,
      state: shownState(
        current.state,
        own.some(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs),
      ),
      seen: current.state,
      sinceMs: current.sinceMs,
      history,
      announcements: open.filter((matter) => matter.services.includes(one.service)),
    };
  }

  /** The timeline of the days, of which only today's part is asked for while the history before it has not changed. */
  async #timeline(key: string, service: string, days: readonly Day[]): Promise<Timeline> {
    const { ledger } = this.#deps;
    const [first, today] = [days[0], days.at(-1)];
    if (first === undefined || today === undefined) throw new Error('a status page shows at least one day, found none');
    const version = ledger.version(service);
    let closed = this.#closed.get(key);
    if (closed === undefined || closed.version !== version || closed.fromMs !== first.fromMs || closed.toMs !== today.fromMs) {
      const { intervals } = await ledger.timeline(service, first.fromMs, today.fromMs);
      closed = { version, fromMs: first.fromMs, toMs: today.fromMs, intervals };
      this.#closed.set(key, closed);
    }
    const { intervals } = await ledger.timeline(service, today.fromMs, today.toMs);
    return { fromMs: first.fromMs, toMs: today.toMs, intervals: [...closed.intervals, ...intervals] };
  }
}

type About = {
  readonly nowMs: EpochMs;
  readonly days: readonly Day[];
  readonly planned: readonly PlannedWork[];
  readonly open: readonly Announcement[];
  readonly spec: StatusPageSpec;
};

/** The policy of a page's browser. */
export const policyOfPage = (spec: StatusPageSpec): string => policyOf(styleOf(spec));
