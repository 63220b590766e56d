import { HOUR_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration } from '../../../platform/config/fields.ts';
import { address, common, type KindSpec, splitAddress, tlsOptions, urlOf } from '../../written.ts';

const schema = z
  .strictObject({
    ...common,
    kind: z.literal('domain'),
    /** Registries lock out who asks often. */
    interval: duration({ minMs: HOUR_MS }).prefault('1d'),
    domain: z
      .string()
      .regex(/^(?=.{1,253}$)([a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}$/i, 'write a domain such as example.com (xn--… for other scripts)'),
    /** The registry's RDAP server, as IANA lists it: `https://rdap.example.net/v1/`. */
    rdap: urlOf('http', 'https').optional(),
    /** The registry's WHOIS server, `host:port`. Without either, IANA is asked who answers, RDAP first. */
    whois: address.optional(),
    /** How TLS is spoken with the RDAP server. */
    tls: tlsOptions.default({ verify: true }),
    /** A registration that ends sooner than this is degraded. */
    valid_for: duration().prefault('30d'),
  })
  .refine(({ rdap, whois }) => rdap === undefined || whois === undefined, { path: ['whois'], message: 'write either rdap or whois' });

/** When the registration of a domain ends, as the registry tells it by RDAP (RFC 9083) or WHOIS (RFC 3912). */
export const domain = {
  schema,
  lengths: ['valid_for'],
  targetOf: (check) => check.domain,
  hostOf: ({ rdap, whois }) => {
    if (rdap !== undefined) return { field: 'rdap', host: new URL(rdap).hostname.replace(/^\[|\]$/g, '') };
    return whois === undefined ? undefined : { field: 'whois', host: splitAddress(whois)?.host ?? '' };
  },
} satisfies KindSpec<typeof schema>;
