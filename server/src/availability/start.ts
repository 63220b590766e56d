import type { EpochMs } from '@nines/base/units.ts';
import { createImportStore } from './imports/store.ts';
import { Imports } from './imports/service.ts';
import { Availability, type AvailabilityDeps } from './service.ts';

export type LedgerDeps = AvailabilityDeps & {
  readonly services: { get(id: string): unknown };
  /** Told when the past of a service is not what it was. */
  readonly onPastChanged: (service: string, span: { readonly fromMs: EpochMs; readonly toMs: EpochMs }) => Promise<void>;
};

/** The ledger, and what other monitors add to it. */
export async function openLedger(deps: LedgerDeps) {
  const { db, clock, ids, services, onPastChanged } = deps;
  const availability = new Availability(deps);
  await availability.start();
  const imports = new Imports({
    store: createImportStore(db),
    clock,
    ids,
    refuses: (service) => {
      if (services.get(service) === undefined) return `there is no service "${service}"`;
      return availability.isComposite(service) ? `"${service}" consists of other services: import into its members` : undefined;
    },
    enforce: async (service, spans, changed) => {
      const affected = await availability.putImported(service, spans, changed.fromMs);
      for (const one of affected) await onPastChanged(one, changed);
    },
  });
  await imports.load();
  return { availability, imports };
}
