import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type EpochMs, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import { type AlertView, SEVERITIES, SYSTEM, type Severity, UNHANDLED } from '../alerting/contract.ts';
import type { Page, Pager } from '../notify/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import type { ProblemAlertView, ProblemView, Problems } from '../problems/contract.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import type { IncidentBook, Living, NewLink } from './book.ts';
import {
  type Decided,
  type Incident,
  type Told,
  alertsEnded,
  alertsReturned,
  changeState,
  isActive,
  isUnresolved,
  mergeInto,
  quietLongEnough,
  reclassify,
} from './evaluate.ts';
import { type Telling, dueTellings, wordsFor } from './escalate.ts';
import { aboutService, factsOf, mostUrgentFirst } from './preview.ts';
import { type IncidentRules, type Why, categoryBy, opensBy, severityBy } from './rules.ts';

/** How long after its end an incident may come back by itself: as long as its alerts are correlated with new ones. */
export const RETURNS_WITHIN_MS = 30 * MINUTE_MS;
/** More than this within the time below is one incident, the storm; later problems join it. */
const STORM = { incidents: 20, withinMs: 10 * MINUTE_MS } as const;
const MAX_SERVICES = 200;
const MAX_NAME_CHARS = 200;

/** Incidents that were opened by themselves at or after this instant make a storm together. */
export const stormSinceMs = (nowMs: number): number => nowMs - STORM.withinMs + 1;

type Acknowledged = Pick<AlertView, 'id' | 'problem' | 'acknowledged_by' | 'acknowledged_at_ms' | 'alertname'>;

export type AutomaticDeps = {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly book: IncidentBook;
  readonly problems: Problems;
  readonly services: Pick<ServiceCatalogue, 'get'>;
  /** SLAs about a service. */
  readonly slasOf: (service: string) => readonly string[];
  readonly pager: Pick<Pager, 'page' | 'channelIds'>;
  readonly rules: () => IncidentRules;
  /** Told after something was put into the outbox. */
  readonly sent: () => void;
  readonly externalUrl: string;
};

/** What incidents do without a person: open, follow their alerts, end, and tell whom the rules name. Steps must not overlap. */
export class Automatic {
  readonly #deps: AutomaticDeps;
  /** Problems that changed and were not looked at yet; the newest view of each. */
  #waiting = new Map<string, ProblemView>();
  /** Alerts that somebody acknowledged, by id, whose incidents were not looked at yet. */
  #acknowledged = new Map<string, Acknowledged>();
  #openedAtMs: EpochMs[] = [];
  #storm: string | undefined;

  constructor(deps: AutomaticDeps) {
    this.#deps = deps;
  }

  /** Takes note of problems that changed; the next step looks at them. */
  notice(changed: readonly ProblemView[]): void {
    for (const problem of changed) this.#waiting.set(problem.id, problem);
  }

  /** Takes note of an alert that may have been acknowledged; the next step looks at its incident. */
  noticeAcknowledged(alert: Acknowledged): void {
    if (alert.acknowledged_by !== null) this.#acknowledged.set(alert.id, alert);
  }

  /** What incidents opened since `stormSinceMs` say of a storm: a restart is in the middle of it. In the order in which they were opened. */
  restore(opened: readonly Pick<Incident, 'id' | 'openedAtMs'>[]): void {
    this.#openedAtMs = opened.map(({ openedAtMs }) => openedAtMs);
    // Each one that opens during a storm is the incident of the storm from then on.
    this.#storm = opened.length >= STORM.incidents ? opened.at(-1)?.id : undefined;
  }

