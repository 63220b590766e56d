/**
 * Checks ask a service from outside, once per interval, and say what they saw. One attempt means one attempt.
 * A result becomes series (blackbox_exporter's names) and a ledger interval, in that order.
 * The instant of a result is the start of its attempt. Lengths come from monotonic time.
 * Checks never decide availability; they hand results to `ResultSink`.
 */
import { compileRegex } from '@nines/base/regex.ts';
import { DAY_MS, type EpochMs, type Ms, ms, SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration, requestHeaders, slug } from '../platform/config/fields.ts';

export const PHASES = ['resolve', 'connect', 'tls', 'processing', 'transfer'] as const;
export type Phase = (typeof PHASES)[number];

/** What one attempt saw. `void` results say nothing about the service (the event loop was late, the probe is isolated). */
export type Outcome =
  | { readonly kind: 'up' }
  | { readonly kind: 'degraded'; readonly code: string; readonly detail: string }
  | { readonly kind: 'down'; readonly code: string; readonly detail: string }
  | { readonly kind: 'void'; readonly code: string; readonly detail: string };

export type CheckResult = {
  readonly check: string;
  readonly service: string;
  readonly checkKind: string;
  /** What was asked: a URL or `host:port`. */
  readonly target: string;
  readonly startedAtMs: EpochMs;
  /** Monotonic; fractions kept. */
  readonly durationMs: number;
  readonly outcome: Outcome;
  /** Summed over redirects. A phase that was begun but not ended counts until the attempt ended. */
  readonly phases: Readonly<Partial<Record<Phase, number>>>;
  readonly statusCode?: number;
  readonly redirects?: number;
  /** Whether the last exchange went over TLS. */
  readonly tls?: boolean;
  readonly certificateExpiresAtMs?: EpochMs;
  /** How late the event loop was while the attempt ran. */
  readonly loopDelayMs: number;
  /** At most 1 KB of the answer, kept for failures only. */
  readonly excerpt?: string;
};

/** What the ledger must know of a check to judge its results. */
export type CheckTiming = {
  readonly check: string;
  readonly service: string;
  readonly intervalMs: Ms;
  readonly timeoutMs: Ms;
  /** `down` (default) makes the service down, `degraded` only degrades it. */
  readonly impact: 'down' | 'degraded';
  /** Confirmation: `n` failing of the last `of` attempts; default 1 of 1. */
  readonly confirm: { readonly n: number; readonly of: number };
};

/** Where results go. Resolves when the result is durable (log first, then ledger). */
export type ResultSink = (result: CheckResult, timing: CheckTiming) => Promise<void>;

/** Bounds of intervals and timeouts, and what holds when nothing is said. */
export const CHECK_LIMITS = {
  minIntervalMs: SECOND_MS,
  maxIntervalMs: DAY_MS,
  defaultInterval: '30s',
  defaultTimeoutMs: 10 * SECOND_MS,
  /** Attempts that confirmation may count. More would keep an outage unseen for longer than anyone means. */
  maxConfirm: 10,
  maxRedirects: 10,
} as const;

const pattern = z.string().superRefine((source, context) => {
  const compiled = compileRegex(source);
  if (!compiled.ok) context.addIssue({ code: 'custom', message: compiled.error });
});

/** `200`, or a whole class: `2xx`. */
const statusExpectation = z.union([
  z.number().int().min(100).max(599),
  z.string().regex(/^[1-5]xx$/, 'write a status such as 200, or a class such as 2xx'),
]);

const common = {
  id: slug,
  name: z.string().max(200).optional(),
  interval: duration().prefault(CHECK_LIMITS.defaultInterval),
  timeout: duration().optional(),
  impact: z.enum(['down', 'degraded']).default('down'),
  /** `2` (2 of the last 2), or `{ n: 2, of: 3 }`. */
  confirm: z
    .union([
      z.number().int().min(1).max(CHECK_LIMITS.maxConfirm),
      z.strictObject({ n: z.number().int().min(1).max(CHECK_LIMITS.maxConfirm), of: z.number().int().min(1).max(CHECK_LIMITS.maxConfirm) }),
    ])
    .default(1),
  /** An answer that takes longer than this is degraded. */
  degraded_after: duration().optional(),
  ip_version: z.union([z.literal(4), z.literal(6)]).optional(),
};

const httpCheck = z.strictObject({
  ...common,
  kind: z.literal('http'),
  url: z.string().superRefine((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      context.addIssue({ code: 'custom', message: `not an http or https address: "${text}"` });
    } else if (url.username !== '' || url.password !== '') {
      context.addIssue({
        code: 'custom',
        message: 'a password in the address would be shown everywhere; send an authorization header instead',
      });
    }
  }),
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
  tls: z.strictObject({ verify: z.boolean().default(true), server_name: z.string().min(1).optional() }).default({ verify: true }),
});

const tcpCheck = z.strictObject({
  ...common,
  kind: z.literal('tcp'),
  address: z.string().superRefine((text, context) => {
    if (splitAddress(text) === undefined) context.addIssue({ code: 'custom', message: `not an address: "${text}" (write host:port)` });
  }),
});

