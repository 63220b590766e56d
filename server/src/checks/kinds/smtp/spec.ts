import { z } from 'zod';
import { duration, secret } from '../../../platform/config/fields.ts';
import { address, common, type KindSpec, splitAddress, tlsOptions } from '../../written.ts';

const schema = z
  .strictObject({
    ...common,
    kind: z.literal('smtp'),
    address,
    /** `starttls` begins in plain text and must be offered; `tls` from the first byte. */
    encryption: z.enum(['none', 'starttls', 'tls']).default('none'),
    /** The name that we greet with. */
    hello: z
      .string()
      .regex(/^[\w.:[\]-]{1,255}$/, 'write a host name')
      .default('nines.invalid'),
    auth: z.strictObject({ username: z.string().min(1).max(255), password: secret }).optional(),
    tls: tlsOptions.default({ verify: true }),
    /** A certificate that ends sooner than this is degraded. */
    certificate_valid_for: duration().optional(),
  })
  .superRefine(({ auth, encryption }, context) => {
    if (auth === undefined || encryption !== 'none') return;
    context.addIssue({ code: 'custom', path: ['auth'], message: 'a password is sent over TLS only: set encryption to starttls or tls' });
  });

/** A conversation with a mail server up to where a message would begin: banner, EHLO, STARTTLS, authentication. */
export const smtp = {
  schema,
  lengths: ['certificate_valid_for'],
  targetOf: (check) => check.address,
  hostOf: (check) => ({ field: 'address', host: splitAddress(check.address)?.host ?? '' }),
} satisfies KindSpec<typeof schema>;
