/**
 * Checks ask a service from outside, once per interval, and say what they saw. One attempt means one attempt.
 * A result becomes series (blackbox_exporter's names) and a ledger interval, in that order.
 * The instant of a result is the start of its attempt. Lengths come from monotonic time.
 * Checks never decide availability; they hand results to `ResultSink`.
 */
import { DAY_MS, type EpochMs, type Ms, ms, SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import type { Trust } from '../platform/fetch/judge.ts';
import { programList } from '../platform/programs.ts';
import { browserConfig } from './kinds/browser/config.ts';
import { type CheckKind, isLocal, kindOf, written, type WrittenOf } from './kinds/specs.ts';
import { address, CHECK_LIMITS, COMMON_LENGTHS } from './written.ts';

/** Names of what every result says, which no figure of a kind has. */
export const RESULT_METRICS: ReadonlySet<string> = new Set([
  'probe_success',
  'probe_degraded',
  'probe_duration_seconds',
  'probe_dns_lookup_time_seconds',
  'probe_ssl_earliest_cert_expiry',
  'probe_http_duration_seconds',
  'probe_http_status_code',
  'probe_http_redirects',
  'probe_http_ssl',
  'probe_failed_due_to_regex',
]);
/** Labels that say whose a sample is. */
export const RESULT_LABELS: ReadonlySet<string> = new Set(['service', 'check', 'kind', 'instance', 'job', 'location']);

export const PHASES = ['resolve', 'connect', 'tls', 'processing', 'transfer'] as const;
export type Phase = (typeof PHASES)[number];

/** What one attempt saw. `void` results say nothing about the service (the event loop was late, the probe is isolated). */
export type Outcome =
  | { readonly kind: 'up' }
  | { readonly kind: 'degraded'; readonly code: string; readonly detail: string }
  | { readonly kind: 'down'; readonly code: string; readonly detail: string }
  | { readonly kind: 'void'; readonly code: string; readonly detail: string };

/** One more figure of a result: a sample beside those that every check has. */
export type Figure = { readonly name: string; readonly value: number; readonly labels?: Readonly<Record<string, string>> };

/** What is kept of the headers of one answer. */
export const HEADER_LIMITS = { headers: 40, nameChars: 100, valueChars: 300 } as const;
/** One header of an answer; its value is redacted where it lets somebody in. */
export type AnswerHeader = { readonly name: string; readonly value: string };

export type CheckResult = {
  readonly check: string;
  /** Where it was asked from, of a check with locations; absent of others. */
  readonly location?: string;
  readonly service: string;
  readonly checkKind: string;
  /** What was asked: a URL or `host:port`. */
  readonly target: string;
  /** Of a check with locations the instant of its slot, the same at every location. */
  readonly startedAtMs: EpochMs;
  /** How much earlier or later than `startedAtMs` the attempt may have begun; 0 when absent. */
  readonly uncertaintyMs?: number;
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
  /** What else the kind measured, by the name of its series. */
  readonly figures?: readonly Figure[];
  /** How late the event loop was while the attempt ran. */
  readonly loopDelayMs: number;
  /** The address that was asked last, after its name was resolved: `192.0.2.7:443`. That of the proxy where there is one. */
  readonly address?: string;
  /** What the answer said of itself, of attempts that were not up; see `answer-headers.ts` for what is left of it. */
  readonly headers?: readonly AnswerHeader[];
  /** At most 1 KB of the answer, kept for failures only. */
  readonly excerpt?: string;
  /** Of a journey: how long each step took, the one that failed last. */
  readonly steps?: readonly { readonly name: string; readonly durationMs: number }[];
  /** A picture of what a failing journey saw, in JPEG; kept with the last failure only. */
  readonly screenshot?: Buffer;
};

/** What the ledger must know of a check to judge its results. */
export type CheckTiming = {
  readonly check: string;
  readonly service: string;
  /** Of its service; none when absent. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly intervalMs: Ms;
  readonly timeoutMs: Ms;
  /** `down` (default) makes the service down, `degraded` only degrades it. */
  readonly impact: 'down' | 'degraded';
  /** Confirmation: `n` failing of the last `of` attempts; default 1 of 1. */
  readonly confirm: { readonly n: number; readonly of: number };
  /** When its changes are too many to be news; left out or false: never. */
  readonly flapping?: { readonly enter: number; readonly leave: number } | false;
  /** Of a check that is asked from several places: who has a voice, and how many must agree. */
  readonly vote?: { readonly locations: readonly string[]; readonly quorum: number };
};

/** The location that the server itself is. */
export const SERVER_LOCATION = 'server';
/** A voice is heard this long after its slot; what comes later is a sample and no more. Agents keep results for as long. */
export const MAX_LATE_MS = DAY_MS;
/** After the timeout of a slot its voices are waited for this long before it is decided without them. */
export const VOTE_GRACE_MS = 2 * SECOND_MS;

/** Where results go. Resolves when the result is durable (log first, then ledger). */
export type ResultSink = (result: CheckResult, timing: CheckTiming) => Promise<void>;

/** One check as it is written in the file or sent to the API. */
export const checkSchema = written.superRefine((check, context) => {
  const { minIntervalMs, maxIntervalMs } = CHECK_LIMITS;
  const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
  const { confirm } = check;
  if (typeof confirm === 'object' && confirm.n > confirm.of) refuse('confirm', `${confirm.n} of ${confirm.of} can never be reached`);
  const { flapping } = check;
  if (flapping !== false && flapping.leave > flapping.enter) refuse('flapping', 'it ends at a smaller share of changes than it begins at');
  if (!('interval' in check)) return;
  const { locations, quorum } = check;
  if (quorum !== undefined && quorum > (locations?.length ?? 0))
    refuse('quorum', `${quorum} of ${locations?.length ?? 0} locations can never agree`);
  if (new Set(locations).size !== (locations?.length ?? 0)) refuse('locations', 'a location has one voice; one is named twice');
  if (check.kind === 'promql' && locations?.some((location) => location !== SERVER_LOCATION) === true)
    refuse('locations', 'our own samples are at the server only: a check of kind promql is asked there');
  const { interval, timeout } = check;
  if (interval < minIntervalMs || interval > maxIntervalMs) refuse('interval', 'an interval is between 1s and 1d');
  if (timeout !== undefined && timeout <= 0) refuse('timeout', 'a timeout is longer than 0');
  else if (timeout !== undefined && timeout > interval)
    refuse('timeout', 'a timeout is not longer than the interval: attempts never overlap');
});
export type WrittenCheck = z.input<typeof checkSchema>;
export type ParsedCheck = z.output<typeof checkSchema>;

type Ready<T> = Omit<T, 'confirm'> &
  CheckTiming & {
    readonly target: string;
    readonly trust: Trust;
    /** Of its service: they stand on its series, and say what a check that was made in the UI may ask of our own samples. */
    readonly labels: Readonly<Record<string, string>>;
  };
/** A check of one kind with everything decided, ready to run. */
export type SpecOf<K extends CheckKind> = Ready<WrittenOf<K>>;
export type CheckSpec = { readonly [K in CheckKind]: SpecOf<K> }[CheckKind];

/** Fills in what is left open. `trust` says who chose the target. */
export function toSpec(
  check: ParsedCheck,
  of: { readonly service: string; readonly trust: CheckSpec['trust']; readonly labels?: CheckSpec['labels'] },
): CheckSpec {
  const { confirm } = check;
  return {
    ...check,
    check: check.id,
    service: of.service,
    trust: of.trust,
    labels: of.labels ?? {},
    target: kindOf(check).targetOf(check),
    ...timingOf(check),
    ...voteOf(check),
    confirm: typeof confirm === 'number' ? { n: confirm, of: confirm } : confirm,
  } as CheckSpec;
}

function voteOf(check: ParsedCheck): Pick<CheckTiming, 'vote'> {
  if (!('interval' in check) || check.locations === undefined) return {};
  const { locations, quorum = Math.floor(locations.length / 2) + 1 } = check;
  return { vote: { locations, quorum } };
}

function timingOf(check: ParsedCheck): Pick<CheckTiming, 'intervalMs' | 'timeoutMs'> {
  if (!('interval' in check)) return kindOf(check).timingOf?.(check) ?? { intervalMs: ms(DAY_MS), timeoutMs: ms(0) };
  const { interval, timeout } = check;
  return { intervalMs: interval, timeoutMs: timeout ?? ms(Math.min(CHECK_LIMITS.defaultTimeoutMs, interval)) };
}

/** The host that a check connects to and the field that names it; undefined for kinds that connect to none. */
export const hostOfCheck = (check: ParsedCheck): { readonly field: string; readonly host: string } | undefined =>
  kindOf(check).hostOf(check);

/** Why a check that was made in the UI or API may not run, whatever it asks: its kind looks into this machine. */
export const localRefusal = (check: Pick<ParsedCheck, 'kind'>): string | undefined =>
  isLocal(check.kind) ? `checks of kind ${check.kind} look into this machine and are declared in the configuration file only` : undefined;

/** The fields of a check that are lengths of time, by path. Parsed they are milliseconds, written they have a unit. */
export const lengthsOfCheck = (check: ParsedCheck): readonly string[] => [...COMMON_LENGTHS, ...(kindOf(check).lengths ?? [])];

/** The section `checks`. Takes effect at the next start. */
export const checksConfig = z
  .strictObject({
    /** Programs that checks of kind `script` may run, by absolute path. Nothing else runs. */
    commands: programList,
    /** `host:port` of what answers whenever our network does (a gateway, a name server): tells our own isolation from outages. */
    references: z.array(address).max(10).default([]),
    browser: browserConfig,
  })
  .prefault({});

/** Stable codes of this domain's refusals. */
export const CHECK_CODES = {
  notFound: 'check_not_found',
  noScreenshot: 'check_without_screenshot',
  notAskable: 'check_not_askable',
} as const;

/** The checks that run, and their latest results. */
export interface Checks {
  /** The whole set of checks now: those that left stop, new ones start, changed ones begin anew. */
  configure(specs: readonly CheckSpec[]): void;
  /** In the order of the configuration. */
  list(): readonly CheckSpec[];
  /** The latest results of a check since the process started, newest first. */
  results(check: string): readonly CheckResult[];
  lastFailure(check: string): CheckResult | undefined;
  /** One more attempt, now; resolves when its result is taken in. Nothing for kinds that wait, checks with locations and paused ones. */
  askNow(check: string): Promise<void>;
}

export const resultView = z.object({
  at_ms: z.number(),
  location: z.string().nullable(),
  duration_ms: z.number(),
  outcome: z.enum(['up', 'degraded', 'down', 'void']),
  code: z.string().nullable(),
  detail: z.string().nullable(),
  phases_ms: z.record(z.string(), z.number()),
  status_code: z.number().nullable(),
  certificate_expires_at_ms: z.number().nullable(),
  loop_delay_ms: z.number(),
  /** What was asked after its name was resolved; null when nothing was, and of kinds that ask no address. */
  address: z.string().nullable(),
  headers: z.array(z.object({ name: z.string(), value: z.string() })),
  excerpt: z.string().nullable(),
  steps: z.array(z.object({ name: z.string(), duration_ms: z.number() })),
  /** Whether `GET /api/checks/{id}/screenshot` has a picture of it. */
  screenshot: z.boolean(),
});
export type ResultView = z.infer<typeof resultView>;

/** The check changes its state too often: its state stands, but a single change of it is no news. */
export const flappingView = z.object({ since_at_ms: z.number(), change_percent: z.number(), leave_percent: z.number() });

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
  vote: z.object({ locations: z.array(z.string()), quorum: z.number() }).nullable(),
  paused: z.boolean(),
  state: z.enum(['up', 'degraded', 'down', 'unknown']),
  unknown_reason: z.string().nullable(),
  since_at_ms: z.number(),
  flapping: flappingView.nullable(),
  last: resultView.nullable(),
});
export type CheckView = z.infer<typeof checkView>;

