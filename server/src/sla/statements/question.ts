import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { epochMs } from '@nines/base/units.ts';
import { parsePeriod } from '@nines/maths/calendar/period.ts';
import { z } from 'zod';
import { instant } from '../../platform/http/fields.ts';
import { SLA_CODES } from '../contract.ts';
import type { SlaService } from '../service.ts';
import type { Question } from './gather.ts';

/** What a request may say about its period. */
export const periodQuery = z.object({
  from: instant.optional(),
  to: instant.optional(),
  /** Instead of `from` and `to`: `2026-11`, `2026-W47`, `2026-Q4`, … */
  period: z.string().max(16).optional(),
  /** IANA. */
  zone: z.string().max(64).default('UTC'),
  customer: z.string().max(64).optional(),
});

export type QuestionDeps = { readonly slas: Pick<SlaService, 'windowOf'>; readonly clock: Pick<Clock, 'now'> };

/** The period of a request: a named one, `[from, to)`, or the contract's window that ends now (or at `to`). */
export function questionOf({ slas, clock }: QuestionDeps, sla: string, asked: z.output<typeof periodQuery>): Question {
  const { from, to, period, zone, customer } = asked;
  const who = customer === undefined ? {} : { customer };
  if (period !== undefined) {
    if (from !== undefined || to !== undefined) throw badRange('write either `period` or `from` and `to`');
    const parsed = parsePeriod(period, zone);
    if (!parsed.ok) throw badRange(parsed.error);
    return { sla, period: { fromMs: parsed.value.fromMs, toMs: parsed.value.toMs }, zone, ...who };
  }
  if (from !== undefined && to !== undefined) return { sla, period: { fromMs: from, toMs: to }, zone, ...who };
  const fallback = slas.windowOf(sla, clock.now());
  const toMs = to ?? fallback.toMs;
  return { sla, period: { fromMs: from ?? epochMs(toMs - (fallback.toMs - fallback.fromMs)), toMs }, zone, ...who };
}

const badRange = (message: string): AppError => new AppError('bad_input', SLA_CODES.range, message);
