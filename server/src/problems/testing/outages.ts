/**
 * A labelled corpus of outages: topologies of services on hosts, failures that cascade over them, other failures at the same time,
 * noise and late stragglers. Everything follows from the seed.
 */
import type { Severity } from '../../alerting/contract.ts';
import type { Signal, Topology } from '../correlate.ts';

export type Shape = 'layers' | 'tree' | 'hubs' | 'mesh' | 'chains' | 'diamonds';

export type CorpusOptions = {
  readonly seed: number;
  readonly shape: Shape;
  readonly services: number;
  readonly hosts: number;
  /** Probability that a failure goes on to a service that depends on the failing one. */
  readonly spread: number;
  /** Longest delay of one step of a cascade, in milliseconds. */
  readonly stepMs: number;
  /** Probability that the cause itself says nothing. */
  readonly silent: number;
  /** Probability of an alert that comes late by its `for`, and of one whose condition begins late. */
  readonly late: number;
  /** Other failures at the same time, elsewhere. */
  readonly coincident: number;
  /** Alerts about nothing, spread over the same minutes. */
  readonly noise: number;
};

export type Outage = {
  readonly topology: Topology;
  /** In the order in which they fire. */
  readonly signals: readonly Signal[];
  /** What each alert belongs to; noise belongs to itself. */
  readonly truth: ReadonlyMap<string, string>;
  /** By what it belongs to, the true cause as it would be named. */
  readonly causes: ReadonlyMap<string, string>;
};

/** mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const SYMPTOMS: readonly { readonly name: string; readonly severity: Severity; readonly forMs: number }[] = [
  { name: 'ServiceDown', severity: 'emergency', forMs: 0 },
  { name: 'HighErrorRate', severity: 'critical', forMs: 30_000 },
  { name: 'HighLatency', severity: 'warning', forMs: 60_000 },
  { name: 'QueueGrows', severity: 'warning', forMs: 120_000 },
];
const NOISE = ['DiskFillsUp', 'CertificateExpires', 'HighCpu', 'BackupLate', 'ClockSkew'];

/** Dependencies by service index, acyclic: a service depends on ones with a lower index. */
export function dependenciesFor(shape: Shape, count: number, random: () => number): readonly (readonly number[])[] {
  const pick = (limit: number): number => Math.floor(random() * limit);
  return Array.from({ length: count }, (_, i): readonly number[] => {
    if (i === 0) return [];
    switch (shape) {
      case 'tree':
        return [Math.floor((i - 1) / 3)];
      case 'chains':
        return i % 6 === 0 ? [] : [i - 1];
      case 'diamonds': {
        const top = i - (i % 4);
        if (i % 4 === 0) return random() < 0.5 ? [i - 1] : [];
        return i % 4 === 3 ? [top + 1, top + 2] : [top];
      }
      case 'hubs': {
        const hubs = Math.max(2, Math.floor(count / 10));
        return i < hubs ? [] : [pick(hubs)];
      }
      case 'layers': {
        const width = Math.max(2, Math.floor(count / 5));
        const layer = Math.floor(i / width);
        if (layer === 0) return [];
        return [...new Set([1, 2].map(() => (layer - 1) * width + pick(width)))];
      }
      case 'mesh':
        return [...new Set(Array.from({ length: 1 + pick(2) }, () => Math.max(0, i - 1 - pick(Math.min(i, 12)))))].filter((j) => j !== i);
    }
  });
}

type Draft = { readonly signal: Signal; readonly group: string };

