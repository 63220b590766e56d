import { z } from 'zod';
import { address, common, type KindSpec, pattern, splitAddress } from '../../written.ts';
import { RECORD_TYPES, RESPONSE_CODES } from './message.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('dns'),
  /** The name that is asked for. */
  query: z.string().superRefine((name, context) => {
    const labels = name.replace(/\.$/, '').split('.');
    const fits = name === '.' || (name.length <= 253 && labels.every((label) => /^[!-~]{1,63}$/.test(label)));
    if (!fits) context.addIssue({ code: 'custom', message: `not a domain name: "${name}"` });
  }),
  record: z.enum(RECORD_TYPES).default('A'),
  /** The name server, `host:port`; without one, the first that this host uses. */
  server: address.optional(),
  /** Over UDP an answer that does not fit is asked for once more over TCP, as the protocol has it. */
  transport: z.enum(['udp', 'tcp']).default('udp'),
  recursion: z.boolean().default(true),
  expect: z
    .strictObject({
      code: z.enum(RESPONSE_CODES).default('NOERROR'),
      /** Exactly these values, in any order. */
      values: z.array(z.string().min(1)).optional(),
      /** At least these values. */
      contains: z.array(z.string().min(1)).min(1).optional(),
      /** RE2 syntax; some part of some value must match. */
      matches: pattern.optional(),
    })
    .prefault({}),
});

/** One question to one name server. */
export const dns = {
  schema,
  targetOf: (check) => [check.query, check.record, check.server].filter((part) => part !== undefined).join(' '),
  hostOf: (check) => (check.server === undefined ? undefined : { field: 'server', host: splitAddress(check.server)?.host ?? '' }),
} satisfies KindSpec<typeof schema>;
