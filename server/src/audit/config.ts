import { HOUR_MS, MINUTE_MS, type Ms } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration } from '../platform/config/fields.ts';
import { hoursSchema } from '../platform/config/hours.ts';

const window = (defaultMs: number) => duration({ minMs: MINUTE_MS, maxMs: 24 * HOUR_MS }).default(defaultMs as Ms);
const count = (most: number) => z.int().min(1).max(1_000_000_000_000).default(most);
const MB = 1024 ** 2;

/** The section `audit`: what of the audit log becomes an alert. The figures of sign-ins are those of SEC-1. */
export const auditConfig = z
  .strictObject({
    /** Sign-ins that failed, of one account and from one address. */
    sign_ins: z.strictObject({ per_account: count(10), per_address: count(50), window: window(5 * MINUTE_MS) }).prefault({}),
    /** Requests of one actor that were refused for want of a permission. */
    refusals: z.strictObject({ per_actor: count(20), window: window(5 * MINUTE_MS) }).prefault({}),
    /** What one actor took away in exports and other sensitive reads. */
    exports: z.strictObject({ bytes: count(500 * MB), window: window(HOUR_MS) }).prefault({}),
    /** Somebody was made an administrator. */
    administrators: z.boolean().default(true),
    /** Hours in which administration is expected; outside of them it is an alert. Absent: at any time. */
    administration_hours: hoursSchema.optional(),
  })
  .prefault({});
export type AuditSettings = z.output<typeof auditConfig>;
