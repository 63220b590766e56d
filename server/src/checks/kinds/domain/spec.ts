import { HOUR_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration } from '../../../platform/config/fields.ts';
import { address, common, type KindSpec, splitAddress } from '../../written.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('domain'),
  /** Registries lock out who asks often. */
  interval: duration({ minMs: HOUR_MS }).prefault('1d'),
  domain: z
    .string()
    .regex(/^(?=.{1,253}$)([a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}$/i, 'write a domain such as example.com (xn--… for other scripts)'),
  /** The registry's WHOIS server, `host:port`; without one, IANA is asked which it is. */
  whois: address.optional(),
  /** A registration that ends sooner than this is degraded. */
  valid_for: duration().prefault('30d'),
});

/** When the registration of a domain ends, as the registry's WHOIS (RFC 3912) tells it. */
export const domain = {
  schema,
  lengths: ['valid_for'],
  targetOf: (check) => check.domain,
  hostOf: (check) => (check.whois === undefined ? undefined : { field: 'whois', host: splitAddress(check.whois)?.host ?? '' }),
} satisfies KindSpec<typeof schema>;
