import { createSecureContext } from 'node:tls';
import { messageOf } from '@nines/base/errors.ts';
import { compileRegex } from '@nines/base/regex.ts';
import { DAY_MS, type Ms, SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration, secret, slug } from '../platform/config/fields.ts';

/** What the kinds of checks share in how they are written. */

/** Bounds of intervals and timeouts, and what holds when nothing is said. */
export const CHECK_LIMITS = {
  minIntervalMs: SECOND_MS,
  maxIntervalMs: DAY_MS,
  defaultInterval: '30s',
  defaultTimeoutMs: 10 * SECOND_MS,
  /** Attempts that confirmation may count. More would keep an outage unseen for longer than anyone means. */
  maxConfirm: 10,
  maxRedirects: 10,
  maxLocations: 20,
} as const;

/** RE2 syntax. */
export const pattern = z.string().superRefine((source, context) => {
  const compiled = compileRegex(source);
  if (!compiled.ok) context.addIssue({ code: 'custom', message: compiled.error });
});

/** Percent of the changes that are possible. */
const share = z.number().min(1).max(100);

/** What every kind has, whether it asks or waits. */
export const identity = {
  id: slug,
  name: z.string().max(200).optional(),
  impact: z.enum(['down', 'degraded']).default('down'),
  /** `2` (2 of the last 2), or `{ n: 2, of: 3 }`. */
  confirm: z
    .union([
      z.number().int().min(1).max(CHECK_LIMITS.maxConfirm),
      z.strictObject({ n: z.number().int().min(1).max(CHECK_LIMITS.maxConfirm), of: z.number().int().min(1).max(CHECK_LIMITS.maxConfirm) }),
    ])
    .default(1),
  /** From which share of changes on, in percent of its last 21 states, the check flaps, and when it is steady again; `false`: never. */
  flapping: z.union([z.literal(false), z.strictObject({ enter: share.default(30), leave: share.default(25) })]).prefault({}),
  /** Nothing is asked and nothing is judged: from now on the check has no voice. */
  paused: z.boolean().default(false),
  /** An answer that takes longer than this is degraded. */
  degraded_after: duration().optional(),
};

/** What every kind has that asks in attempts. */
export const common = {
  ...identity,
  interval: duration().prefault(CHECK_LIMITS.defaultInterval),
  timeout: duration().optional(),
  ip_version: z.union([z.literal(4), z.literal(6)]).optional(),
  /** Where it is asked from: names of agents, and `server` for this process. Default: the server alone, without a vote. */
  locations: z.array(slug).min(1).max(CHECK_LIMITS.maxLocations).optional(),
  /** How many of the locations must agree that the service is down; default: more than half. */
  quorum: z.number().int().min(1).optional(),
};

/** The fields of `common` that are lengths of time. */
export const COMMON_LENGTHS = ['interval', 'timeout', 'degraded_after'] as const;

/** `host:port` or `[v6]:port`. */
export function splitAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** A field that is `host:port`. */
export const address = z.string().superRefine((text, context) => {
  if (splitAddress(text) === undefined) context.addIssue({ code: 'custom', message: `not an address: "${text}" (write host:port)` });
});

/** An address of one of two protocols, without a password in it. */
export const urlOf = (plain: string, secure: string): z.ZodString =>
  z.string().superRefine((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || (url.protocol !== `${plain}:` && url.protocol !== `${secure}:`)) {
      context.addIssue({ code: 'custom', message: `not a ${plain} or ${secure} address: "${text}"` });
    } else if (url.username !== '' || url.password !== '') {
      context.addIssue({
        code: 'custom',
        message: 'a password in the address would be shown everywhere; send an authorization header instead',
      });
    }
  });

const pem = z.string().superRefine((text, context) => {
  try {
    createSecureContext({ ca: text });
    if (text.includes('-----BEGIN CERTIFICATE-----')) return;
  } catch {
    // Said below, together with what decodes to nothing.
  }
  context.addIssue({ code: 'custom', message: 'not a certificate in PEM (it begins with -----BEGIN CERTIFICATE-----)' });
});

/** How TLS is spoken, where a kind can speak it. Certificates stand here as text, in PEM. */
export const tlsOptions = z
  .strictObject({
    verify: z.boolean().default(true),
    server_name: z.string().min(1).optional(),
    /** Who may have signed the certificate, instead of the authorities that come with Node. */
    ca: pem.optional(),
    /** What we show when the server asks who we are. */
    certificate: pem.optional(),
    key: secret.optional(),
  })
  .superRefine(({ certificate, key }, context) => {
    if (certificate === undefined && key === undefined) return;
    const refuse = (message: string): void => context.addIssue({ code: 'custom', path: ['key'], message });
    if (certificate === undefined || key === undefined) return refuse('a client certificate needs its key, and a key its certificate');
    try {
      createSecureContext({ cert: certificate, key: key.reveal() });
    } catch (thrown) {
      refuse(`the key does not fit the certificate: ${messageOf(thrown)}`);
    }
  });
export type TlsOptions = z.output<typeof tlsOptions>;

const CONDITION = /^(==|!=|>=|<=|>|<)\s*([+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?))$/i;

/** What a figure is held against: `< 0.05`, `>= 1`, `== 3`. */
export const condition = z.string().regex(CONDITION, 'write a comparison with a number, such as "< 0.05" (==, !=, <, <=, >, >=)');

/** Whether `value` fulfils the condition; a value that is no number fulfils `!=` only, as in PromQL. */
export function fulfils(value: number, source: string): boolean {
  const [, operator, bound] = CONDITION.exec(source) ?? [];
  const limit = Number(bound);
  switch (operator) {
    case '==':
      return value === limit;
    case '!=':
      return value !== limit;
    case '>=':
      return value >= limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '<':
      return value < limit;
    default:
      throw new Error(`expected a condition that was checked, found "${source}"`);
  }
}

/** What is known of a kind's checks before any attempt. */
export type KindSpec<Schema extends z.ZodType> = {
  readonly schema: Schema;
  /** What is asked, as people read it: a URL, `host:port`, a name. Without secrets. */
  readonly targetOf: (check: z.output<Schema>) => string;
  /** The host that a connection is made to and the field that names it; undefined where none is. */
  readonly hostOf: (check: z.output<Schema>) => { readonly field: string; readonly host: string } | undefined;
  /** Looks into this machine (its files, processes, programs): only whoever writes the configuration file may ask for that. */
  readonly local?: true;
  /** The kind's own fields that are lengths of time, by path: `expect.certificate_valid_for`. */
  readonly lengths?: readonly string[];
  /** For kinds without `interval` and `timeout`: how long a result speaks, and how long the next may take beyond that. */
  readonly timingOf?: (check: z.output<Schema>) => { readonly intervalMs: Ms; readonly timeoutMs: Ms };
};
