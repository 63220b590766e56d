import { AppError } from '@nines/base/errors.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { type AlertView, type Alerting, SYSTEM } from '../alerting/contract.ts';
import type { Ledger } from '../availability/contract.ts';
import type { Actor } from '../platform/http/contract.ts';
import { pageOfSeen, parseCursor } from '../platform/http/cursor.ts';
import { createTurns } from '../platform/turns.ts';
import type { ProblemView } from '../problems/contract.ts';
import { Automatic, type AutomaticDeps, RETURNS_WITHIN_MS, draftIncident, stormSinceMs, worstOf } from './automatic.ts';
import { type BookDeps, type Change, IncidentBook, type Living, type NewLink, viewOf } from './book.ts';
import {
  type ActionView,
  INCIDENT_CODES,
  type IncidentAlertView,
  type IncidentDetail,
  type IncidentEdit,
  type IncidentState,
  type IncidentView,
  type LinkView,
  type NewIncident,
  type PostMortemView,
  type StatisticsView,
} from './contract.ts';
import { type Entry, changeState, edit, lengthsOf, nextStates } from './evaluate.ts';
import { tellingsOf } from './escalate.ts';
import { draftPostMortem } from './post-mortem.ts';
import { DEFAULT_RULES, type IncidentRules, incidentRules } from './rules.ts';
import { type Sees, causesOf, linksWithin, timelineWithin } from './sight.ts';
import { statisticsOf } from './statistics.ts';
import {
  type IncidentFilter,
  actionsOf,
  deleteIncident,
  deleteLink,
  entriesOf,
  findPostMortem,
  findRules,
  insertAction,
  linksOf,
  listIncidents,
  openedSince,
  purgeIncidents,
  savePostMortem,
  saveRules,
  updateAction,
} from './store.ts';
import { appendEvent } from '../platform/records/events.ts';

export type IncidentsDeps = BookDeps &
  Omit<AutomaticDeps, 'book' | 'rules'> & {
    readonly ledger: Pick<Ledger, 'timeline'>;
    readonly alerts: Pick<Alerting, 'open'>;
  };

/** Services whose downtime is looked up for one incident, and incidents that statistics look at. */
const MAX_DOWNTIMES = 20;
const MAX_COUNTED = 10_000;
const MAX_ALERTS_SHOWN = 500;
/** Incidents that one transaction removes, and transactions of one run. */
const PURGED_AT_ONCE = 100;
const MAX_PURGES = 100;

type IncidentQuery = Omit<IncidentFilter, 'after' | 'linked'> & {
  readonly alert?: string | undefined;
  readonly cursor: string | undefined;
  /** Whether whoever asks may know of an incident; of all of them when absent. */
  readonly sees?: ((incident: IncidentView) => boolean) | undefined;
};

/** Commands of people, reads, and the steps that need nobody; one after another. */
export class IncidentService {
  readonly #deps: IncidentsDeps;
  readonly #book: IncidentBook;
  readonly #automatic: Automatic;
  readonly #alone = createTurns();
  #rules: IncidentRules = DEFAULT_RULES;
  #rulesRevision = 0;

  constructor(deps: IncidentsDeps) {
    this.#deps = deps;
    this.#book = new IncidentBook(deps);
    this.#automatic = new Automatic({ ...deps, book: this.#book, rules: () => this.#rules });
  }