/** The shape of `GET /api/checks/{id}`. */
export const checkDetailView = checkView.extend({ results: z.array(resultView), last_failure: resultView.nullable() });
export type CheckDetailView = z.infer<typeof checkDetailView>;

export const resultToWire = (result: CheckResult): ResultView => ({
  at_ms: result.startedAtMs,
  location: result.location ?? null,
  duration_ms: result.durationMs,
  outcome: result.outcome.kind,
  code: result.outcome.kind === 'up' ? null : result.outcome.code,
  detail: result.outcome.kind === 'up' ? null : result.outcome.detail,
  phases_ms: { ...result.phases },
  status_code: result.statusCode ?? null,
  certificate_expires_at_ms: result.certificateExpiresAtMs ?? null,
  loop_delay_ms: result.loopDelayMs,
  address: result.address ?? null,
  headers: (result.headers ?? []).map(({ name, value }) => ({ name, value })),
  excerpt: result.excerpt ?? null,
  steps: (result.steps ?? []).map(({ name, durationMs }) => ({ name, duration_ms: durationMs })),
  screenshot: result.screenshot !== undefined,
});

/** The shape of `GET /api/checks/{id}/failures`: kept through restarts and after the check has gone, newest first. */
export const failuresView = z.object({ items: z.array(resultView) });

