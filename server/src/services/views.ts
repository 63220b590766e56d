import type { Clock } from '@nines/base/clock.ts';
import { DAY_MS, type EpochMs } from '@nines/base/units.ts';
import { buckets } from '@nines/maths/slo/ledger.ts';
import type { Buckets } from '@nines/maths/slo/types.ts';
import type { Acknowledgements } from '../alerting/contract.ts';
import { bucketsToWire, type CurrentState, downtimeToWire, intervalToWire, type Ledger, type Recorder } from '../availability/contract.ts';
import { type ImportedEvidence, importedToWire } from '../availability/imports/contract.ts';
import { type Checks, type CheckSpec, checkToWire } from '../checks/contract.ts';
import { type Maintenance, occurrenceToWire } from '../maintenance/contract.ts';
import { graphOf, probableCauses, reachedFrom } from './causes.ts';
import { ruleInWords } from './composite.ts';
import type { ServiceDetailView, ServiceEntry, ServiceView, TimelineView, UptimeView } from './contract.ts';
import type { Services } from './service.ts';
import { writtenOf } from './written.ts';

export type ViewDeps = {
  readonly services: Services;
  readonly ledger: Ledger & Pick<Recorder, 'currentOfCheck' | 'flapping'>;
  readonly imports: ImportedEvidence;
  readonly checks: Checks;
  readonly maintenance: Maintenance;
  readonly alerting: Acknowledgements;
  readonly clock: Pick<Clock, 'now'>;
};

/** Windows of the service page. */
const WINDOWS = { '24h': DAY_MS, '7d': 7 * DAY_MS, '30d': 30 * DAY_MS } as const;
/** Downtimes shown with a service; the rest is a query of its own. */
const DOWNTIMES_SHOWN = 50;
/** How far ahead maintenance is shown with a service, and how often it may come in that time. */
const MAINTENANCE_SHOWN_MS = 30 * DAY_MS;
const MAINTENANCE_SHOWN = 20;

/** `without`: with no check in it, which is most of a long list; only how many there are. */
export async function listView(deps: ViewDeps, checks: 'with' | 'without'): Promise<readonly ServiceView[]> {
  const byService = Map.groupBy(deps.checks.list(), (spec) => spec.service);
  return Promise.all(
    deps.services.list().map(async (entry) => {
      const specs = byService.get(entry.id) ?? [];
      return { ...(await bareView(deps, entry, specs)), checks: checks === 'with' ? checkViews(deps, specs) : [] };
    }),
  );
}

const serviceView = async (deps: ViewDeps, entry: ServiceEntry, specs: readonly CheckSpec[]): Promise<ServiceView> => ({
  ...(await bareView(deps, entry, specs)),
  checks: checkViews(deps, specs),
});

const checkViews = ({ ledger, checks }: ViewDeps, specs: readonly CheckSpec[]): ServiceView['checks'] =>
  specs.map((spec) =>
    checkToWire(spec, { ...ledger.currentOfCheck(spec.id), flapping: ledger.flapping(spec.id) }, checks.results(spec.id)[0]),
  );

async function bareView(deps: ViewDeps, entry: ServiceEntry, specs: readonly CheckSpec[]): Promise<Omit<ServiceView, 'checks'>> {
  const { ledger } = deps;
  const current = ledger.current(entry.id);
  return {
    id: entry.id,
    name: entry.name,
    description: entry.description,
    owner: entry.owner,
    tier: entry.tier,
    runbook: entry.runbook,
    tags: [...entry.tags],
    depends_on: [...entry.dependsOn],
    dependents: [...deps.services.dependents(entry.id)],
    team: entry.labels['team'] ?? '',
    labels: { ...entry.labels },
    suppress_when_parent_down: entry.suppressWhenParentDown,
    state: current.state,
    unknown_reason: current.unknownReason ?? null,
    since_at_ms: current.sinceMs,
    why: whyOf(deps, { entry, current }, specs),
    monitored_since_at_ms: await deps.ledger.monitoredSinceMs(entry.id),
    flapping: specs.some(({ id }) => ledger.flapping(id) !== null),
    composite: compositeView(deps, entry),
    check_count: specs.length,
    origin: entry.origin.kind === 'file' ? { kind: 'file', place: entry.origin.place } : { kind: 'ui', place: null },
  };
}

function compositeView({ ledger }: ViewDeps, { composite }: ServiceEntry): ServiceView['composite'] {
  if (composite === undefined) return null;
  const members = composite.members.map(({ id, weight }) => ({ service: id, weight, state: ledger.current(id).state }));
  return { rule: ruleInWords(composite), at_least: composite.atLeast, members };
}

/**
 * One clause per check that is in the service's state now: `shop-http: connection refused by 127.0.0.1:9999`; of a composite, per member that is
 * not up. Good states need no reason.
 */
