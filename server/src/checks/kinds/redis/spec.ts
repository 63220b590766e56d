import { z } from 'zod';
import { duration, secret } from '../../../platform/config/fields.ts';
import { address, common, type KindSpec, splitAddress, tlsOptions } from '../../written.ts';

const schema = z
  .strictObject({
    ...common,
    kind: z.literal('redis'),
    address,
    encryption: z.enum(['none', 'tls']).default('none'),
    /** Left out: the server's user `default`. */
    username: z.string().min(1).max(255).optional(),
    password: secret.optional(),
    tls: tlsOptions.default({ verify: true }),
    /** A certificate that ends sooner than this is degraded. */
    certificate_valid_for: duration().optional(),
  })
  .superRefine(({ username, password }, context) => {
    if (username === undefined || password !== undefined) return;
    context.addIssue({ code: 'custom', path: ['password'], message: 'a user name needs its password' });
  });

/** A Redis server, or one that speaks its protocol (Valkey, KeyDB, Dragonfly), that answers PING. */
export const redis = {
  schema,
  lengths: ['certificate_valid_for'],
  targetOf: (check) => check.address,
  hostOf: (check) => ({ field: 'address', host: splitAddress(check.address)?.host ?? '' }),
} satisfies KindSpec<typeof schema>;