/** The failures of checks that are kept as evidence. */
export interface Failures {
  /** Those of the check that began within `[fromMs, toMs]`, newest first, at most `limit`. */
  list(check: string, within: { readonly fromMs: number; readonly toMs: number; readonly limit: number }): Promise<readonly ResultView[]>;
}

/** The shape of `GET /api/check-templates` items. */
export const templateView = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  check: z.object({ kind: z.string(), interval: z.string(), timeout: z.string() }),
});
export type TemplateView = z.infer<typeof templateView>;

/** The state the ledger gives a check; the same words as a service's. */
type CheckState = { readonly state: CheckView['state']; readonly unknownReason?: string; readonly sinceMs: number };

/** What the ledger says of a check. */
type CheckStanding = CheckState & {
  readonly flapping: { readonly sinceMs: number; readonly changePercent: number; readonly leavePercent: number } | null;
};

const flappingToWire = ({ sinceMs, changePercent, leavePercent }: NonNullable<CheckStanding['flapping']>) => ({
  since_at_ms: sinceMs,
  change_percent: changePercent,
  leave_percent: leavePercent,
});

export const checkToWire = (spec: CheckSpec, current: CheckStanding, last: CheckResult | undefined): CheckView => ({
  id: spec.id,
  name: spec.name ?? spec.id,
  service: spec.service,
  kind: spec.kind,
  target: spec.target,
  interval_ms: spec.intervalMs,
  timeout_ms: spec.timeoutMs,
  impact: spec.impact,
  confirm: { ...spec.confirm },
  vote: spec.vote === undefined ? null : { locations: [...spec.vote.locations], quorum: spec.vote.quorum },
  paused: spec.paused,
  state: current.state,
  unknown_reason: current.unknownReason ?? null,
  since_at_ms: current.sinceMs,
  flapping: current.flapping === null ? null : flappingToWire(current.flapping),
  last: last === undefined ? null : resultToWire(last),
});
