import { MINUTE_MS } from '@nines/base/units.ts';
import { floatsOf } from '@nines/model/float-samples.ts';
import type { Queryable, Scope } from '@nines/model/storage.ts';
import type { Engine } from '@nines/promql/engine.ts';
import type { SampleQuery } from './collect/contract.ts';

/** Below this the engine's own lookback reaches from step to step. */
const WHOLE_STEPS_FROM_MS = 5 * MINUTE_MS;

type Options = { readonly scope?: Scope; readonly signal?: AbortSignal };

/**
 * How domains ask for samples: the engine over the store, in the shapes of `SampleQuery` (of which the rules use `instant`).
 * Lives beside the composition root because the domains that ask must not know the engine. Throws with the engine's message.
 */
export function createAsk(engine: Engine, queryable: Queryable): SampleQuery {
  return {
    async instant(expr: string, atMs: number, options: Options = {}) {
      const found = await engine.instant(expr, { queryable, atMs, ...options });
      if (!found.ok) throw new Error(found.error.message);
      const { value } = found.value;
      switch (value.kind) {
        case 'vector':
          return value.elements;
        case 'scalar':
          return [{ labels: [], value: value.value }];
        case 'matrix':
        case 'string':
          throw new Error(`"${expr}" gives a ${value.kind}, not a vector`);
      }
    },
    async range(expr, { fromMs, toMs, stepMs }, { wholeSteps = false, ...options } = {}) {
      const lookback = wholeSteps && stepMs > WHOLE_STEPS_FROM_MS ? { lookbackMs: stepMs } : {};
      const found = await engine.range(expr, { queryable, startMs: fromMs, endMs: toMs, stepMs, ...lookback, ...options });
      if (!found.ok) throw new Error(found.error.message);
      return found.value.value.series.map(floatsOf);
    },
  };
}
