/**
 * Agents run checks at other places and hand in what they saw. Each is one location with one voice. Agent and server know each other by
 * certificates of the server's own authority (TLS 1.3, both sides); an agent keeps its results on disk until the server has them.
 * An agent that is away is absent: never down. Agents decide nothing about a service, and the server asks nobody in their name.
 */
import { DAY_MS, HOUR_MS, SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { type CheckResult, HEADER_LIMITS, PHASES, RESULT_LABELS, RESULT_METRICS, SERVER_LOCATION } from '../checks/contract.ts';
import { duration, hostAndPort, slug } from '../platform/config/fields.ts';

export const AGENT_LIMITS = {
  /** Agents that are not revoked. */
  agents: 500,
  /** Join tokens that are open at once. */
  joinTokens: 100,
  /** Results of one request, and its body. */
  batch: 500,
  bodyBytes: 4 * 1024 * 1024,
  /** The body of a request to join, which anybody can send. */
  joinBytes: 16 * 1024,
  /** How long the question for checks waits for a change. */
  pollMs: 25 * SECOND_MS,
  /** An agent says at least this often that it is there, and is away after three that did not come. */
  signOfLifeMs: 5 * SECOND_MS,
  awayAfterMs: 15 * SECOND_MS,
  /** What claims to lie further ahead than this is no result. */
  aheadMs: 5 * SECOND_MS,
} as const;

export const JOIN_TOKEN_LIFE_MS = HOUR_MS;

export const AGENT_CODES = {
  notFound: 'agent_not_found',
  off: 'agents_off',
  tokenRefused: 'join_token_refused',
  revoked: 'agent_revoked',
  unknownCertificate: 'agent_certificate_unknown',
  tooMany: 'too_many_agents',
} as const;

/** The section `agents`. Takes effect at the next start. */
export const agentsConfig = z
  .strictObject({
    /** Where agents connect; without it there are none. TLS 1.3 with certificates of our own: no proxy in between may end it. */
    listen: hostAndPort.optional(),
    /** `host:port` by which agents reach it from outside; default: `listen`. */
    address: z.string().min(1).max(300).optional(),
    /** How long an agent's certificate holds. It is renewed when a third of it is left. */
    certificate_life: duration({ minMs: DAY_MS, maxMs: 3_650 * DAY_MS }).prefault('90d'),
  })
  .prefault({});
export type AgentsConfig = z.output<typeof agentsConfig>;

// What is spoken between agent and server: JSON, every path below /agent/v1.

/** The name that the server's certificate is made out to, whatever address it is reached by. */
export const SERVER_NAME = 'server.agents.nines';
/** A join token: what the agent must find the server to be, and what the server must find the agent to know. */
export const formatJoinToken = (fingerprint: string, secret: string): string => `njoin_${fingerprint}.${secret}`;
export function parseJoinToken(text: string): { readonly fingerprint: string; readonly secret: string } | undefined {
  const [, fingerprint, secret] = /^njoin_([\w-]{43})\.([\w-]{43})$/.exec(text.trim()) ?? [];
  return fingerprint === undefined || secret === undefined ? undefined : { fingerprint, secret };
}

export const authorityAnswer = z.object({ certificate: z.string() });
const publicKey = z.string().max(2_000);
export const joinRequest = z.strictObject({ secret: z.string().max(200), public_key: publicKey, version: z.string().max(100) });
export const renewRequest = z.strictObject({ public_key: publicKey });
export const certificateAnswer = z.object({ certificate: z.string(), agent: z.string(), location: z.string() });
export type CertificateAnswer = z.infer<typeof certificateAnswer>;

/** Checks as they are written, secrets revealed: the connection is the agent's own. */
export const checksAnswer = z.object({
  version: z.string(),
  /** The agent is to take a new key. */
  rotate: z.boolean(),
  /** Where checks that were made in the UI or API may ask through agents. */
  outbound: z.object({ allow: z.array(z.string()), deny: z.array(z.string()) }).optional(),
  checks: z.array(z.object({ service: z.string(), trust: z.enum(['trusted', 'untrusted']), check: z.record(z.string(), z.unknown()) })),
});
export type ChecksAnswer = z.infer<typeof checksAnswer>;

const outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('up') }),
  ...(['degraded', 'down', 'void'] as const).map((kind) =>
    z.object({ kind: z.literal(kind), code: z.string().max(100), detail: z.string().max(2_000) }),
  ),
]);
const finite = z.number();
/** What `Date` can hold. */
const MAX_INSTANT_MS = 8.64e15;
const instantMs = finite.nonnegative().max(MAX_INSTANT_MS);
/** No attempt takes longer, nor begins later in its slot: an interval is at most a day. */
const lengthMs = finite.nonnegative().max(2 * DAY_MS);

