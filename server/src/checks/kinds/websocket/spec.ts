import { z } from 'zod';
import { duration, requestHeaders } from '../../../platform/config/fields.ts';
import { common, type KindSpec, pattern, tlsOptions, urlOf } from '../../written.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('websocket'),
  url: urlOf('ws', 'wss'),
  /** Values are secrets: they are sent, and shown nowhere. */
  headers: requestHeaders,
  /** The subprotocol that the server must choose. */
  subprotocol: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~\w-]{1,100}$/, 'write one name, without spaces or commas')
    .optional(),
  /** A text message that is sent once the connection stands. */
  send: z.string().max(65_536).optional(),
  /** Some message that arrives before the timeout must fit. */
  expect: z.strictObject({ message_contains: z.string().min(1).optional(), message_matches: pattern.optional() }).default({}),
  tls: tlsOptions.default({ verify: true }),
  /** A certificate that ends sooner than this is degraded. */
  certificate_valid_for: duration().optional(),
});

/** A connection that becomes a WebSocket; with a message and an expected answer when the check names them. */
export const websocket = {
  schema,
  lengths: ['certificate_valid_for'],
  targetOf: (check) => check.url,
  hostOf: (check) => ({ field: 'url', host: new URL(check.url).hostname.replace(/^\[|\]$/g, '') }),
} satisfies KindSpec<typeof schema>;
