import { z } from 'zod';
import { duration } from '../../../platform/config/fields.ts';
import { address, common, type KindSpec, splitAddress, tlsOptions } from '../../written.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('grpc'),
  address,
  /** The gRPC service that is asked about; the server as a whole when left out. */
  grpc_service: z.string().max(1_000).default(''),
  encryption: z.enum(['none', 'tls']).default('none'),
  tls: tlsOptions.default({ verify: true }),
  /** A certificate that ends sooner than this is degraded. */
  certificate_valid_for: duration().optional(),
});

/** The standard health service, `grpc.health.v1.Health/Check`. */
export const grpc = {
  schema,
  lengths: ['certificate_valid_for'],
  targetOf: (check) => (check.grpc_service === '' ? check.address : `${check.address}/${check.grpc_service}`),
  hostOf: (check) => ({ field: 'address', host: splitAddress(check.address)?.host ?? '' }),
} satisfies KindSpec<typeof schema>;
