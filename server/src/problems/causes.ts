/**
 * What a problem consists of, counted as its alerts come and go, and which of it is probably the cause. Candidates are the services
 * and the specific labels of its alerts, and services that they depend on and that say nothing themselves.
 */
import { MINUTE_MS } from '@nines/base/units.ts';
import { SEVERITIES, type Severity } from '../alerting/contract.ts';
import type { CauseView } from './contract.ts';
import type { Signal, Topology } from './correlate.ts';
import type { Link } from './labels.ts';

/** Things counted per problem, dependencies followed from one of them, and how far: each bounds a storm. */
const MAX_PARTS = 300;
const MAX_REACH = 128;
const MAX_HOPS = 6;
const MAX_SERVICES_OF_LABEL = 50;
/** Labels that are thought of as causes: those on most alerts. */
const MAX_LABELS = 20;
const MAX_CAUSES = 3;
/** Labels that name less than this are no cause. */
const MIN_LABEL_WEIGHT = 0.5;
const SILENT_TRUST = 0.8;
/** From which share of its dependents on a service that says nothing itself is thought of. */
const SILENT_SHARE = 0.5;
/** Half an advantage in time is gone after this long. */
const EARLIER_MS = MINUTE_MS;

/** What of the answer each clue is worth; they sum to 1. */
const WORTH = { explains: 0.4, root: 0.25, first: 0.2, severe: 0.15 } as const;

type Part = {
  readonly kind: CauseView['kind'];
  readonly subject: string;
  readonly weight: number;
  alerts: number;
  firstAtMs: number;
  severity: number;
  alertname: string;
  /** Of a label: the services whose alerts carry it, and how many alerts that are about no service do. */
  readonly services: Set<string>;
  bare: number;
};

/** A problem as it is counted. */
export class Anatomy {
  readonly id: string;
  openedAtMs: number;
  lastAtMs: number;
  resolvedAtMs: number | null = null;
  severity = 0;
  alerts = 0;
  open = 0;
  readonly #parts = new Map<string, Part>();

  constructor(id: string, atMs: number) {
    this.id = id;
    this.openedAtMs = atMs;
    this.lastAtMs = atMs;
  }

  /** Counts an alert in. */
  add(signal: Signal, links: readonly Link[]): void {
    const { service, alertname, atMs, seenAtMs } = signal;
    const severity = SEVERITIES.indexOf(signal.severity);
    this.alerts++;
    this.open++;
    this.resolvedAtMs = null;
    this.severity = Math.max(this.severity, severity);
    this.openedAtMs = Math.min(this.openedAtMs, seenAtMs);
    this.lastAtMs = Math.max(this.lastAtMs, seenAtMs);
    const seen = { atMs, severity, alertname };
    if (service !== null) this.#count('service', { subject: service, weight: 1, ...seen });
    const specific = links.filter(({ weight }) => weight >= MIN_LABEL_WEIGHT);
    for (const { key, weight } of specific) {
      const part = this.#count('label', { subject: key, weight, ...seen });
      if (service === null && part !== undefined) part.bare++;
      else if (service !== null && part !== undefined && part.services.size < MAX_SERVICES_OF_LABEL) part.services.add(service);
    }
    if (service === null && specific.length === 0) this.#count('alert', { subject: alertname, weight: 1, ...seen });
  }

  /** One of its alerts has that severity now. */
  raise(severity: Severity): void {
    this.severity = Math.max(this.severity, SEVERITIES.indexOf(severity));
  }

  end(atMs: number): void {
    this.open = Math.max(0, this.open - 1);
    if (this.open === 0) this.resolvedAtMs = Math.max(atMs, this.openedAtMs);
  }

