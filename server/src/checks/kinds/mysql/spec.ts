import { z } from 'zod';
import { duration, secret } from '../../../platform/config/fields.ts';
import { address, common, type KindSpec, splitAddress, tlsOptions } from '../../written.ts';

const schema = z
  .strictObject({
    ...common,
    kind: z.literal('mysql'),
    address,
    encryption: z.enum(['none', 'tls']).default('none'),
    /** Left out: the server's greeting is enough. MySQL counts such connections as errors and may in time refuse the host. */
    username: z.string().min(1).max(128).optional(),
    password: secret.optional(),
    tls: tlsOptions.default({ verify: true }),
    /** A certificate that ends sooner than this is degraded. */
    certificate_valid_for: duration().optional(),
  })
  .superRefine(({ username, password }, context) => {
    if (password === undefined || username !== undefined) return;
    context.addIssue({ code: 'custom', path: ['username'], message: 'a password needs its user name' });
  });

/** A MySQL or MariaDB server that greets, takes the login and answers COM_PING. */
export const mysql = {
  schema,
  lengths: ['certificate_valid_for'],
  targetOf: (check) => check.address,
  hostOf: (check) => ({ field: 'address', host: splitAddress(check.address)?.host ?? '' }),
} satisfies KindSpec<typeof schema>;
