import { z } from 'zod';
import { duration } from '../../../platform/config/fields.ts';
import { address, common, type KindSpec, splitAddress, tlsOptions } from '../../written.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('tls'),
  address,
  tls: tlsOptions.default({ verify: true }),
  /** A chain of which a certificate ends sooner than this is degraded. */
  certificate_valid_for: duration().prefault('14d'),
});

/** A TLS handshake: the certificate's chain, host name and end. Nothing is sent afterwards. */
export const tls = {
  schema,
  lengths: ['certificate_valid_for'],
  targetOf: (check) => check.address,
  hostOf: (check) => ({ field: 'address', host: splitAddress(check.address)?.host ?? '' }),
} satisfies KindSpec<typeof schema>;