  /** Takes over all that another problem counted. */
  absorb(other: Anatomy): void {
    this.openedAtMs = Math.min(this.openedAtMs, other.openedAtMs);
    this.lastAtMs = Math.max(this.lastAtMs, other.lastAtMs);
    this.resolvedAtMs =
      this.open + other.open > 0 ? null : Math.max(this.resolvedAtMs ?? this.openedAtMs, other.resolvedAtMs ?? this.openedAtMs);
    this.severity = Math.max(this.severity, other.severity);
    this.alerts += other.alerts;
    this.open += other.open;
    for (const [key, part] of other.#parts) {
      const own = this.#parts.get(key);
      if (own === undefined) {
        if (this.#parts.size < MAX_PARTS) this.#parts.set(key, part);
        continue;
      }
      own.alerts += part.alerts;
      own.bare += part.bare;
      for (const service of part.services) if (own.services.size < MAX_SERVICES_OF_LABEL) own.services.add(service);
      own.severity = Math.max(own.severity, part.severity);
      if (part.firstAtMs < own.firstAtMs) own.alertname = part.alertname;
      own.firstAtMs = Math.min(own.firstAtMs, part.firstAtMs);
    }
  }

  severityWord(): Severity {
    return SEVERITIES[this.severity] ?? 'info';
  }

  /** Those with most alerts first. */
  services(limit: number): readonly string[] {
    const services = [...this.#parts.values()].filter(({ kind }) => kind === 'service');
    return services
      .sort((a, b) => b.alerts - a.alerts || (a.subject < b.subject ? -1 : 1))
      .slice(0, limit)
      .map(({ subject }) => subject);
  }

  /** The probable causes, most probable first. */
  causes(topology: Topology): readonly CauseView[] {
    const services = new Map([...this.#parts.values()].filter(({ kind }) => kind === 'service').map((part) => [part.subject, part]));
    const reach = reachOf(services, topology);
    const labels = [...this.#parts.values()].filter(({ kind }) => kind === 'label').sort((a, b) => b.alerts - a.alerts);
    const others = [...this.#parts.values()].filter(({ kind }) => kind !== 'label');
    const parts = [...others, ...labels.slice(0, MAX_LABELS), ...silentOf(services, reach, topology)];
    const firstMs = Math.min(...parts.map((part) => part.firstAtMs));
    const worst = Math.max(...parts.map((part) => part.severity));
    const judged = parts.map((part) => this.#judge(part, { reach, firstMs, worst }));
    return judged.sort((a, b) => b.score - a.score || (a.subject < b.subject ? -1 : 1)).slice(0, MAX_CAUSES);
  }

  #judge(part: Part, problem: { readonly reach: Reach; readonly firstMs: number; readonly worst: number }): CauseView {
    const { reach, firstMs, worst } = problem;
    const { kind, subject, weight } = part;
    const isSilent = part.alerts === 0;
    const { explained, failing } = explanationOf(part, reach);
    const share = Math.min(1, explained / Math.max(1, this.alerts));
    const isRoot = failing === 0;
    const laterMs = isSilent ? EARLIER_MS / 2 : part.firstAtMs - firstMs;
    const first = 1 / (1 + laterMs / EARLIER_MS);
    const severe = worst === 0 ? 1 : part.severity / worst;
    // A label that one service alone carries says no more than the service does.
    const isShared = part.bare > 0 || part.services.size > 1;
    const trust = kind === 'label' ? (isShared ? 1 : weight) : isSilent ? SILENT_TRUST : 1;
    const score = (WORTH.explains * share + (isRoot ? WORTH.root : 0) + WORTH.first * first + WORTH.severe * severe) * trust;
    const reasons = [
      `explains ${explained} of ${this.alerts} ${this.alerts === 1 ? 'alert' : 'alerts'}`,
      ...(isSilent ? ['says nothing itself, but most of what depends on it fails'] : []),
      ...(kind !== 'alert' ? [isRoot ? 'depends on nothing that fails' : `depends on ${failing} that fail`] : []),
      ...(isSilent ? [] : [laterMs === 0 ? `first, with ${part.alertname}` : `${Math.round(laterMs / 1_000)} s after the first`]),
    ];
    return {
      kind,
      subject,
      score: Math.round(score * 1_000) / 1_000,
      explains: Math.round(share * 1_000) / 1_000,
      first_at_ms: isSilent ? null : part.firstAtMs,
      reasons,
    };
  }

  #count(
    kind: Part['kind'],
    seen: Pick<Part, 'subject' | 'weight' | 'severity' | 'alertname'> & { readonly atMs: number },
  ): Part | undefined {
    const key = `${kind} ${seen.subject}`;
    const part = this.#parts.get(key);
    if (part === undefined) {
      if (this.#parts.size >= MAX_PARTS) return undefined;
      const { subject, weight, severity, alertname, atMs } = seen;
      const made: Part = { kind, subject, weight, severity, alertname, firstAtMs: atMs, alerts: 1, services: new Set(), bare: 0 };
      this.#parts.set(key, made);
      return made;
    }
    part.alerts++;
    part.severity = Math.max(part.severity, seen.severity);
    if (seen.atMs < part.firstAtMs) part.alertname = seen.alertname;
    part.firstAtMs = Math.min(part.firstAtMs, seen.atMs);
    return part;
  }
}

type Reach = {
  /** The failing services with how many alerts each has, and what it depends on, however indirectly. */
  readonly failing: ReadonlyMap<string, { readonly alerts: number; readonly on: ReadonlySet<string> }>;
  /** By service: the alerts of those that depend on it, and how many failing ones it depends on. */
  readonly explained: ReadonlyMap<string, number>;
  readonly failingBelow: ReadonlyMap<string, number>;
  /** Failing services that depend on this one directly. */
  readonly direct: ReadonlyMap<string, number>;
};

function reachOf(services: ReadonlyMap<string, Part>, topology: Topology): Reach {
  const failing = new Map<string, { alerts: number; on: ReadonlySet<string> }>();
  const explained = new Map<string, number>();
  const failingBelow = new Map<string, number>();
  const direct = new Map<string, number>();
  for (const { subject, alerts } of services.values()) {
    const below = dependenciesFrom(subject, topology);
    failing.set(subject, { alerts, on: new Set(below.map(({ service }) => service)) });
    for (const { service, hops } of below) {
      explained.set(service, (explained.get(service) ?? 0) + alerts);
      if (hops === 1) direct.set(service, (direct.get(service) ?? 0) + 1);
      if (services.has(service)) failingBelow.set(subject, (failingBelow.get(subject) ?? 0) + 1);
    }
  }
  return { failing, explained, failingBelow, direct };
}

/** How many alerts a candidate would explain, and on how many failing services, not itself among them, it depends. */
function explanationOf(
  { kind, subject, alerts, services, bare }: Part,
  reach: Reach,
): { readonly explained: number; readonly failing: number } {
  if (kind === 'alert') return { explained: alerts, failing: 0 };
  if (kind === 'service') {
    return { explained: alerts + (reach.explained.get(subject) ?? 0), failing: reach.failingBelow.get(subject) ?? 0 };
  }
  let explained = bare;
  const below = new Set<string>();
  for (const [service, { alerts: own, on }] of reach.failing) {
    const carries = services.has(service);
    if (carries || [...services].some((carrier) => on.has(carrier))) explained += own;
    if (carries) for (const other of on) if (reach.failing.has(other) && !services.has(other)) below.add(other);
  }
  return { explained, failing: below.size };
}

function dependenciesFrom(from: string, { dependenciesOf }: Topology): readonly { readonly service: string; readonly hops: number }[] {
  const hopsOf = new Map([[from, 0]]);
  for (const [at, hops] of hopsOf) {
    if (hops >= MAX_HOPS) break;
    for (const next of dependenciesOf(at)) if (hopsOf.size <= MAX_REACH && !hopsOf.has(next)) hopsOf.set(next, hops + 1);
  }
  hopsOf.delete(from);
  return [...hopsOf].map(([service, hops]) => ({ service, hops }));
}

/** Services without an alert of their own of which most dependents fail. */
function silentOf(services: ReadonlyMap<string, Part>, reach: Reach, topology: Topology): readonly Part[] {
  const worst = Math.max(0, ...[...services.values()].map(({ severity }) => severity));
  const found: Part[] = [];
  for (const [service, count] of reach.direct) {
    if (services.has(service) || count < 2 || count < SILENT_SHARE * topology.dependentsOf(service).length) continue;
    found.push({
      kind: 'service',
      subject: service,
      weight: 1,
      alerts: 0,
      firstAtMs: Number.MAX_SAFE_INTEGER,
      severity: worst,
      alertname: '',
      services: new Set(),
      bare: 0,
    });
  }
  return found;
}
