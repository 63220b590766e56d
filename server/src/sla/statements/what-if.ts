import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { z } from 'zod';
import { percent } from '../../platform/config/fields.ts';
import { instant } from '../../platform/http/fields.ts';
import type { SlaView } from '../contract.ts';
import { evaluateWindow } from '../evaluate.ts';
import { hoursSchema } from '../../platform/config/hours.ts';
import { maintenanceTermsSchema } from '../overlay-terms.ts';
import { type SlaSpec, decimalText } from '../spec.ts';
import { toView } from '../view.ts';
import { type CreditView, creditView } from './credit.ts';
import { type GatherDeps, type Known, type Question, readKnown } from './gather.ts';

/** Windows of one question: more say nothing to a reader. */
const MAX_WINDOWS = 1_000;

/** Another contract than the one that was agreed on. What is left out stays as it was. */
export const whatIfTerms = z.strictObject({
  target: percent.refine(({ numerator }) => numerator > 0n, 'a target of 0 promises nothing').optional(),
  unknown: z.enum(['exclude', 'down', 'up']).optional(),
  /** When it is promised; `always`: around the clock. */
  hours: z.union([z.literal('always'), hoursSchema]).optional(),
  /** Which planned maintenance is taken out; `none`: none is. */
  maintenance: z.union([z.literal('none'), maintenanceTermsSchema]).optional(),
  /** Time taken out besides what is excluded already. */
  exclude: z
    .array(z.strictObject({ from: instant, to: instant }))
    .max(MAX_WINDOWS)
    .default([]),
  /** False: the exclusions that people agreed on count as if nobody had. */
  keep_exclusions: z.boolean().default(true),
});
export type WhatIfTerms = z.output<typeof whatIfTerms>;

/** The figures that a question of this kind is about. */
export type WhatIfFigures = Pick<SlaView, 'status' | 'status_reason' | 'target' | 'attained' | 'attained_bounds' | 'budget' | 'buckets'> & {
  readonly credit_share: string | null;
  readonly credit_tier: CreditView['below'];
  /** What each customer of the contract would be owed. */
  readonly credits: readonly {
    readonly customer: string;
    readonly name: string;
    readonly currency: string;
    readonly amount: string | null;
  }[];
};
export type WhatIfView = {
  readonly id: string;
  readonly period: { readonly from_at_ms: number; readonly to_at_ms: number };
  readonly finality: 'final' | 'provisional';
  /** Under the contract as it is. */
  readonly actual: WhatIfFigures;
  /** Under the terms of the question. */
  readonly what_if: WhatIfFigures;
};

/** The verdict about a past window under other terms. Reads, reckons, keeps nothing. `AppError` as for a statement. */
export async function whatIf(deps: GatherDeps, asked: Question & { readonly terms: WhatIfTerms }, nowMs: EpochMs): Promise<WhatIfView> {
  const known = await readKnown(deps, asked, nowMs);
  const { terms } = asked;
  const other = await readKnown(
    deps,
    {
      ...asked,
      revise: {
        spec: (spec) => otherTerms(spec, terms),
        exclusions: (agreed) => [
          ...(terms.keep_exclusions ? agreed : []),
          ...terms.exclude.map(({ from, to }) => ({ fromMs: epochMs(from), toMs: epochMs(to) })),
        ],
      },
    },
    nowMs,
  );
  const aheadMs = asked.period.toMs - known.window.toMs;
  return {
    id: known.contract.sla,
    period: { from_at_ms: asked.period.fromMs, to_at_ms: asked.period.toMs },
    finality: known.isFinal ? 'final' : 'provisional',
    actual: figuresUnder(known, aheadMs),
    what_if: figuresUnder(other, aheadMs),
  };
}

function otherTerms(spec: SlaSpec, { target, unknown, hours, maintenance }: WhatIfTerms): SlaSpec {
  const { hours: agreedHours, maintenance: agreedMaintenance, ...rest } = spec;
  const [promised, planned] = [hours ?? agreedHours, maintenance ?? agreedMaintenance];
  return {
    ...rest,
    ...(target === undefined ? {} : { target: decimalText(target) }),
    ...(unknown === undefined ? {} : { unknown: { kind: unknown } }),
    ...(promised === undefined || promised === 'always' ? {} : { hours: promised }),
    ...(planned === undefined || planned === 'none' ? {} : { maintenance: planned }),
  };
}

function figuresUnder({ contract, terms, facts, window }: Known, aheadMs: number): WhatIfFigures {
  const evaluation = evaluateWindow(terms, facts, window, aheadMs);
  const view = toView(evaluation, { contract, origin: { kind: 'ui' } }, 0);
  const credit = creditView(evaluation.counted, terms.spec.credits, null);
  const { status, status_reason, target, attained, attained_bounds, budget, buckets } = view;
  return {
    status,
    status_reason,
    target,
    attained,
    attained_bounds,
    budget,
    buckets,
    credit_share: credit?.share ?? null,
    credit_tier: credit?.below ?? null,
    credits: (terms.spec.customers ?? []).flatMap((customer) => {
      const owed = creditView(evaluation.counted, terms.spec.credits, customer);
      return owed === null ? [] : [{ customer: customer.id, name: customer.name, currency: owed.currency, amount: owed.amount }];
    }),
  };
}
