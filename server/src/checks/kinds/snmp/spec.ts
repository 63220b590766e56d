import { z } from 'zod';
import { secret } from '../../../platform/config/fields.ts';
import { address, common, type KindSpec, pattern, splitAddress } from '../../written.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('snmp'),
  /** Agents usually listen on port 161. */
  address,
  version: z.enum(['1', '2c']).default('2c'),
  community: secret.prefault('public'),
  oid: z.string().regex(/^\.?[0-2](\.\d{1,10}){1,127}$/, 'write an object identifier in numbers, such as 1.3.6.1.2.1.1.3.0'),
  expect: z
    .strictObject({
      equals: z.union([z.string(), z.number()]).optional(),
      /** RE2 syntax; some part of the value must match. */
      matches: pattern.optional(),
      /** Inclusive. */
      min: z.number().optional(),
      /** Inclusive. */
      max: z.number().optional(),
    })
    .default({}),
});

/** One object of an SNMP agent, and what its value must be like. */
export const snmp = {
  schema,
  targetOf: (check) => `${check.address} ${check.oid}`,
  hostOf: (check) => ({ field: 'address', host: splitAddress(check.address)?.host ?? '' }),
} satisfies KindSpec<typeof schema>;
