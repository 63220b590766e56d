/**
 * The shipped rule "service flapping": checks of a service change their state so often that single outages are no news. Told once when it
 * begins, and ended when all are steady; in between the outages of those checks are held back (service-down.ts).
 */
import { epochMs, ms } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import type { ActiveElement } from '../alerting/contract.ts';
import type { Recorder } from '../availability/contract.ts';
import type { ServiceEntry } from '../services/contract.ts';
import { SERVICE_FLAPPING_RULE_ID } from './contract.ts';
import type { ServiceDownDeps } from './service-down.ts';

export type ServiceFlappingDeps = Omit<ServiceDownDeps, 'ledger'> & { readonly ledger: Pick<Recorder, 'flapping'> };

/** Brings the alerts in line with the ledger. */
export async function applyFlapping({ alerting, services, ledger, nowMs, teamId, cooldownMs }: ServiceFlappingDeps): Promise<void> {
  const rule = {
    id: SERVICE_FLAPPING_RULE_ID,
    kind: 'service',
    alertname: 'ServiceFlapping',
    severity: 'warning',
    forMs: ms(0),
    keepFiringForMs: ms(0),
    cooldownMs: ms(cooldownMs),
    teamId,
  } as const;
  const active = services.list().flatMap((entry) => elementOf(entry, ledger) ?? []);
  const because = 'its checks are steady again';
  await alerting.apply({ rule, atMs: epochMs(nowMs()), found: { kind: 'complete', active, holding: [], because } });
}

function elementOf(entry: ServiceEntry, ledger: Pick<Recorder, 'flapping'>): ActiveElement | undefined {
  const found = entry.checks.flatMap((check) => {
    const flapping = ledger.flapping(check);
    return flapping === null ? [] : { check, ...flapping };
  });
  const sinceMs = Math.min(...found.map((one) => one.sinceMs));
  if (found.length === 0) return undefined;
  const shares = found.map(({ check, changePercent, leavePercent }) => {
    return `${check}: ${Math.round(changePercent)} % of its last states were changes, steady at ${leavePercent} %`;
  });
  return {
    labels: labelsOf({
      ...entry.labels,
      alertname: 'ServiceFlapping',
      service: entry.id,
      severity: 'warning',
      ...(entry.owner === '' ? {} : { owner: entry.owner }),
    }),
    annotations: {
      summary: `${entry.name} is flapping`,
      description: `${shares.join('; ')}. Outages of ${found.length === 1 ? 'this check' : 'these checks'} are held back until then`,
      ...(entry.runbook === '' ? {} : { runbook_url: entry.runbook }),
    },
    value: Math.max(...found.map((one) => one.changePercent)),
    activeSinceMs: epochMs(sinceMs),
  };
}
