import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Kysely, Transaction } from 'kysely';
import type { Bus } from '../platform/bus.ts';
import type { IncidentLinkRow } from '../platform/db/migrations/0039-incidents.ts';
import type { Database } from '../platform/db/schema.ts';
import { appendEvent } from '../platform/records/events.ts';
import type { IncidentView, LinkKind } from './contract.ts';
import type { Entry, Incident } from './evaluate.ts';
import { findIncident, insertEntries, insertIncident, insertLinks, linksOf, livingIncidents, nextNumber, updateIncident } from './store.ts';

export type BookDeps = {
  readonly sql: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly bus: Bus;
};

/** An incident that is not long over, with what it is about. */
export type Living = {
  incident: Incident;
  readonly services: Set<string>;
  readonly problems: Set<string>;
  /** Alerts of its problems when its time line last spoke of them. */
  notedAlerts: number;
};

export type NewLink = { readonly kind: LinkKind; readonly ref: string; readonly text: string };

/** One change: what the incident is then, what the time line says, what is linked, and what else belongs into the transaction. */
export type Change = {
  readonly after: Incident;
  readonly entries: readonly Entry[];
  readonly links?: readonly NewLink[];
  readonly with?: (trx: Transaction<Database>) => Promise<void>;
  readonly actor: string;
};

/** Living incidents in memory, equal to the database. Every change is one transaction with its lines of the time line and its audit event. */
export class IncidentBook {
  readonly #deps: BookDeps;
  readonly #living = new Map<string, Living>();
  readonly #byProblem = new Map<string, string>();

  constructor(deps: BookDeps) {
    this.#deps = deps;
  }

