import { z } from 'zod';
import { duration, requestHeaders, secret } from '../../../platform/config/fields.ts';
import { parseJsonPath } from './json-path.ts';
import { common, type KindSpec, pattern, tlsOptions, urlOf } from '../../written.ts';

/** `200`, or a whole class: `2xx`. */
const statusExpectation = z.union([
  z.number().int().min(100).max(599),
  z.string().regex(/^[1-5]xx$/, 'write a status such as 200, or a class such as 2xx'),
]);

const jsonPath = z.string().superRefine((text, context) => {
  const parsed = parseJsonPath(text);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error });
});

/** What must stand at a path of a JSON body; every value found must fit. Without a condition, something must be there. */
const jsonExpectation = z.strictObject({
  path: jsonPath,
  equals: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
  matches: pattern.optional(),
  /** Inclusive. */
  min: z.number().optional(),
  /** Inclusive. */
  max: z.number().optional(),
  exists: z.boolean().default(true),
});
export type JsonExpectation = z.output<typeof jsonExpectation>;

const auth = z
  .strictObject({
    basic: z.strictObject({ username: z.string().regex(/^[^:]*$/, 'a user name has no colon'), password: secret }).optional(),
    bearer: secret.optional(),
  })
  .refine(({ basic, bearer }) => (basic === undefined) !== (bearer === undefined), 'write either basic or bearer');

/** A proxy that speaks HTTP: it is asked for a tunnel to https addresses, and for the page of http ones. */
const proxy = z
  .strictObject({
    url: z.string().superRefine((text, context) => {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      const fits = url?.protocol === 'http:' && url.username === '' && (url.pathname === '/' || url.pathname === '') && url.search === '';
      if (!fits) context.addIssue({ code: 'custom', message: `not the address of a proxy: "${text}" (write http://host:port)` });
    }),
    username: z
      .string()
      .regex(/^[^:]*$/, 'a user name has no colon')
      .optional(),
    password: secret.optional(),
  })
  .refine(
    ({ username, password }) => (username === undefined) === (password === undefined),
    'write a user name and a password, or neither',
  );

const schema = z
  .strictObject({
    ...common,
    kind: z.literal('http'),
    url: urlOf('http', 'https'),
    method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET'),
    /** Values are secrets: they are sent, and shown nowhere. */
    headers: requestHeaders,
    auth: auth.optional(),
    body: z.string().optional(),
    follow_redirects: z.boolean().default(true),
    proxy: proxy.optional(),
    expect: z
      .strictObject({
        status: z.array(statusExpectation).min(1).optional(),
        body_contains: z.string().min(1).optional(),
        /** RE2 syntax; some part of the body must match. */
        body_matches: pattern.optional(),
        json: z.array(jsonExpectation).max(100).optional(),
        /** Header names and patterns that some part of the value must match. */
        headers: z.record(z.string(), pattern).optional(),
        /** A certificate that ends sooner than this is degraded. */
        certificate_valid_for: duration().optional(),
      })
      .default({}),
    tls: tlsOptions.default({ verify: true }),
  })
  .superRefine(({ auth: given, headers }, context) => {
    const twice = given !== undefined && Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
    if (twice) context.addIssue({ code: 'custom', path: ['auth'], message: 'there is an authorization header already' });
  });

/** One exchange over HTTP or HTTPS, and what the answer must be like. */
export const http = {
  schema,
  targetOf: (check) => check.url,
  lengths: ['expect.certificate_valid_for'],
  hostOf: (check) => {
    const { url, proxy: through } = check;
    return { field: through === undefined ? 'url' : 'proxy', host: new URL(through?.url ?? url).hostname.replace(/^\[|\]$/g, '') };
  },
} satisfies KindSpec<typeof schema>;