/** One check as it is written in the file or sent to the API. */
export const checkSchema = z.discriminatedUnion('kind', [httpCheck, tcpCheck]).superRefine((check, context) => {
  const { interval, timeout, confirm } = check;
  const { minIntervalMs, maxIntervalMs } = CHECK_LIMITS;
  const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
  if (interval < minIntervalMs || interval > maxIntervalMs) refuse('interval', 'an interval is between 1s and 1d');
  if (timeout !== undefined && timeout <= 0) refuse('timeout', 'a timeout is longer than 0');
  else if (timeout !== undefined && timeout > interval)
    refuse('timeout', 'a timeout is not longer than the interval: attempts never overlap');
  if (typeof confirm === 'object' && confirm.n > confirm.of) refuse('confirm', `${confirm.n} of ${confirm.of} can never be reached`);
});
export type WrittenCheck = z.input<typeof checkSchema>;
type ParsedCheck = z.output<typeof checkSchema>;

type Ready<T> = Omit<T, 'confirm'> & CheckTiming & { readonly target: string; readonly trust: 'trusted' | 'untrusted' };
export type HttpSpec = Ready<z.output<typeof httpCheck>>;
export type TcpSpec = Ready<z.output<typeof tcpCheck>>;
/** A check with everything decided, ready to run. */
export type CheckSpec = HttpSpec | TcpSpec;

/** Fills in what is left open. `trust` says who chose the target: the configuration file (`trusted`) or the UI or API. */
export function toSpec(check: ParsedCheck, of: { readonly service: string; readonly trust: CheckSpec['trust'] }): CheckSpec {
  const { confirm } = check;
  return {
    ...check,
    check: check.id,
    service: of.service,
    trust: of.trust,
    target: check.kind === 'http' ? check.url : check.address,
    intervalMs: check.interval,
    timeoutMs: check.timeout ?? ms(Math.min(CHECK_LIMITS.defaultTimeoutMs, check.interval)),
    confirm: typeof confirm === 'number' ? { n: confirm, of: confirm } : confirm,
  } as CheckSpec;
}

/** `host:port` or `[v6]:port`. */
export function splitAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** Stable codes of this domain's refusals. */
export const CHECK_CODES = { notFound: 'check_not_found' } as const;

/** The checks that run, and their latest results. */
export interface Checks {
  /** The whole set of checks now: those that left stop, new ones start, changed ones begin anew. */
  configure(specs: readonly CheckSpec[]): void;
  /** In the order of the configuration. */
  list(): readonly CheckSpec[];
  /** The latest results of a check since the process started, newest first. */
  results(check: string): readonly CheckResult[];
  lastFailure(check: string): CheckResult | undefined;
}

const resultView = z.object({
  at_ms: z.number(),
  duration_ms: z.number(),
  outcome: z.enum(['up', 'degraded', 'down', 'void']),
  code: z.string().nullable(),
  detail: z.string().nullable(),
  phases_ms: z.record(z.string(), z.number()),
  status_code: z.number().nullable(),
  certificate_expires_at_ms: z.number().nullable(),
  loop_delay_ms: z.number(),
  excerpt: z.string().nullable(),
});
export type ResultView = z.infer<typeof resultView>;

/** The shape of `GET /api/checks` items. */
export const checkView = z.object({
  id: z.string(),
  name: z.string(),
  service: z.string(),
  kind: z.string(),
  target: z.string(),
  interval_ms: z.number(),
  timeout_ms: z.number(),
  impact: z.enum(['down', 'degraded']),
  confirm: z.object({ n: z.number(), of: z.number() }),
  state: z.enum(['up', 'degraded', 'down', 'unknown']),
  unknown_reason: z.string().nullable(),
  since_at_ms: z.number(),
  last: resultView.nullable(),
});
export type CheckView = z.infer<typeof checkView>;

/** The shape of `GET /api/checks/{id}`. */
export const checkDetailView = checkView.extend({ results: z.array(resultView), last_failure: resultView.nullable() });
export type CheckDetailView = z.infer<typeof checkDetailView>;

export const resultToWire = (result: CheckResult): ResultView => ({
  at_ms: result.startedAtMs,
  duration_ms: result.durationMs,
  outcome: result.outcome.kind,
  code: result.outcome.kind === 'up' ? null : result.outcome.code,
  detail: result.outcome.kind === 'up' ? null : result.outcome.detail,
  phases_ms: { ...result.phases },
  status_code: result.statusCode ?? null,
  certificate_expires_at_ms: result.certificateExpiresAtMs ?? null,
  loop_delay_ms: result.loopDelayMs,
  excerpt: result.excerpt ?? null,
});

/** The state the ledger gives a check; the same words as a service's. */
type CheckState = { readonly state: CheckView['state']; readonly unknownReason?: string; readonly sinceMs: number };

export const checkToWire = (spec: CheckSpec, current: CheckState, last: CheckResult | undefined): CheckView => ({
  id: spec.id,
  name: spec.name ?? spec.id,
  service: spec.service,
  kind: spec.kind,
  target: spec.target,
  interval_ms: spec.intervalMs,
  timeout_ms: spec.timeoutMs,
  impact: spec.impact,
  confirm: { ...spec.confirm },
  state: current.state,
  unknown_reason: current.unknownReason ?? null,
  since_at_ms: current.sinceMs,
  last: last === undefined ? null : resultToWire(last),
});