/** An agent speaks of its own place: a figure that passes for the result of another one, or for another metric, is refused. */
const figure = z.object({
  name: z
    .string()
    .max(200)
    .regex(/^probe_[a-zA-Z0-9_]+$/, 'a figure is called probe_…')
    .refine((name) => !RESULT_METRICS.has(name), 'this metric is made of the result itself'),
  value: finite,
  labels: z
    .record(
      z
        .string()
        .regex(/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/, 'not the name of a label')
        .refine((name) => !RESULT_LABELS.has(name), 'this label says whose the sample is'),
      z.string().max(1_000),
    )
    .optional(),
});

/** One result on its way, numbered by the agent from 1 on. The picture of a failing journey stays where it was taken. */
export const wireResult = z.object({
  seq: z.number().int().positive(),
  check: z.string().max(100),
  at_ms: z.int().nonnegative(),
  uncertainty_ms: lengthMs,
  duration_ms: lengthMs,
  outcome,
  phases_ms: z.partialRecord(z.enum(PHASES), finite),
  status_code: finite.optional(),
  redirects: finite.optional(),
  tls: z.boolean().optional(),
  certificate_expires_at_ms: finite.min(-MAX_INSTANT_MS).max(MAX_INSTANT_MS).optional(),
  figures: z.array(figure).max(200).optional(),
  loop_delay_ms: finite.nonnegative(),
  /** Agents of an earlier version tell neither of the two. */
  address: z.string().max(300).optional(),
  headers: z
    .array(z.object({ name: z.string().max(HEADER_LIMITS.nameChars), value: z.string().max(HEADER_LIMITS.valueChars) }))
    .max(HEADER_LIMITS.headers)
    .optional(),
  excerpt: z.string().max(4_096).optional(),
  steps: z
    .array(z.object({ name: z.string().max(500), duration_ms: finite }))
    .max(200)
    .optional(),
});
export type WireResult = z.infer<typeof wireResult>;

/** What an agent says of itself with every batch. */
export const agentStatus = z.object({
  version: z.string().max(100),
  host: z.string().max(300),
  started_at_ms: instantMs,
  /** The agent's wall clock less the server's, and how far off that may be; null before it was measured. */
  skew_ms: finite.nullable(),
  uncertainty_ms: finite.nullable(),
  /** Results that wait for the server. */
  buffered: finite.nonnegative(),
  /** Results that were dropped because the buffer was full, and the time they spoke of. */
  lost: z.object({ count: finite.nonnegative(), from_at_ms: instantMs, to_at_ms: instantMs }).nullable(),
  /** Checks that this agent does not run, and why. */
  refused: z.array(z.object({ check: z.string().max(100), reason: z.string().max(500) })).max(1_000),
});
export type AgentStatus = z.infer<typeof agentStatus>;

export const resultsRequest = z.strictObject({ results: z.array(wireResult).max(AGENT_LIMITS.batch), status: agentStatus });
export type ResultsRequest = z.infer<typeof resultsRequest>;
/** `taken`: the newest number that needs not be sent again. The two instants are the server's, for measuring clocks. */
export const resultsAnswer = z.object({ taken: z.number(), received_at_ms: z.number(), answered_at_ms: z.number() });