  /** Reads what lives, and looks at every open problem in the next step. To be called once, after problems were loaded. */
  async load(): Promise<void> {
    const saved = await findRules(this.#deps.sql);
    if (saved !== undefined) {
      this.#rules = incidentRules.parse(JSON.parse(saved.spec));
      this.#rulesRevision = saved.revision;
    }
    const nowMs = this.#deps.clock.now();
    await this.#book.load(nowMs - RETURNS_WITHIN_MS);
    this.#automatic.restore(await openedSince(this.#deps.sql, SYSTEM, stormSinceMs(nowMs)));
    for (const living of this.#book.living()) {
      living.notedAlerts = [...living.problems].reduce((sum, id) => sum + (this.#deps.problems.get(id)?.alerts ?? 0), 0);
      // What ended while nobody looked is looked at too.
      this.notice([...living.problems].flatMap((id) => this.#deps.problems.get(id) ?? []));
    }
    this.notice(this.#deps.problems.open());
    for (const alert of this.#deps.alerts.open()) this.noticeAcknowledged(alert);
  }

  notice(changed: readonly ProblemView[]): void {
    this.#automatic.notice(changed);
  }

  step(nowMs: EpochMs): Promise<void> {
    return this.#alone(() => this.#automatic.step(nowMs));
  }

  noticeAcknowledged(alert: AlertView): void {
    this.#automatic.noticeAcknowledged(alert);
  }

  async list({ alert, cursor, sees, ...query }: IncidentQuery) {
    const problem = alert === undefined ? undefined : this.#deps.problems.of(alert);
    const linked = [...(alert === undefined ? [] : [alert]), ...(problem === undefined ? [] : [problem])];
    const { items, next } = await pageOfSeen({
      limit: query.limit,
      after: parseCursor(cursor),
      cursorOf: ({ opened_at_ms: atMs, id }: IncidentView) => ({ atMs, id }),
      sees,
      fetch: async (limit, after) => {
        const found = await listIncidents(this.#deps.sql, { ...query, limit, after, linked });
        const services = await this.#servicesOf(found.map(({ id }) => id));
        return found.map((incident) => viewOf(incident, services.get(incident.id) ?? []));
      },
    });
    return { items: [...items], next };
  }

  async statistics(asked: {
    readonly fromMs: EpochMs;
    readonly toMs: EpochMs;
    readonly by: StatisticsView['by'];
  }): Promise<StatisticsView> {
    const { fromMs, toMs, by } = asked;
    const any = { severities: [], category: undefined, service: undefined, after: undefined };
    const found = await listIncidents(this.#deps.sql, { ...any, status: 'all', fromMs: undefined, toMs, limit: MAX_COUNTED });
    const within = found.filter(({ openedAtMs }) => openedAtMs >= fromMs);
    const services = await this.#servicesOf(within.map(({ id }) => id));
    const counted = within.map((incident) => ({ incident, services: services.get(incident.id) ?? [] }));
    return { from_at_ms: fromMs, to_at_ms: toMs, by, items: statisticsOf(counted, by) };
  }

  /** By id or number. Without `sees` all is told. `AppError` `incident_not_found`. */
  async get(key: string, sees?: Sees): Promise<IncidentDetail> {
    const living = await this.#find(key);
    const { incident } = living;
    const { sql, problems } = this.#deps;
    const [timeline, links, actions] = await Promise.all([
      entriesOf(sql, incident.id),
      linksOf(sql, [incident.id]),
      actionsOf(sql, incident.id),
    ]);
    const own = links.get(incident.id) ?? [];
    const views = [...living.problems].flatMap((id) => problems.get(id) ?? []);
    return {
      ...viewOf(
        incident,
        own.flatMap(({ kind, ref }) => (kind === 'service' ? ref : [])),
      ),
      next_states: [...nextStates(incident)],
      timeline: [...timelineWithin(timeline, sees)],
      links: [...linksWithin(own, (id) => problems.get(id), sees)],
      alerts: [...(await this.#alertsOf(own))],
      causes: [...causesOf(views, sees)],
      actions: [...actions],
      figures: await this.#figuresOf(living),
      escalation: this.#escalationOf(living),
    };
  }

  /** Opens an incident by hand; what is not said is decided by the rules. */
  create(asked: NewIncident, actor: Actor): Promise<IncidentView> {
    return this.#alone(async () => {
      const { clock, ids, services: catalogue, alerts: alerting, problems } = this.#deps;
      const nowMs = clock.now();
      const unknown = asked.services.find((id) => catalogue.get(id) === undefined);
      if (unknown !== undefined) throw invalid(`there is no service "${unknown}"`, 'services');
      if (asked.started_at !== undefined && asked.started_at > nowMs) throw invalid('started_at lies in the future', 'started_at');
      const chosen = new Set(asked.alerts);
      const alerts = chosen.size === 0 ? [] : alerting.open().filter(({ id }) => chosen.has(id));
      const missing = asked.alerts.find((id) => !alerts.some((alert) => alert.id === id));
      if (missing !== undefined) throw invalid(`there is no open alert ${missing}`, 'alerts');
      const services = [...new Set([...asked.services, ...alerts.flatMap(({ service }) => service ?? [])])];
      const why = `set by ${actor.name}`;
      const severity = { value: asked.severity ?? worstOf(['warning', ...alerts.map((alert) => alert.severity)]), why };
      const found = problems.get([...new Set(alerts.flatMap(({ problem }) => problem ?? []))][0] ?? '');
      const isFree = found !== undefined && this.#book.ofProblem(found.id) === undefined;
      const incident = draftIncident({
        id: ids.uuid(),
        title: asked.title,
        summary: asked.summary,
        severity,
        category: { value: asked.category ?? 'application', why: asked.category === undefined ? 'nobody said' : why },
        team: catalogue.get(services[0] ?? '')?.owner ?? '',
        openedBy: actor.name,
        startedAtMs: asked.started_at ?? epochMs(Math.min(nowMs, ...alerts.map(({ active_at_ms: atMs }) => atMs))),
        openedAtMs: nowMs,
      });
      const links: NewLink[] = [
        ...(isFree ? [{ kind: 'problem', ref: found.id, text: found.title } as const] : []),
        ...alerts.map(({ id, alertname }): NewLink => ({ kind: 'alert', ref: id, text: alertname })),
        ...services.map((id): NewLink => ({ kind: 'service', ref: id, text: catalogue.get(id)?.name ?? '' })),
        ...services.flatMap((id) =>
          this.#deps.slasOf(id).map((ref): NewLink => ({ kind: 'sla', ref, text: `promises something about ${id}` })),
        ),
      ];
      const entries = [{ kind: 'opened', text: `opened by hand: ${asked.title}` }];
      const living = await this.#book.open(incident, { entries, links, actor: actor.name });
      living.notedAlerts = isFree ? found.alerts : 0;
      return viewOf(living.incident, [...living.services]);
    });
  }

  /** `AppError` `incident_not_found`, `revision_conflict`. */
  edit(key: string, asked: IncidentEdit, actor: Actor): Promise<IncidentView> {
    return this.#change(key, actor, asked.revision, (living) => {
      if (asked.started_at !== undefined && asked.started_at > living.incident.openedAtMs)
        throw invalid('the trouble cannot have begun after the incident was opened', 'started_at');
      const decided = edit(living.incident, asked, actor.name);
      return decided.entries.length === 0 ? undefined : decided;
    });
  }

  /** `AppError` `incident_change_refused` with what it may become. */
  changeState(
    key: string,
    asked: { readonly state: IncidentState; readonly comment: string; readonly revision?: number | undefined },
    actor: Actor,
  ): Promise<IncidentView> {
    return this.#change(key, actor, asked.revision, (living) => {
      const decided = changeState(living.incident, asked.state, { atMs: this.#deps.clock.now(), why: asked.comment });
      if (!decided.ok) throw new AppError('conflict', INCIDENT_CODES.refused, decided.error);
      return { ...decided.value, with: this.#automatic.ending(living, decided.value.after) };
    });
  }

  comment(key: string, text: string, actor: Actor): Promise<IncidentView> {
    return this.#note(key, actor, { kind: 'comment', text });
  }

  async link(key: string, link: NewLink, actor: Actor): Promise<IncidentView> {
    if (link.kind === 'service' && this.#deps.services.get(link.ref) === undefined)
      throw invalid(`there is no service "${link.ref}"`, 'ref');
    const text = link.text === '' ? `linked ${link.kind} ${link.ref}` : `linked ${link.kind} ${link.ref}: ${link.text}`;
    return this.#note(key, actor, { kind: 'link', text, data: { link: link.kind, ref: link.ref } }, { links: [link] });
  }

  unlink(key: string, link: Pick<LinkView, 'kind' | 'ref'>, actor: Actor): Promise<IncidentView> {
    return this.#change(key, actor, undefined, (living) => {
      const { kind, ref } = link;
      const entry = { kind: 'link', text: `${kind} ${ref} is linked no longer`, data: { link: kind, ref, removed: true } };
      return {
        after: living.incident,
        entries: [entry],
        with: async (trx) => {
          if (!(await deleteLink(trx, { incident_id: living.incident.id, kind, ref }))) throw notLinked(kind, ref);
          if (kind === 'service') living.services.delete(ref);
        },
      };
    });
  }

  async addAction(
    key: string,
    asked: { readonly text: string; readonly owner: string; readonly due_at: EpochMs | null },
    actor: Actor,
  ): Promise<ActionView> {
    const { clock, ids } = this.#deps;
    const { text, owner, due_at: dueAtMs } = asked;
    const made = { created_by: actor.name, created_at_ms: clock.now(), revision: 1 };
    const action: ActionView = { id: ids.uuid(), text, owner, due_at_ms: dueAtMs, done_at_ms: null, ...made };
    const entry = { kind: 'action', text: `action item: ${text}${owner === '' ? '' : ` (${owner})`}`, data: { action: action.id } };
    await this.#change(key, actor, undefined, (living) => ({
      after: living.incident,
      entries: [entry],
      with: (trx) => insertAction(trx, { ...action, incident_id: living.incident.id }),
    }));
    return action;
  }

  async editAction(
    key: string,
    actionId: string,
    asked: {
      readonly revision: number;
      readonly text?: string | undefined;
      readonly owner?: string | undefined;
      readonly due_at?: EpochMs | null | undefined;
      readonly done?: boolean | undefined;
    },
    actor: Actor,
  ): Promise<ActionView> {
    const { sql, clock } = this.#deps;
    const { incident } = await this.#find(key);
    const before = (await actionsOf(sql, incident.id)).find(({ id }) => id === actionId);
    if (before === undefined)
      throw new AppError('not_found', INCIDENT_CODES.notFound, `INC-${incident.number} has no action item ${actionId}`);
    const doneAtMs = asked.done === undefined ? before.done_at_ms : asked.done ? (before.done_at_ms ?? clock.now()) : null;
    const after: ActionView = {
      ...before,
      text: asked.text ?? before.text,
      owner: asked.owner ?? before.owner,
      due_at_ms: asked.due_at === undefined ? before.due_at_ms : asked.due_at,
      done_at_ms: doneAtMs,
      revision: asked.revision,
    };
    const what =
      doneAtMs !== null && before.done_at_ms === null ? 'done' : doneAtMs === null && before.done_at_ms !== null ? 'open again' : 'changed';
    const entry = { kind: 'action', text: `action item ${what}: ${after.text}`, data: { action: actionId, from: before } };
    await this.#change(key, actor, undefined, (living) => ({
      after: living.incident,
      entries: [entry],
      with: (trx) => updateAction(trx, living.incident.id, after),
    }));
    return { ...after, revision: asked.revision + 1 };
  }

  /** What was saved, or a draft from what is known now. */
  async postMortem(key: string, sees?: Sees): Promise<PostMortemView> {
    const { incident } = await this.#find(key);
    const saved = await findPostMortem(this.#deps.sql, incident.id);
    return saved ?? { markdown: draftPostMortem(await this.get(key, sees)), author: '', saved_at_ms: null, revision: 0 };
  }

  /** `AppError` `revision_conflict`. */
  async savePostMortem(
    key: string,
    asked: { readonly markdown: string; readonly revision: number },
    actor: Actor,
  ): Promise<PostMortemView> {
    const saved = { ...asked, author: actor.name, saved_at_ms: this.#deps.clock.now() };
    await this.#change(key, actor, undefined, (living) => ({
      after: living.incident,
      entries: [{ kind: 'post_mortem', text: 'post-mortem saved' }],
      with: (trx) => savePostMortem(trx, living.incident.id, saved),
    }));
    return { ...saved, revision: asked.revision + 1 };
  }

