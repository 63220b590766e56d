import type { OnCommitted } from '../collect/contract.ts';
import { processorMs } from '../platform/clock.ts';
import { Values, type ValuesDeps } from './service.ts';

type OpenDeps = Omit<ValuesDeps, 'labelsOfRef' | 'processorMs'> & {
  readonly store: { labelsOfRef(ref: number): ReturnType<ValuesDeps['labelsOfRef']> };
  /** Who is told of every commit. */
  readonly told: OnCommitted[];
};

/** Follows queries from now on. */
export function openValues(deps: OpenDeps): Values {
  const values = new Values({ ...deps, processorMs, labelsOfRef: (ref) => deps.store.labelsOfRef(ref) });
  deps.told.push((refs) => values.committed(refs));
  return values;
}