  /** Reads what lives. */
  async load(endedAfterMs: number): Promise<void> {
    const incidents = await livingIncidents(this.#deps.sql, endedAfterMs);
    const links = await linksOf(
      this.#deps.sql,
      incidents.map(({ id }) => id),
    );
    for (const incident of incidents) {
      const living = this.#keep(incident);
      for (const { kind, ref } of links.get(incident.id) ?? []) this.#link(living, kind, ref);
    }
  }

  living(): readonly Living[] {
    return [...this.#living.values()];
  }

  get(id: string): Living | undefined {
    return this.#living.get(id);
  }

  ofProblem(problem: string): Living | undefined {
    return this.#living.get(this.#byProblem.get(problem) ?? '');
  }

  /** Gives the incident its number and saves it. */
  async open(draft: Incident, change: Omit<Change, 'after'>): Promise<Living> {
    const { sql, clock } = this.#deps;
    const nowMs = clock.now();
    const incident = await sql.transaction().execute(async (trx) => {
      const numbered = { ...draft, number: await nextNumber(trx) };
      await insertIncident(trx, numbered);
      await this.#saveRest(trx, { ...change, after: numbered }, { nowMs, kind: 'incident.opened' });
      return numbered;
    });
    const living = this.#keep(incident);
    for (const { kind, ref } of change.links ?? []) this.#link(living, kind, ref);
    this.#publish('opened', living, nowMs);
    return living;
  }

  /** Saves a change of a living incident, or of one of long ago that `living` was made for. Memory follows when it is durable. */
  async save(living: Living, change: Change): Promise<Living> {
    const { sql, clock } = this.#deps;
    const nowMs = clock.now();
    try {
      living.incident = await sql.transaction().execute(async (trx) => {
        const saved = await updateIncident(trx, change.after);
        await this.#saveRest(trx, { ...change, after: saved }, { nowMs, kind: 'incident.changed' });
        return saved;
      });
    } catch (thrown) {
      // Another process may have been faster: the next decision is made on what it wrote.
      living.incident = (await findIncident(sql, living.incident.id)) ?? living.incident;
      throw thrown;
    }
    this.#living.set(living.incident.id, living);
    for (const { kind, ref } of change.links ?? []) this.#link(living, kind, ref);
    this.#publish('changed', living, nowMs);
    return living;
  }

  /** A living incident, or one of long ago as if it were. */
  async find(key: string): Promise<Living | undefined> {
    const incident = await findIncident(this.#deps.sql, key);
    if (incident === undefined) return undefined;
    const known = this.#living.get(incident.id);
    if (known !== undefined) return known;
    const living: Living = { incident, services: new Set(), problems: new Set(), notedAlerts: 0 };
    const links = (await linksOf(this.#deps.sql, [incident.id])).get(incident.id) ?? [];
    for (const { kind, ref } of links) {
      if (kind === 'service') living.services.add(ref);
      if (kind === 'problem') living.problems.add(ref);
    }
    return living;
  }

  /** A problem is now this incident's, whatever it was before. */
  assign(living: Living, problem: string): void {
    this.#link(living, 'problem', problem);
  }

  forget(id: string): void {
    const living = this.#living.get(id);
    this.#living.delete(id);
    for (const problem of living?.problems ?? []) if (this.#byProblem.get(problem) === id) this.#byProblem.delete(problem);
  }

  #keep(incident: Incident): Living {
    const living: Living = { incident, services: new Set(), problems: new Set(), notedAlerts: 0 };
    this.#living.set(incident.id, living);
    return living;
  }

  #link(living: Living, kind: LinkKind, ref: string): void {
    if (kind === 'service') living.services.add(ref);
    if (kind !== 'problem') return;
    living.problems.add(ref);
    this.#byProblem.set(ref, living.incident.id);
  }

  async #saveRest(trx: Transaction<Database>, change: Change, at: { readonly nowMs: EpochMs; readonly kind: string }): Promise<void> {
    const { ids } = this.#deps;
    const { after, entries, links = [], actor } = change;
    const { nowMs, kind } = at;
    const rows = links.map(
      ({ kind: linked, ref, text }): IncidentLinkRow => ({ incident_id: after.id, kind: linked, ref, text, at_ms: nowMs, added_by: actor }),
    );
    await insertLinks(trx, rows);
    await insertEntries(
      trx,
      entries.map(({ kind: of, text, data = {} }) => ({
        id: ids.uuid(),
        incident_id: after.id,
        at_ms: nowMs,
        kind: of,
        text,
        actor,
        data: JSON.stringify(data),
      })),
    );
    const data = {
      incident: after.id,
      number: after.number,
      state: after.state,
      actor,
      changes: entries.map(({ kind: of, text }) => ({ kind: of, text })),
    };
    await appendEvent(trx, { kind, dedupKey: ids.uuid(), atMs: nowMs, data, retentionClass: 'audit' }, { ids, nowMs });
    await change.with?.(trx);
  }

  #publish(what: 'opened' | 'changed', living: Living, atMs: EpochMs): void {
    this.#deps.bus.publish({ topic: 'incidents', type: `incident.${what}`, atMs, data: viewOf(living.incident, [...living.services]) });
  }
}

export const viewOf = (incident: Incident, services: readonly string[]): IncidentView => ({
  id: incident.id,
  number: incident.number,
  title: incident.title,
  summary: incident.summary,
  state: incident.state,
  severity: incident.severity,
  severity_why: incident.severityWhy,
  category: incident.category,
  category_why: incident.categoryWhy,
  roles: {
    commander: incident.roles.commander ?? null,
    communications: incident.roles.communications ?? null,
    scribe: incident.roles.scribe ?? null,
  },
  team: incident.team,
  opened_by: incident.openedBy,
  started_at_ms: incident.startedAtMs,
  opened_at_ms: incident.openedAtMs,
  acknowledged_at_ms: incident.acknowledgedAtMs,
  mitigated_at_ms: incident.mitigatedAtMs,
  resolved_at_ms: incident.resolvedAtMs,
  closed_at_ms: incident.closedAtMs,
  resolves_at_ms: incident.resolvesAtMs,
  merged_into: incident.mergedInto,
  services: [...services],
  revision: incident.revision,
});