export const resultFromWire = (
  { at_ms, uncertainty_ms, duration_ms, phases_ms, loop_delay_ms, ...rest }: WireResult,
  of: Pick<CheckResult, 'service' | 'checkKind' | 'target' | 'location'>,
): CheckResult => ({
  ...of,
  check: rest.check,
  startedAtMs: at_ms as CheckResult['startedAtMs'],
  uncertaintyMs: uncertainty_ms,
  durationMs: duration_ms,
  outcome: rest.outcome,
  phases: phases_ms,
  ...(rest.status_code === undefined ? {} : { statusCode: rest.status_code }),
  ...(rest.redirects === undefined ? {} : { redirects: rest.redirects }),
  ...(rest.tls === undefined ? {} : { tls: rest.tls }),
  ...(rest.certificate_expires_at_ms === undefined
    ? {}
    : { certificateExpiresAtMs: rest.certificate_expires_at_ms as CheckResult['startedAtMs'] }),
  figures: (rest.figures ?? []).map(({ name, value, labels }) => ({ name, value, ...(labels === undefined ? {} : { labels }) })),
  loopDelayMs: loop_delay_ms,
  ...(rest.address === undefined ? {} : { address: rest.address }),
  ...(rest.headers === undefined ? {} : { headers: rest.headers.map(({ name, value }) => ({ name, value })) }),
  ...(rest.excerpt === undefined ? {} : { excerpt: rest.excerpt }),
  ...(rest.steps === undefined ? {} : { steps: rest.steps.map(({ name, duration_ms: durationMs }) => ({ name, durationMs })) }),
});

export const wireOf = (result: CheckResult, seq: number): WireResult => ({
  seq,
  check: result.check,
  at_ms: result.startedAtMs,
  uncertainty_ms: result.uncertaintyMs ?? 0,
  duration_ms: result.durationMs,
  outcome: result.outcome,
  phases_ms: { ...result.phases },
  ...(result.statusCode === undefined ? {} : { status_code: result.statusCode }),
  ...(result.redirects === undefined ? {} : { redirects: result.redirects }),
  ...(result.tls === undefined ? {} : { tls: result.tls }),
  ...(result.certificateExpiresAtMs === undefined ? {} : { certificate_expires_at_ms: result.certificateExpiresAtMs }),
  figures: (result.figures ?? []).map(({ name, value, labels }) => ({ name, value, ...(labels === undefined ? {} : { labels }) })),
  loop_delay_ms: result.loopDelayMs,
  ...(result.address === undefined ? {} : { address: result.address }),
  ...(result.headers === undefined ? {} : { headers: result.headers.map(({ name, value }) => ({ name, value })) }),
  ...(result.excerpt === undefined ? {} : { excerpt: result.excerpt }),
  ...(result.steps === undefined ? {} : { steps: result.steps.map(({ name, durationMs }) => ({ name, duration_ms: durationMs })) }),
});

// What people see.

export const AGENT_STATES = ['connected', 'away', 'never_seen', 'revoked'] as const;

/** The shape of `GET /api/agents` items. */
export const agentView = z.object({
  id: z.string(),
  location: z.string(),
  state: z.enum(AGENT_STATES),
  created_by: z.string(),
  created_at_ms: z.number(),
  last_seen_at_ms: z.number().nullable(),
  revoked_at_ms: z.number().nullable(),
  revoked_by: z.string().nullable(),
  certificate_until_at_ms: z.number(),
  /** A new key has been asked for and is not in use yet. */
  rotating: z.boolean(),
  checks: z.number(),
  taken: z.number(),
  status: agentStatus.nullable(),
});
export type AgentView = z.infer<typeof agentView>;

export const joinTokenView = z.object({
  id: z.string(),
  location: z.string(),
  created_by: z.string(),
  created_at_ms: z.number(),
  expires_at_ms: z.number(),
});
export type JoinTokenView = z.infer<typeof joinTokenView>;

/** The shape of `GET /api/agents`. `address` is null when the server takes no agents. */
export const agentsView = z.object({
  items: z.array(agentView),
  join_tokens: z.array(joinTokenView),
  address: z.string().nullable(),
  /** Locations that checks name and no agent is. */
  missing: z.array(z.string()),
});
export type AgentsView = z.infer<typeof agentsView>;

/** `POST /api/agents/join-tokens`. */
export const newJoinToken = z.strictObject({
  location: slug.refine((location) => location !== SERVER_LOCATION, '"server" is the server itself'),
});
/** Its answer: the token is shown once. */
export const madeJoinToken = joinTokenView.extend({ token: z.string(), command: z.string() });
export type MadeJoinToken = z.infer<typeof madeJoinToken>;
