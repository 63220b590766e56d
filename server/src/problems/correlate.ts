/**
 * Which problem an alert belongs to, decided as it comes and without looking at the other alerts: each alert leaves traces (its
 * service, what that depends on, its specific labels) in an index, and the next alert asks the index. The work for one alert is
 * bounded by the limits below, whatever is open; two problems become one by a pointer.
 *
 * What links, strongest first: the same service; a dependency in either direction; the same host or another specific label. What
 * is only close in time is not linked. A victim of two causes joins the nearer one and merges nothing; a cause of two victims
 * makes them one problem.
 */
import { MINUTE_MS } from '@nines/base/units.ts';
import type { Severity } from '../alerting/contract.ts';
import { LabelKnowledge } from './labels.ts';

/** An alert as far as correlation needs it. */
export type Signal = {
  readonly alertId: string;
  readonly service: string | null;
  readonly alertname: string;
  readonly severity: Severity;
  readonly labels: Readonly<Record<string, string>>;
  /** When its condition began to hold. */
  readonly atMs: number;
  /** When it fired. */
  readonly seenAtMs: number;
};

/** The graph of dependencies, one step at a time. */
export type Topology = {
  readonly dependenciesOf: (service: string) => readonly string[];
  readonly dependentsOf: (service: string) => readonly string[];
};

export type Joined = {
  readonly problem: string;
  /** The problem begins with this alert. */
  readonly isNew: boolean;
  readonly because: string;
  /** Problems that are one with it since. */
  readonly absorbed: readonly string[];
};

/** How close in time alerts must be to belong together fully; beyond, what links them counts less, and nothing at five times that. */
export const DEFAULT_WINDOW_MS = 2 * MINUTE_MS;
const FADED_WINDOWS = 5;
/** How long traces are kept, by when alerts fired: an alert with a long `for` comes late and says when it began. */
export const TRACES_KEPT_MS = 30 * MINUTE_MS;

/** From this on an alert joins; from the second on what is linked alike in two problems makes them one. */
const JOINS = 0.5;
const MERGES = 0.8;
const SAME_SERVICE = 1;
/** By how many dependencies lie between. */
const DEPENDENCY: readonly number[] = [0, 0.9, 0.7, 0.55];
const OF_SEVERITY: Readonly<Record<Severity, number>> = { emergency: 1, critical: 1, warning: 0.85, info: 0.5 };
/** A silent dependency is taken for the cause when at least this many of its dependents fail, and this share of them. */
const SILENT_CAUSE = { services: 3, share: 0.6 } as const;
/** From so many services with a host in common on, the host is suspected. */
const SHARED_BY_MANY = 3;

/** Dependencies followed from one service, problems remembered per trace, and traces in all: the oldest go first. */
const MAX_ANCESTORS = 64;
const MAX_SPOTS = 8;
const MAX_TRACES = 200_000;
/** Dependencies of one service that are looked at for a silent cause. */
const MAX_DIRECT = 32;

/** Where a trace was last seen in one problem. */
type Spot = {
  problem: string;
  firstMs: number;
  lastMs: number;
  firstSeenMs: number;
  lastSeenMs: number;
  /** Dependencies between who left the trace and what it is about. */
  readonly hops: number;
  weight: number;
  /** Services that left it, and whether an alert did that is about no service: about the host itself. */
  services: number;
  bare: boolean;
};

type Evidence = { score: number; words: string[] };

export class Correlator {
  readonly #topology: Topology;
  readonly #windowMs: number;
  readonly #labels = new LabelKnowledge();
  /** By trace; least recently left first. */
  readonly #traces = new Map<string, Spot[]>();
  readonly #mergedInto = new Map<string, string>();
  readonly #sizes = new Map<string, number>();

  constructor(topology: Topology, options: { readonly windowMs?: number } = {}) {
    this.#topology = topology;
    this.#windowMs = options.windowMs ?? DEFAULT_WINDOW_MS;
  }

