import { z } from 'zod';
import { duration, secret } from '../../../platform/config/fields.ts';
import { address, common, condition, type KindSpec, pattern, splitAddress, tlsOptions } from '../../written.ts';

const schema = z
  .strictObject({
    ...common,
    kind: z.literal('postgresql'),
    address,
    encryption: z.enum(['none', 'tls']).default('none'),
    username: z.string().min(1).max(63),
    password: secret.optional(),
    database: z.string().min(1).max(63).default('postgres'),
    /** Runs in a transaction that may only read. */
    query: z.string().min(1).max(10_000).optional(),
    /** What the first column of the first row must be. */
    expect: z
      .strictObject({
        /** Text equality, as psql prints it. */
        value: z.string().optional(),
        matches: pattern.optional(),
        /** The value as a number. */
        condition: condition.optional(),
      })
      .optional(),
    tls: tlsOptions.default({ verify: true }),
    /** A certificate that ends sooner than this is degraded. */
    certificate_valid_for: duration().optional(),
  })
  .superRefine(({ query, expect }, context) => {
    if (expect === undefined || query !== undefined) return;
    context.addIssue({ code: 'custom', path: ['expect'], message: 'an expected value needs the query that gives it' });
  });

/** A login to a PostgreSQL server, and what a query answers. */
export const postgresql = {
  schema,
  lengths: ['certificate_valid_for'],
  targetOf: (check) => `${check.address}/${check.database}`,
  hostOf: (check) => ({ field: 'address', host: splitAddress(check.address)?.host ?? '' }),
} satisfies KindSpec<typeof schema>;
