/**
 * The shipped rule "service down" (RULE_004): the ledger knows, this says it. The alert begins where the outage began, which
 * the ledger backdates to the first failed attempt. A service whose state is unknown neither fires nor recovers.
 */
import { type EpochMs, epochMs, ms } from '@nines/base/units.ts';
import { type Labels, labelsOf } from '@nines/model/labels.ts';
import type { ActiveElement, Alerting, AlertingRule } from '../alerting/contract.ts';
import type { Ledger, StateChange } from '../availability/contract.ts';
import type { ServiceCatalogue, ServiceEntry } from '../services/contract.ts';
import { SERVICE_DOWN_RULE_ID } from './contract.ts';

export type ServiceDownDeps = {
  readonly alerting: Alerting;
  readonly services: ServiceCatalogue;
  readonly ledger: Pick<Ledger, 'current' | 'whyFlapping'>;
  readonly nowMs: () => number;
  readonly teamId: string;
  readonly cooldownMs: number;
};

type Current = ReturnType<Ledger['current']>;

export class ServiceDown {
  readonly #deps: ServiceDownDeps;
  /** The last state told, which may be newer or older than the ledger's: changes are alerted in the order in which they came. */
  readonly #told = new Map<string, Current>();

  constructor(deps: ServiceDownDeps) {
    this.#deps = deps;
  }

  /** Brings the alerts in line with the ledger at start and after a reload; services that left have no alert. */
  async refresh(): Promise<void> {
    this.#told.clear();
    await this.#apply();
  }

  async changed({ service, previous: _previous, ...current }: StateChange): Promise<void> {
    this.#told.set(service, current);
    await this.#apply(current.state === 'up' || current.state === 'degraded' ? current.sinceMs : undefined);
  }

  /** `endedAtMs` is when the one service that recovered did so. */
  async #apply(endedAtMs?: EpochMs): Promise<void> {
    const { alerting, services, ledger, nowMs, teamId, cooldownMs } = this.#deps;
    const active: ActiveElement[] = [];
    const holding: Labels[] = [];
    const currentOf = (id: string): Current => this.#told.get(id) ?? ledger.current(id);
    for (const entry of services.list()) {
      const current = currentOf(entry.id);
      const heldBack = parentDown(entry, { current, currentOf }) ?? ledger.whyFlapping(entry.id);
      if (current.state === 'down') active.push(elementOf(entry, current, heldBack));
      if (current.state === 'unknown') holding.push(labelsFor(entry));
    }
    const rule: AlertingRule = {
      id: SERVICE_DOWN_RULE_ID,
      kind: 'service',
      alertname: 'ServiceDown',
      severity: 'emergency',
      forMs: ms(0),
      keepFiringForMs: ms(0),
      cooldownMs: ms(cooldownMs),
      teamId,
    };
    await alerting.apply({
      rule,
      atMs: epochMs(nowMs()),
      found: { kind: 'complete', active, holding, ...(endedAtMs === undefined ? {} : { endedAtMs }) },
    });
  }
}

const labelsFor = (entry: ServiceEntry): Labels =>
  labelsOf({
    ...entry.labels,
    alertname: 'ServiceDown',
    service: entry.id,
    severity: 'emergency',
    ...(entry.owner === '' ? {} : { owner: entry.owner }),
  });

/** The service whose earlier outage explains this one, in words; only where the service asks for it. */
function parentDown(
  entry: ServiceEntry,
  { current, currentOf }: { readonly current: Current; readonly currentOf: (id: string) => Current },
): string | undefined {
  if (!entry.suppressWhenParentDown) return undefined;
  const explains = entry.dependsOn.find((id) => {
    const parent = currentOf(id);
    return parent.state === 'down' && parent.sinceMs <= current.sinceMs;
  });
  return explains === undefined ? undefined : `${explains}, which ${entry.id} depends on, was down before`;
}

function elementOf(entry: ServiceEntry, current: Current, heldBack: string | undefined): ActiveElement {
  const seen = current.evidence.map(({ check, detail }) => `${check}: ${detail}`).join('; ');
  return {
    labels: labelsFor(entry),
    annotations: {
      summary: `${entry.name} is down`,
      description: seen === '' ? `${entry.name} fails its checks` : seen,
      ...(entry.runbook === '' ? {} : { runbook_url: entry.runbook }),
    },
    value: 0,
    activeSinceMs: current.sinceMs,
    ...(heldBack === undefined ? {} : { heldBack }),
  };
}
