/** What a restatement changed, in words. Pure. */
import type { SignedStatement, WhatIfView } from '../api/wire.ts';
import { preciseInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';

export type Change = NonNullable<SignedStatement['revision']>['changes'][number];

const ISO = /\[(\d{12,14})\]/;

/** `timeline[1763683200000].state` → `timeline, 21 Nov 2026 00:00:00.000: state` */
export function changeName(path: string): string {
  const at = ISO.exec(path);
  if (at === null) return path.replaceAll('_', ' ');
  return `${path.slice(0, at.index)}, ${preciseInstant(Number(at[1]))}: ${path.slice(at.index + at[0].length + 1)}`
    .replaceAll('_', ' ')
    .replace(/: $/, '');
}

/** A value in the unit that the name of its field says. */
export function changeText(path: string, value: Change['from']): string {
  if (value === null) return '–';
  if (typeof value === 'number' && path.endsWith('_at_ms')) return preciseInstant(value);
  if (typeof value === 'number' && path.endsWith('_ms')) return lengthText(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The figures of a statement in the shape that comparisons are made of. */
export function figuresOf(statement: SignedStatement): WhatIfView['actual'] {
  const { status, status_reason, target, attained, attained_bounds, budget, buckets, credit, customer } = statement;
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
    credits:
      credit === null || customer === null
        ? []
        : [{ customer: customer.id, name: customer.name, currency: credit.currency, amount: credit.amount }],
  };
}