function whyOf(
  deps: ViewDeps,
  { entry, current }: { readonly entry: ServiceEntry; readonly current: CurrentState },
  specs: readonly CheckSpec[],
): string | null {
  if (current.state === 'up' || (current.state === 'unknown' && entry.composite === undefined)) return null;
  if (entry.composite !== undefined) return whyComposite(deps, entry.composite);
  const clauses = specs.flatMap((spec) => {
    const { state, evidence } = deps.ledger.currentOfCheck(spec.id);
    const decides = state === 'down' || state === current.state;
    return decides && evidence[0] !== undefined ? `${spec.id}: ${evidence[0].detail}` : [];
  });
  return clauses.length > 0 ? clauses.join('; ') : evidenceInWords(current);
}

const evidenceInWords = ({ evidence }: CurrentState): string => evidence.map(({ check, detail }) => `${check}: ${detail}`).join('; ');

function whyComposite({ ledger }: ViewDeps, rule: NonNullable<ServiceEntry['composite']>): string {
  const clauses = rule.members.flatMap(({ id }) => {
    const member = ledger.current(id);
    if (member.state === 'up') return [];
    const because = member.evidence.length === 0 ? '' : ` (${evidenceInWords(member)})`;
    return `${id} is ${member.state}${because}`;
  });
  return `needs ${ruleInWords(rule)}: ${clauses.join('; ')}`;
}

export async function detailView(deps: ViewDeps, entry: ServiceEntry): Promise<ServiceDetailView> {
  const specs = deps.checks.list().filter((spec) => spec.service === entry.id);
  const spec = deps.services.specOf(entry.id);
  const toMs = deps.clock.now();
  const uptime = async (lengthMs: number): Promise<UptimeView> => {
    const fromMs = (toMs - lengthMs) as EpochMs;
    const sums = buckets(await deps.ledger.timeline(entry.id, fromMs, toMs));
    return { window_ms: lengthMs, from_at_ms: fromMs, to_at_ms: toMs, ratio: ratioOf(sums), buckets: bucketsToWire(sums) };
  };
  const downtimes = await deps.ledger.downtimes({ service: entry.id });
  return {
    ...(await serviceView(deps, entry, specs)),
    uptime: { '24h': await uptime(WINDOWS['24h']), '7d': await uptime(WINDOWS['7d']), '30d': await uptime(WINDOWS['30d']) },
    impact: impactView(deps, entry.id),
    downtimes: downtimes.slice(0, DOWNTIMES_SHOWN).map(downtimeToWire),
    maintenance: deps.maintenance
      .occurrences({ service: entry.id, fromMs: toMs, toMs: (toMs + MAINTENANCE_SHOWN_MS) as EpochMs })
      .slice(0, MAINTENANCE_SHOWN)
      .map(occurrenceToWire),
    spec: spec === undefined ? null : writtenOf(spec, 'redacted'),
  };
}

function impactView({ services, ledger }: ViewDeps, id: string): ServiceDetailView['impact'] {
  const graph = graphOf(services, (other) => ledger.current(other));
  const related = (next: (id: string) => readonly string[]): ServiceDetailView['impact']['upstream'] =>
    reachedFrom(id, next).map(({ service, distance }) => {
      const { state, sinceMs } = ledger.current(service);
      return { service, distance, state, since_at_ms: sinceMs };
    });
  return {
    upstream: related(graph.dependenciesOf),
    downstream: related(graph.dependentsOf),
    causes: probableCauses(id, graph).map(({ service, state, sinceMs, explains, isRoot }) => ({
      service,
      state,
      since_at_ms: sinceMs,
      explains: [...explains],
      is_root: isRoot,
    })),
  };
}

/** Good time over known time; null when nothing is known. Unknown is on neither side. */
function ratioOf({ upMs, degradedMs, downMs }: Buckets): number | null {
  const known = upMs + degradedMs + downMs;
  return known === 0 ? null : (upMs + degradedMs) / known;
}

export type TimelineQuery = { readonly service: string; readonly fromMs: EpochMs; readonly toMs: EpochMs; readonly knownAtMs?: EpochMs };

export async function timelineView(
  { ledger, imports, maintenance }: Pick<ViewDeps, 'ledger' | 'imports' | 'maintenance'>,
  query: TimelineQuery,
): Promise<TimelineView> {
  const { service, fromMs, toMs, knownAtMs } = query;
  const timeline = await ledger.timeline(service, fromMs, toMs, knownAtMs === undefined ? {} : { knownAtMs });
  return {
    service,
    from_at_ms: fromMs,
    to_at_ms: toMs,
    monitored_since_at_ms: await ledger.monitoredSinceMs(service),
    intervals: timeline.intervals.map(intervalToWire),
    buckets: bucketsToWire(buckets(timeline)),
    maintenance: maintenance.occurrences(query).map(occurrenceToWire),
    imported: (await imports.imported(service, query)).map(importedToWire),
  };
}