export function makeOutage(options: CorpusOptions): Outage {
  const random = seeded(options.seed);
  const { services, hosts } = options;
  const below = dependenciesFor(options.shape, services, random);
  const above: number[][] = Array.from({ length: services }, () => []);
  below.forEach((list, i) => list.forEach((j) => above[j]?.push(i)));
  const hostOf = Array.from({ length: services }, () => Math.floor(random() * hosts));
  const startMs = 1_760_000_000_000;
  const drafts: Draft[] = [];
  const causes = new Map<string, string>();
  const taken = new Set<number>();
  let ids = 0;
  const severityOf = (word: Severity): Severity => (random() < 0.1 ? 'warning' : word);
  const emit = (group: string, at: { service: number | null; host: number; ms: number }, symptom: (typeof SYMPTOMS)[number]): void => {
    const isStraggler = random() < options.late;
    const atMs = startMs + at.ms + (isStraggler ? random() * 90_000 : 0);
    const service = at.service === null ? null : `svc-${at.service}`;
    const instance = `host-${at.host}:${9000 + Math.floor(random() * 3)}`;
    const carriesInstance = at.service === null || random() < 0.7;
    const labels: Record<string, string> = {
      alertname: symptom.name,
      severity: symptom.severity,
      env: 'production',
      job: `job-${Math.floor(random() * 4)}`,
      ...(service === null ? {} : { service }),
      ...(carriesInstance ? { instance } : {}),
    };
    const seenAtMs = atMs + symptom.forMs + (isStraggler ? 300_000 : random() * 15_000);
    const { name: alertname } = symptom;
    const signal = { alertId: `a${++ids}`, service, alertname, severity: severityOf(symptom.severity), labels, atMs, seenAtMs };
    drafts.push({ group, signal });
  };
  const failService = (group: string, root: number, ms: number, startsSilent: boolean): readonly number[] => {
    const hit = new Map([[root, ms]]);
    for (const [service, atMs] of hit) {
      for (const next of above[service] ?? []) {
        if (!hit.has(next) && !taken.has(next) && random() < options.spread) hit.set(next, atMs + random() * options.stepMs);
      }
    }
    for (const [service, atMs] of hit) {
      if (service === root && startsSilent && hit.size > 3) continue;
      const count = 1 + Math.floor(random() * 3);
      const first = Math.floor(random() * 2);
      for (const symptom of SYMPTOMS.slice(first, first + count)) {
        emit(group, { service, host: hostOf[service] ?? 0, ms: atMs + random() * 20_000 }, symptom);
      }
    }
    return [...hit.keys()];
  };
  const near = (root: number): readonly number[] => {
    const found = new Set([root]);
    for (const at of found) for (const next of above[at] ?? []) found.add(next);
    return [...found];
  };
  for (let failure = 0; failure <= options.coincident; failure++) {
    const group = `outage-${failure}`;
    const ms = failure === 0 ? 0 : random() * 120_000;
    const free = Array.from({ length: services }, (_, i) => i).filter((i) => !near(i).some((j) => taken.has(j)));
    const root = free[Math.floor(random() * Math.max(1, free.length * 0.5))];
    if (root === undefined) continue;
    const host = hostOf[root] ?? 0;
    const isAlone = hostOf.every((at, service) => at !== host || !near(service).some((other) => taken.has(other)));
    if (random() < 0.25 && isAlone) {
      // A host fails: what runs on it, and what depends on that.
      emit(group, { service: null, host, ms: ms + random() * 30_000 }, { name: 'HostDown', severity: 'critical', forMs: 0 });
      const own = hostOf.flatMap((at, service) => (at === host && !taken.has(service) ? [service] : []));
      const hit = own.flatMap((service) => failService(group, service, ms + random() * 10_000, false));
      for (const service of hit) for (const other of near(service)) taken.add(other);
      causes.set(group, `host=host-${host}`);
    } else {
      const hit = failService(group, root, ms, random() < options.silent);
      for (const service of hit) for (const other of near(service)) taken.add(other);
      causes.set(group, `svc-${root}`);
    }
  }
  for (let i = 0; i < options.noise; i++) {
    const ms = (random() - 0.4) * 600_000;
    const name = NOISE[Math.floor(random() * NOISE.length)] ?? 'HighCpu';
    emit(`noise-${i}`, { service: null, host: Math.floor(random() * hosts * 6), ms }, { name, severity: 'warning', forMs: 0 });
  }
  drafts.sort((a, b) => a.signal.seenAtMs - b.signal.seenAtMs);
  const service = (id: string): number => Number(id.slice(4));
  return {
    topology: {
      dependenciesOf: (id) => (below[service(id)] ?? []).map((i) => `svc-${i}`),
      dependentsOf: (id) => (above[service(id)] ?? []).map((i) => `svc-${i}`),
    },
    signals: drafts.map(({ signal }) => signal),
    truth: new Map(drafts.map(({ signal, group }) => [signal.alertId, group])),
    causes,
  };
}