  /** The problem that one went into, or itself. */
  rootOf(problem: string): string {
    let root = problem;
    for (let next = this.#mergedInto.get(root); next !== undefined; next = this.#mergedInto.get(root)) root = next;
    // Later walks from here take one step.
    for (let at = problem; at !== root; ) {
      const next = this.#mergedInto.get(at) ?? root;
      this.#mergedInto.set(at, root);
      at = next;
    }
    return root;
  }

  /** Puts an alert where it belongs; `newId` names a problem that begins. */
  add(signal: Signal, newId: () => string): Joined {
    this.#forgetBefore(signal.seenAtMs - TRACES_KEPT_MS);
    const links = this.#labels.linksOf(signal.labels);
    const own = this.#bestAlike(signal, links);
    const effects = this.#effectsOf(signal);
    const cause = this.#isKnown(signal) ? undefined : this.#nearestCause(signal);
    const words: string[] = [];
    const roots = new Set<string>();
    for (const [problem, evidence] of [...own, ...effects, ...(cause === undefined ? [] : [cause])]) {
      roots.add(problem);
      words.push(...evidence.words);
    }
    const [kept = newId(), ...absorbed] = [...roots].sort((a, b) => this.#sizeOf(b) - this.#sizeOf(a) || (a < b ? -1 : 1));
    for (const other of absorbed) this.merge(kept, other);
    this.#sizes.set(kept, this.#sizeOf(kept) + 1);
    const silent = this.#leave(signal, kept, links);
    const problem = this.rootOf(kept);
    const because = words.length === 0 ? 'nothing related was open' : [...new Set(words)].slice(0, 3).join('; ');
    return { problem, isNew: roots.size === 0, because, absorbed: [...absorbed, ...silent].filter((id) => id !== problem) };
  }

  /** Makes two problems one: `absorbed` goes into `kept`. */
  merge(kept: string, absorbed: string): void {
    this.#mergedInto.set(absorbed, kept);
    this.#sizes.set(kept, this.#sizeOf(kept) + this.#sizeOf(absorbed));
    this.#sizes.delete(absorbed);
  }

  /** Leaves the traces of an alert whose problem is known (after a restart). */
  restore(signal: Signal, problem: string): void {
    this.#sizes.set(problem, this.#sizeOf(problem) + 1);
    this.#leave(signal, problem, this.#labels.linksOf(signal.labels), { joins: false });
  }

  /** Drops what is remembered of problems that are long over, and of those that went into them. */
  forget(problems: ReadonlySet<string>): void {
    const gone = [...this.#mergedInto.keys()].filter((absorbed) => problems.has(this.rootOf(absorbed)));
    for (const absorbed of gone) this.#mergedInto.delete(absorbed);
    for (const problem of problems) this.#sizes.delete(problem);
  }

  #sizeOf(problem: string): number {
    return this.#sizes.get(problem) ?? 0;
  }

  /** Problems with alerts of the same service or about the same thing: the best, and others that are linked as strongly. */
  #bestAlike(signal: Signal, links: readonly { readonly key: string; readonly weight: number }[]): readonly [string, Evidence][] {
    const found = new Map<string, Evidence>();
    const asked = links.map(({ key, weight }) => ({ trace: `l ${key}`, weight, word: `also ${key}` }));
    if (signal.service !== null) asked.push({ trace: `s ${signal.service}`, weight: SAME_SERVICE, word: `same service ${signal.service}` });
    for (const { trace, weight, word } of asked) {
      for (const spot of this.#traces.get(trace) ?? []) {
        const shared = trace.startsWith('l ') ? weight * trustOf(signal, spot) : weight;
        this.#note(found, spot, { weight: shared * this.#nearness(signal, spot), word });
      }
    }
    const sorted = [...found].filter(([, { score }]) => score >= JOINS).sort((a, b) => b[1].score - a[1].score);
    return sorted.filter(([, { score }], index) => index === 0 || score >= MERGES);
  }

  /** Problems of services that depend on the alert's: all of them, for it may be their common cause. */
  #effectsOf(signal: Signal): readonly [string, Evidence][] {
    const { service } = signal;
    if (service === null) return [];
    const found = new Map<string, Evidence>();
    for (const spot of this.#traces.get(`d ${service}`) ?? []) {
      const weight = (DEPENDENCY[spot.hops] ?? 0) * OF_SEVERITY[signal.severity] * this.#nearness(signal, spot);
      this.#note(found, spot, { weight, word: `what fails depends on ${service}` });
    }
    return [...found].filter(([, { score }]) => score >= JOINS);
  }