  async step(nowMs: EpochMs): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [id, problem] of waiting) {
      try {
        await (problem.state === 'merged' ? this.#merged(problem) : this.#changed(problem));
      } catch (thrown) {
        if (!this.#waiting.has(id)) this.#waiting.set(id, problem);
        this.#deps.logger.error('an incident could not follow its problem; it is tried again', { problem: id, error: thrown });
      }
    }
    const acknowledged = this.#acknowledged;
    this.#acknowledged = new Map();
    for (const [id, alert] of acknowledged) {
      try {
        await this.#acknowledge(alert);
      } catch (thrown) {
        if (!this.#acknowledged.has(id)) this.#acknowledged.set(id, alert);
        this.#deps.logger.error('an incident could not be acknowledged; it is tried again', { alert: id, error: thrown });
      }
    }
    for (const living of this.#deps.book.living()) {
      try {
        await this.#age(living, nowMs);
      } catch (thrown) {
        this.#deps.logger.error('an incident could not go on; it is tried again', { incident: living.incident.number, error: thrown });
      }
    }
  }

  /** Who acknowledges an alert has seen its incident, if there was one by then. */
  async #acknowledge({ problem, alertname, acknowledged_by: actor, acknowledged_at_ms: atMs }: Acknowledged): Promise<void> {
    const living = problem === null ? undefined : this.#deps.book.ofProblem(problem);
    if (living?.incident.state !== 'open' || actor === null || atMs === null || atMs < living.incident.openedAtMs) return;
    const why = `alert ${alertname} was acknowledged`;
    const decided = changeState(living.incident, 'acknowledged', { atMs: epochMs(atMs), why });
    if (decided.ok) await this.#save(living, decided.value, { actor });
  }

  /** Saves what was decided, with the word to everybody who had been told when it is over. */
  async #save(
    living: Living,
    { after, entries }: Decided,
    more: { readonly actor?: string; readonly links?: readonly NewLink[] } = {},
  ): Promise<void> {
    await this.#deps.book.save(living, {
      after,
      entries,
      links: more.links ?? [],
      actor: more.actor ?? SYSTEM,
      with: this.ending(living, after),
    });
    this.#deps.sent();
  }

  /** What goes out in the transaction of a change: nothing, unless it ends the incident. */
  ending(living: Living, after: Incident): (trx: Transaction<Database>) => Promise<void> {
    const wasOver = living.incident.state === 'resolved' || living.incident.state === 'closed';
    const isOver = after.state === 'resolved' || after.state === 'closed';
    return async (trx) => {
      if (wasOver || !isOver) return;
      const { rules, pager } = this.#deps;
      for (const { step, channel, to, state } of after.escalated) {
        const audience = rules().escalation.find(({ id }) => id === step)?.audience ?? 'operations';
        if (state !== 'told') continue;
        const telling: Telling = { step, audience, contact: { channel, ...(to === null ? {} : { to }) }, atMs: this.#deps.clock.now() };
        await pager.page(trx, this.#pageOf({ ...living, incident: after }, telling, 'resolved'));
      }
    };
  }

  async #changed(problem: ProblemView): Promise<void> {
    const living = this.#deps.book.ofProblem(problem.id);
    if (living === undefined) {
      if (problem.state === 'open') await this.#maybeOpen(problem);
      return;
    }
    if (living.incident.state === 'closed') return;
    await this.#follow(living, problem);
  }

  async #follow(living: Living, problem: ProblemView): Promise<void> {
    const { rules, clock } = this.#deps;
    const views = this.#problemsOf(living, problem);
    const alerts = views.reduce((sum, one) => sum + one.alerts, 0);
    const open = views.reduce((sum, one) => sum + one.alerts_open, 0);
    const joined = problem.services.filter((service) => !living.services.has(service)).slice(0, MAX_SERVICES - living.services.size);
    let decided: Decided = { after: living.incident, entries: [] };
    const then = (next: Decided | undefined): void => {
      if (next !== undefined) decided = { after: next.after, entries: [...decided.entries, ...next.entries] };
    };
    const isWorthALine = alerts <= 20 ? alerts > living.notedAlerts : alerts >= living.notedAlerts * 1.5;
    if (isWorthALine && living.notedAlerts > 0) {
      const more = alerts - living.notedAlerts;
      then({
        after: decided.after,
        entries: [{ kind: 'alerts', text: `${more} more ${more === 1 ? 'alert' : 'alerts'}, ${alerts} in all`, data: { alerts } }],
      });
    }
    if (joined.length > 0)
      then({ after: decided.after, entries: [{ kind: 'services', text: `affects ${joined.join(', ')}`, data: { services: joined } }] });
    const worst = worstOf(views.map(({ severity }) => severity));
    const facts = { severity: worst, ...aboutService(problem.services[0], this.#deps.services) };
    then(reclassify(decided.after, { severity: severityBy(rules(), facts, { worst, services: living.services.size + joined.length }) }));
    if (open === 0) then(alertsEnded(decided.after, rules().resolve_after_ms, clock.now()));
    else then(alertsReturned(decided.after, `${open} ${open === 1 ? 'alert fires' : 'alerts fire'} again`));
    if (decided.entries.length > 0) await this.#save(living, decided, { links: this.#serviceLinks(joined) });
    if (isWorthALine) living.notedAlerts = alerts;
  }

  /** The incident's problems as they are; the one that changed may be newer than what is known of it. */
  #problemsOf(living: Living, changed: ProblemView): readonly ProblemView[] {
    const { problems } = this.#deps;
    const found = new Map([[changed.id, changed]]);
    for (const id of living.problems) {
      const view = problems.get(id);
      if (view !== undefined && !found.has(view.id)) found.set(view.id, view);
    }
    return [...found.values()];
  }

  async #maybeOpen(problem: ProblemView): Promise<void> {
    const { rules, problems, clock } = this.#deps;
    if (
      !rules().open.some(
        ({ severities }) => SEVERITIES.indexOf(problem.severity) >= Math.min(...severities.map((one) => SEVERITIES.indexOf(one))),
      )
    )
      return;
    const nowMs = clock.now();
    this.#openedAtMs = this.#openedAtMs.filter((atMs) => atMs > nowMs - STORM.withinMs);
    const storm = this.#openedAtMs.length >= STORM.incidents ? this.#deps.book.get(this.#storm ?? '') : undefined;
    if (storm !== undefined && isUnresolved(storm.incident)) return this.#joinStorm(storm, problem);
    const alerts = await problems.alertsOf(problem.id);
    const firing = alerts.filter(({ ended_at_ms }) => ended_at_ms === null);
    for (const alert of mostUrgentFirst(firing)) {
      const opens = opensBy(rules(), alert.severity, factsOf(alert, this.#deps.services));
      if (opens === undefined) continue;
      if (!opens.value) continue;
      return this.#open(problem, { alert, alerts, opens });
    }
  }

  async #open(
    problem: ProblemView,
    {
      alert,
      alerts,
      opens,
    }: { readonly alert: ProblemAlertView; readonly alerts: readonly ProblemAlertView[]; readonly opens: Why<boolean> },
  ): Promise<void> {
    const { book, rules, clock, ids, logger } = this.#deps;
    const nowMs = clock.now();
    this.#openedAtMs.push(nowMs);
    const isStorm = this.#openedAtMs.length >= STORM.incidents;
    const [cause] = problem.causes;
    const telling = alerts.find(({ service }) => cause?.kind === 'service' && service === cause.subject) ?? alert;
    const facts = factsOf(telling, this.#deps.services);
    const category = categoryBy(rules(), facts);
    const severity = severityBy(rules(), facts, { worst: problem.severity, services: problem.services.length });
    const services = problem.services.slice(0, MAX_SERVICES);
    const incident = draftIncident({
      id: ids.uuid(),
      title: isStorm ? `Alert storm: more than ${STORM.incidents} problems in ${STORM.withinMs / MINUTE_MS} min` : nameOf(telling),
      severity,
      category,
      team: this.#deps.services.get(services[0] ?? '')?.owner ?? '',
      openedBy: SYSTEM,
      startedAtMs: epochMs(Math.min(nowMs, ...alerts.map((one) => one.active_at_ms))),
      openedAtMs: nowMs,
    });
    const living = await book.open(incident, {
      entries: [
        { kind: 'opened', text: `opened by ${opens.why}: ${nameOf(alert)}`, data: { problem: problem.id, alert: alert.alert } },
        { kind: 'classified', text: `severity ${severity.value} (${severity.why}), category ${category.value} (${category.why})` },
        ...(cause === undefined
          ? []
          : [{ kind: 'cause', text: `probable cause ${cause.subject}: ${cause.reasons.join('; ')}`, data: { causes: problem.causes } }]),
      ],
      links: [{ kind: 'problem', ref: problem.id, text: problem.title }, ...this.#serviceLinks(services)],
      actor: SYSTEM,
    });
    living.notedAlerts = problem.alerts;
    if (isStorm) this.#storm = living.incident.id;
    logger.info('incident opened', { incident: living.incident.number, problem: problem.id, because: opens.why });
    await this.#tell(living, nowMs);
  }

  async #joinStorm(storm: Living, problem: ProblemView): Promise<void> {
    const links: NewLink[] = [{ kind: 'problem', ref: problem.id, text: problem.title }];
    const services = problem.services
      .filter((service) => !storm.services.has(service))
      .slice(0, Math.max(0, MAX_SERVICES - storm.services.size));
    await this.#save(storm, { after: storm.incident, entries: [] }, { links: [...links, ...this.#serviceLinks(services)] });
  }

  /** Two problems turned out to be one: so are their incidents, and the older one goes on. */
  async #merged(problem: ProblemView): Promise<void> {
    const { book, problems, clock } = this.#deps;
    const absorbed = book.ofProblem(problem.id);
    const root = problems.get(problem.id);
    if (absorbed === undefined || root === undefined) return;
    const other = book.ofProblem(root.id);
    if (other === absorbed) return;
    const links: NewLink[] = [{ kind: 'problem', ref: root.id, text: root.title }];
    if (other === undefined || !isUnresolved(other.incident)) {
      await this.#save(absorbed, { after: absorbed.incident, entries: [] }, { links });
      return this.#changed(root);
    }
    const [kept, gone] = absorbed.incident.openedAtMs <= other.incident.openedAtMs ? [absorbed, other] : [other, absorbed];
    if (isUnresolved(gone.incident)) await this.#save(gone, mergeInto(gone.incident, kept.incident, clock.now()));
    const text = `INC-${gone.incident.number} is the same: ${gone.incident.title}`;
    const all = [...gone.problems].map((ref): NewLink => ({ kind: 'problem', ref, text: '' }));
    const services = [...gone.services].filter((service) => !kept.services.has(service));
    const more = [...links, ...all, ...this.#serviceLinks(services)];
    await this.#save(
      kept,
      { after: kept.incident, entries: [{ kind: 'merged', text, data: { from: gone.incident.id } }] },
      { links: more },
    );
    book.forget(gone.incident.id);
    for (const id of [root.id, ...gone.problems]) book.assign(kept, id);
    await this.#changed(root);
  }

  async #age(living: Living, nowMs: EpochMs): Promise<void> {
    const { incident } = living;
    const ended = quietLongEnough(incident, nowMs);
    if (ended !== undefined) return this.#save(living, ended);
    if (isActive(incident)) return this.#tell(living, nowMs);
    const endedAtMs = incident.closedAtMs ?? incident.resolvedAtMs;
    if (endedAtMs !== null && endedAtMs <= nowMs - RETURNS_WITHIN_MS) this.#deps.book.forget(incident.id);
  }

  /** Pages whoever is due, in the transaction that notes it. */
  async #tell(living: Living, nowMs: EpochMs): Promise<void> {
    const due = dueTellings(living.incident, this.#deps.rules(), nowMs);
    if (due.length === 0) return;
    const results: Told[] = [];
    const { book, pager } = this.#deps;
    const told = (one: Telling, state: Told['state']): Told => ({
      step: one.step,
      channel: one.contact.channel,
      to: one.contact.to ?? null,
      atMs: nowMs,
      state,
    });
    // Whether a channel exists is known before, so that the record of it is part of the same transaction.
    for (const one of due) results.push(told(one, this.#exists(one) ? 'told' : 'failed'));
    const after = { ...living.incident, escalated: [...living.incident.escalated, ...results] };
    const entries = results.map(({ step, channel, to, state }) => {
      const whom = `${channel}${to === null ? '' : ` (${to})`}`;
      return state === 'told'
        ? { kind: 'told', text: `${step}: told ${whom}`, data: { step, channel, to } }
        : { kind: 'told', text: `${step}: could not tell ${whom}: there is no such channel`, data: { step, channel, to, failed: true } };
    });
    await book.save(living, {
      after,
      entries,
      actor: SYSTEM,
      with: async (trx) => {
        for (const one of due) await pager.page(trx, this.#pageOf(living, one, 'notice'));
      },
    });
    this.#deps.sent();
  }

  #exists({ contact }: Telling): boolean {
    return this.#deps.pager.channelIds().includes(contact.channel);
  }

  #pageOf(living: Living, { step, audience, contact }: Telling, reason: 'notice' | 'resolved'): Page {
    const { incident } = living;
    const views = [...living.problems].flatMap((id) => this.#deps.problems.get(id) ?? []);
    const services = [...living.services];
    const url = `${this.#deps.externalUrl}/incidents/${incident.number}`;
    const alerts = views.reduce((sum, view) => sum + view.alerts, 0);
    const causes = views.flatMap((view) => view.causes);
    const words = wordsFor(audience, incident, { services, alerts, causes, nowMs: this.#deps.clock.now(), url });
    return {
      channel: contact.channel,
      to: contact.to,
      alert: asAlert(incident, { audience, service: services[0], url, summary: words.text }),
      thread: `INC-${incident.number} ${step}`,
      reason,
      cause: reason === 'resolved' ? `INC-${incident.number} is over` : `INC-${incident.number}, ${step}`,
      words,
    };
  }

  #serviceLinks(services: readonly string[]): readonly NewLink[] {
    return services.flatMap((service): NewLink[] => [
      { kind: 'service', ref: service, text: this.#deps.services.get(service)?.name ?? '' },
      ...this.#deps.slasOf(service).map((ref): NewLink => ({ kind: 'sla', ref, text: `promises something about ${service}` })),
    ]);
  }
}

/** What an incident is called after its alert; the words stay, however many alerts join. */
const nameOf = ({ alertname, service }: ProblemAlertView): string =>
  `${alertname}${service === null ? '' : ` on ${service}`}`.slice(0, MAX_NAME_CHARS);

export const worstOf = (severities: readonly Severity[]): Severity =>
  SEVERITIES[Math.max(0, ...severities.map((severity) => SEVERITIES.indexOf(severity)))] ?? 'info';

type Beginning = Pick<Incident, 'id' | 'title' | 'team' | 'openedBy' | 'startedAtMs' | 'openedAtMs'> & {
  readonly severity: Why<Severity>;
  readonly category: Why<Incident['category']>;
  readonly summary?: string;
};

/** An incident as it begins; it gets its number when it is saved. */
export const draftIncident = ({ severity, category, summary = '', ...beginning }: Beginning): Incident => ({
  ...beginning,
  number: 0,
  summary,
  state: 'open',
  severity: severity.value,
  severityWhy: severity.why,
  category: category.value,
  categoryWhy: category.why,
  roles: {},
  acknowledgedAtMs: null,
  mitigatedAtMs: null,
  resolvedAtMs: null,
  closedAtMs: null,
  resolvesAtMs: null,
  mergedInto: null,
  escalated: [],
  revision: 0,
});

/** Channels speak of alerts: this is how an incident looks to them. It has no id, so nobody can acknowledge it as an alert. */
function asAlert(
  incident: Incident,
  {
    audience,
    service,
    url,
    summary,
  }: { readonly audience: string; readonly service: string | undefined; readonly url: string; readonly summary: string },
): AlertView {
  const isOver = incident.state === 'resolved' || incident.state === 'closed';
  const labels = {
    alertname: 'Incident',
    incident: `INC-${incident.number}`,
    severity: incident.severity,
    category: incident.category,
    stakeholder: audience,
    ...(service === undefined ? {} : { service }),
  };
  return {
    ...UNHANDLED,
    id: '',
    fingerprint: incident.id,
    kind: 'service',
    rule: 'incident',
    alertname: 'Incident',
    state: isOver ? 'resolved' : 'firing',
    condition: isOver ? 'resolved' : 'firing',
    severity: incident.severity,
    labels,
    annotations: { summary: incident.title, description: summary },
    value: 1,
    active_at_ms: incident.startedAtMs,
    starts_at_ms: incident.startedAtMs,
    ends_at_ms: isOver ? (incident.resolvedAtMs ?? incident.closedAtMs) : null,
    generator_url: url,
    service: service ?? null,
  };
}