  /** Takes an incident that was opened by mistake away, with its time line; that it was is in the audit. */
  async remove(key: string, revision: number, actor: Actor): Promise<void> {
    await this.#alone(async () => {
      const { sql, ids, clock, bus } = this.#deps;
      const { incident } = await this.#find(key);
      const nowMs = clock.now();
      const data = { incident: incident.id, number: incident.number, title: incident.title, actor: actor.name };
      await sql.transaction().execute(async (trx) => {
        await deleteIncident(trx, incident.id, revision);
        await appendEvent(
          trx,
          { kind: 'incident.deleted', dedupKey: ids.uuid(), atMs: nowMs, data, retentionClass: 'audit' },
          { ids, nowMs },
        );
      });
      this.#book.forget(incident.id);
      bus.publish({ topic: 'incidents', type: 'incident.deleted', atMs: nowMs, data });
    });
  }

  /** Removes what was over before that instant, some at a time so that others get their turn. Returns how many incidents that were. */
  async purge(beforeMs: number, signal: AbortSignal): Promise<number> {
    let removed = 0;
    for (let round = 0; round < MAX_PURGES && !signal.aborted; round++) {
      const gone = await this.#alone(() => purgeIncidents(this.#deps.sql, beforeMs, PURGED_AT_ONCE));
      for (const id of gone) this.#book.forget(id);
      removed += gone.length;
      if (gone.length < PURGED_AT_ONCE) break;
    }
    return removed;
  }

  rules(): { readonly rules: IncidentRules; readonly revision: number } {
    return { rules: this.#rules, revision: this.#rulesRevision };
  }

  /** `AppError` `revision_conflict`. */
  changeRules(rules: IncidentRules, revision: number, actor: Actor): Promise<{ readonly rules: IncidentRules; readonly revision: number }> {
    return this.#alone(async () => {
      const { sql, ids, clock } = this.#deps;
      const nowMs = clock.now();
      await sql.transaction().execute(async (trx) => {
        await saveRules(trx, { spec: JSON.stringify(rules), by: actor.name, atMs: nowMs, revision });
        const data = { actor: actor.name, before: this.#rules, after: rules };
        await appendEvent(
          trx,
          { kind: 'incident.rules_changed', dedupKey: ids.uuid(), atMs: nowMs, data, retentionClass: 'audit' },
          { ids, nowMs },
        );
      });
      this.#rules = rules;
      this.#rulesRevision = revision + 1;
      return this.rules();
    });
  }

  #note(key: string, actor: Actor, entry: Entry, more: { readonly links?: readonly NewLink[] } = {}): Promise<IncidentView> {
    return this.#change(key, actor, undefined, (living) => ({ after: living.incident, entries: [entry], ...more }));
  }

  /** `decide` says what follows, or nothing. */
  #change(
    key: string,
    actor: Actor,
    revision: number | undefined,
    decide: (living: Living) => Omit<Change, 'actor'> | undefined,
  ): Promise<IncidentView> {
    return this.#alone(async () => {
      const living = await this.#find(key);
      const { incident } = living;
      if (revision !== undefined && revision !== incident.revision)
        throw new AppError(
          'conflict',
          INCIDENT_CODES.changed,
          `INC-${incident.number} was changed by someone else meanwhile; read it again and repeat the change`,
        );
      const change = decide(living);
      if (change !== undefined) {
        await this.#book.save(living, { ...change, actor: actor.name });
        this.#deps.sent();
      }
      return viewOf(living.incident, [...living.services]);
    });
  }

  async #find(key: string): Promise<Living> {
    const living = await this.#book.find(key);
    if (living === undefined) throw new AppError('not_found', INCIDENT_CODES.notFound, `there is no incident ${key}`);
    return living;
  }

  async #servicesOf(ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const links = await linksOf(this.#deps.sql, ids, 'service');
    return new Map([...links].map(([id, all]) => [id, all.map(({ ref }) => ref)]));
  }

  async #alertsOf(links: readonly LinkView[]): Promise<readonly IncidentAlertView[]> {
    const { problems } = this.#deps;
    const found = new Map<string, IncidentAlertView>();
    for (const { kind, ref } of links) {
      if (kind !== 'problem' || found.size >= MAX_ALERTS_SHOWN) continue;
      for (const { labels: _labels, active_at_ms: _at, ...alert } of await problems.alertsOf(ref)) found.set(alert.alert, alert);
    }
    for (const { kind, ref, text, at_ms } of links) {
      if (kind !== 'alert' || found.has(ref)) continue;
      found.set(ref, {
        alert: ref,
        alertname: text,
        severity: '',
        service: null,
        joined_at_ms: at_ms,
        ended_at_ms: null,
        because: 'linked by hand',
      });
    }
    return [...found.values()].sort((a, b) => a.joined_at_ms - b.joined_at_ms).slice(0, MAX_ALERTS_SHOWN);
  }

  async #figuresOf({ incident, services }: Living): Promise<IncidentDetail['figures']> {
    const { detectMs, acknowledgeMs, resolveMs } = lengthsOf(incident);
    const { startedAtMs } = incident;
    const toMs = epochMs(Math.max(startedAtMs + 1, incident.resolvedAtMs ?? incident.mitigatedAtMs ?? this.#deps.clock.now()));
    const downtime = [];
    for (const service of [...services].filter((id) => this.#deps.services.get(id) !== undefined).slice(0, MAX_DOWNTIMES)) {
      const { intervals } = await this.#deps.ledger.timeline(service, startedAtMs, toMs);
      const inState = (state: string): number => intervals.reduce((sum, one) => sum + (one.state === state ? one.toMs - one.fromMs : 0), 0);
      downtime.push({ service, down_ms: inState('down'), degraded_ms: inState('degraded'), unknown_ms: inState('unknown') });
    }
    return { detect_ms: detectMs, acknowledge_ms: acknowledgeMs, resolve_ms: resolveMs, downtime };
  }

  #escalationOf({ incident }: Living): IncidentDetail['escalation'] {
    const audienceOf = (step: string) => this.#rules.escalation.find(({ id }) => id === step)?.audience ?? 'operations';
    const told = incident.escalated.map(({ step, channel, atMs, state }) => ({
      step,
      audience: audienceOf(step),
      channel,
      at_ms: atMs,
      state,
    }));
    if (incident.state !== 'open' && incident.state !== 'acknowledged' && incident.state !== 'investigating') return told;
    const due = tellingsOf(incident, this.#rules).filter(
      ({ step, contact }) => !incident.escalated.some((one) => one.step === step && one.channel === contact.channel),
    );
    return [
      ...told,
      ...due.map(({ step, audience, contact, atMs }) => ({ step, audience, channel: contact.channel, at_ms: atMs, state: 'due' as const })),
    ];
  }
}

const invalid = (message: string, field: string): AppError => new AppError('bad_input', INCIDENT_CODES.invalid, message, { field });
const notLinked = (kind: string, ref: string): AppError =>
  new AppError('not_found', INCIDENT_CODES.notFound, `no ${kind} ${ref} is linked to this incident`);
