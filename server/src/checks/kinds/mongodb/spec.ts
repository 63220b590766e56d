import { z } from 'zod';
import { duration } from '../../../platform/config/fields.ts';
import { address, common, type KindSpec, splitAddress, tlsOptions } from '../../written.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('mongodb'),
  address,
  encryption: z.enum(['none', 'tls']).default('none'),
  /** What the member of a replica set must be now. A server without a set is its own primary. */
  role: z.enum(['primary', 'secondary', 'any']).default('any'),
  replica_set: z.string().min(1).max(128).optional(),
  tls: tlsOptions.default({ verify: true }),
  /** A certificate that ends sooner than this is degraded. */
  certificate_valid_for: duration().optional(),
});

/** A MongoDB server that answers `hello`, which needs no login. */
export const mongodb = {
  schema,
  lengths: ['certificate_valid_for'],
  targetOf: (check) => check.address,
  hostOf: (check) => ({ field: 'address', host: splitAddress(check.address)?.host ?? '' }),
} satisfies KindSpec<typeof schema>;
