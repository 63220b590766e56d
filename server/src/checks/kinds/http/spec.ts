import { z } from 'zod';
import { duration, requestHeaders } from '../../../platform/config/fields.ts';
import { common, type KindSpec, pattern, tlsOptions, urlOf } from '../../written.ts';

/** `200`, or a whole class: `2xx`. */
const statusExpectation = z.union([
  z.number().int().min(100).max(599),
  z.string().regex(/^[1-5]xx$/, 'write a status such as 200, or a class such as 2xx'),
]);

const schema = z.strictObject({
  ...common,
  kind: z.literal('http'),
  url: urlOf('http', 'https'),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET'),
  /** Values are secrets: they are sent, and shown nowhere. */
  headers: requestHeaders,
  body: z.string().optional(),
  follow_redirects: z.boolean().default(true),
  expect: z
    .strictObject({
      status: z.array(statusExpectation).min(1).optional(),
      body_contains: z.string().min(1).optional(),
      /** RE2 syntax; some part of the body must match. */
      body_matches: pattern.optional(),
      /** Header names and patterns that some part of the value must match. */
      headers: z.record(z.string(), pattern).optional(),
      /** A certificate that ends sooner than this is degraded. */
      certificate_valid_for: duration().optional(),
    })
    .default({}),
  tls: tlsOptions.default({ verify: true }),
});

/** One exchange over HTTP or HTTPS, and what the answer must be like. */
export const http = {
  schema,
  targetOf: (check) => check.url,
  lengths: ['expect.certificate_valid_for'],
  hostOf: (check) => ({ field: 'url', host: new URL(check.url).hostname.replace(/^\[|\]$/g, '') }),
} satisfies KindSpec<typeof schema>;