  /** The problem of the nearest failing service that the alert's depends on. */
  #nearestCause(signal: Signal): [string, Evidence] | undefined {
    if (signal.service === null) return undefined;
    const found = new Map<string, Evidence>();
    for (const { service, hops } of this.#ancestorsOf(signal.service)) {
      for (const spot of this.#traces.get(`s ${service}`) ?? []) {
        const weight = (DEPENDENCY[hops] ?? 0) * spot.weight * this.#nearness(signal, spot);
        this.#note(found, spot, { weight, word: `${signal.service} depends on ${service}` });
      }
    }
    const [best] = [...found].filter(([, { score }]) => score >= JOINS).sort((a, b) => b[1].score - a[1].score);
    return best;
  }

  /** Whether its service alerted a moment ago: what it depends on was asked then, and whatever came since asked for it. */
  #isKnown(signal: Signal): boolean {
    const spots = signal.service === null ? undefined : this.#traces.get(`s ${signal.service}`);
    const spot = spots?.at(-1);
    if (spots?.length !== 1 || spot === undefined) return false;
    return signal.seenAtMs - spot.lastSeenMs <= this.#windowMs / 4 && gapTo(signal.atMs, spot.firstMs, spot.lastMs) <= this.#windowMs / 4;
  }

  /** Evidences add up as independent ones do: what is left of the doubt is the product of the doubts. */
  #note(found: Map<string, Evidence>, spot: Spot, { weight, word }: { readonly weight: number; readonly word: string }): void {
    if (weight <= 0) return;
    const problem = this.rootOf(spot.problem);
    const evidence = found.get(problem) ?? { score: 0, words: [] };
    evidence.score = 1 - (1 - evidence.score) * (1 - weight);
    if (!evidence.words.includes(word) && evidence.words.length < 3) evidence.words.push(word);
    found.set(problem, evidence);
  }

  /** 1 within the window, falling to 0; by when conditions began or by when alerts fired, whichever is closer. */
  #nearness(signal: Signal, spot: Spot): number {
    const gapMs = Math.min(gapTo(signal.atMs, spot.firstMs, spot.lastMs), gapTo(signal.seenAtMs, spot.firstSeenMs, spot.lastSeenMs));
    if (gapMs <= this.#windowMs) return 1;
    return Math.max(0, 1 - (gapMs - this.#windowMs) / ((FADED_WINDOWS - 1) * this.#windowMs));
  }

  #ancestorsOf(service: string): readonly { readonly service: string; readonly hops: number }[] {
    const hopsOf = new Map([[service, 0]]);
    for (const [at, hops] of hopsOf) {
      if (hops + 1 >= DEPENDENCY.length) break;
      for (const next of this.#topology.dependenciesOf(at)) {
        if (hopsOf.size > MAX_ANCESTORS) break;
        if (!hopsOf.has(next)) hopsOf.set(next, hops + 1);
      }
    }
    hopsOf.delete(service);
    return [...hopsOf].map(([id, hops]) => ({ service: id, hops }));
  }

  /** Traces for those that come. Returns problems that are one since because a dependency that they share is the likely, silent cause. */
  #leave(
    signal: Signal,
    problem: string,
    links: readonly { readonly key: string }[],
    { joins }: { readonly joins: boolean } = { joins: true },
  ): readonly string[] {
    const isKnown = this.#isKnown(signal);
    const isNew = signal.service !== null && this.#mark(`s ${signal.service}`, signal, { problem, hops: 0 }).isNew;
    for (const { key } of links) this.#mark(`l ${key}`, signal, { problem, hops: 0, isNewService: isNew });
    if (signal.service === null) return [];
    if (isKnown && !isNew) return [];
    const absorbed: string[] = [];
    for (const { service, hops } of this.#ancestorsOf(signal.service)) {
      this.#mark(`d ${service}`, signal, { problem, hops, isNewService: isNew });
    }
    if (!isNew || !joins) return absorbed;
    for (const dependency of this.#topology.dependenciesOf(signal.service).slice(0, MAX_DIRECT)) {
      absorbed.push(...this.#joinVictims(dependency, signal));
    }
    return absorbed;
  }

  #joinVictims(dependency: string, signal: Signal): readonly string[] {
    const spots = (this.#traces.get(`d ${dependency}`) ?? []).filter((spot) => spot.hops === 1 && this.#nearness(signal, spot) === 1);
    const services = spots.reduce((sum, spot) => sum + spot.services, 0);
    if (services < SILENT_CAUSE.services || services < SILENT_CAUSE.share * this.#topology.dependentsOf(dependency).length) return [];
    const roots = [...new Set(spots.map((spot) => this.rootOf(spot.problem)))].sort((a, b) => this.#sizeOf(b) - this.#sizeOf(a));
    const [kept, ...others] = roots;
    if (kept !== undefined) for (const other of others) this.merge(kept, other);
    return others;
  }

  #mark(
    trace: string,
    signal: Signal,
    { problem, hops, isNewService = true }: { readonly problem: string; readonly hops: number; readonly isNewService?: boolean },
  ): { readonly isNew: boolean } {
    const spots = this.#traces.get(trace) ?? [];
    const spot = spots.find((one) => one.hops === hops && this.rootOf(one.problem) === this.rootOf(problem));
    const weight = OF_SEVERITY[signal.severity];
    const { atMs, seenAtMs } = signal;
    const bare = signal.service === null;
    if (spot === undefined) {
      spots.push({ problem, firstMs: atMs, lastMs: atMs, firstSeenMs: seenAtMs, lastSeenMs: seenAtMs, hops, weight, services: 1, bare });
      if (spots.length > MAX_SPOTS) spots.shift();
    } else {
      spot.firstMs = Math.min(spot.firstMs, atMs);
      spot.lastMs = Math.max(spot.lastMs, atMs);
      spot.firstSeenMs = Math.min(spot.firstSeenMs, seenAtMs);
      spot.lastSeenMs = Math.max(spot.lastSeenMs, seenAtMs);
      spot.weight = Math.max(spot.weight, weight);
      spot.bare ||= bare;
      if (isNewService) spot.services++;
    }
    this.#traces.delete(trace);
    this.#traces.set(trace, spots);
    return { isNew: spot === undefined };
  }

  #forgetBefore(seenMs: number): void {
    for (const [trace, spots] of this.#traces) {
      const isOld = spots.every((spot) => spot.lastSeenMs < seenMs);
      if (!isOld && this.#traces.size <= MAX_TRACES) return;
      this.#traces.delete(trace);
    }
  }
}

/**
 * How much of a shared label counts: fully when one of the two is about the thing itself, as far as its severity allows; little when two
 * services merely share it, more when several do.
 */
function trustOf(signal: Signal, spot: Spot): number {
  if (signal.service === null) return OF_SEVERITY[signal.severity];
  if (spot.bare) return spot.weight;
  return spot.services >= SHARED_BY_MANY ? 0.75 : 0.45;
}

const gapTo = (atMs: number, firstMs: number, lastMs: number): number => Math.max(0, firstMs - atMs, atMs - lastMs);
