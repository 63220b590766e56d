/**
 * Signs of life, both ways. Out: a heartbeat at a steady pace through the outbox, to an address that alarms when it stays out; it is
 * withheld while the auditor has not looked or finds alerts without a next step. In: alerts that others must keep firing.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { formatDuration } from '@nines/base/duration.ts';
import type { Logger } from '@nines/base/logger.ts';
import { epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import type { Kysely, Transaction } from 'kysely';
import { type ActiveElement, type Alerting, type AlertView, type Evaluation, UNHANDLED, promptRule } from '../alerting/contract.ts';
import type { Counter, SelfMetrics } from '../collect/contract.ts';
import type { Pager } from '../notify/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Outbound } from '../platform/fetch/outbound.ts';
import { DEFAULT_TEAM, type OutboxHandler } from '../platform/records/contract.ts';
import { WATCHDOG_RULE_ID } from '../rules/contract.ts';
import { AUDIT_STEP_MS, type Gap } from './audit.ts';
import { matchesAll } from './choose.ts';
import type { EscalationConfig, HeartbeatSpec, SignalView, WatchdogSpec } from './contract.ts';
import { scrub } from '../platform/scrub.ts';

export const HEARTBEAT_TOPIC = 'escalation.heartbeat';
/** How often `step` is to be called. */
export const SIGNAL_STEP_MS = 1_000;
/** A heartbeat that takes longer has failed; the next one follows. */
const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 65_536;
/** An audit older than this says nothing. */
const AUDIT_FRESH_MS = 3 * AUDIT_STEP_MS;

/** How an alert expected by a watchdog was last heard of, whoever sent it. */
export type LastHeard = (matches: (labels: Readonly<Record<string, string>>) => boolean) => number | undefined;

export type SignalsDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  readonly metrics: SelfMetrics;
  readonly pager: Pager;
  readonly request: Outbound['request'];
  readonly enqueue: (trx: Transaction<Database>, entry: { topic: string; key: string; payload: unknown }) => Promise<unknown>;
  readonly wake: () => void;
  readonly alerting: Pick<Alerting, 'open'>;
  /** Alerts that others sent, by when they were heard last. */
  readonly lastHeard: LastHeard;
  readonly alert: (evaluation: Evaluation) => Promise<void>;
  readonly config: () => Pick<EscalationConfig, 'heartbeats' | 'watchdogs'>;
  readonly audit: () => { readonly atMs: number | null; readonly gaps: readonly Gap[] };
  readonly externalUrl: string;
};

type Beat = { queuedAtMs: number; sentAtMs: number | null; error: string | null; waits: boolean };

/** Sends heartbeats and watches for those of others. */
export class Signals {
  readonly #deps: SignalsDeps;
  readonly #beats = new Map<string, Beat>();
  /** When an alert of each watchdog was last heard of, in this process. */
  readonly #heard = new Map<string, number>();
  readonly #startedAtMs: number;
  readonly #sent: Counter;
  #silent: readonly WatchdogSpec[] = [];
  #watched = true;

  constructor(deps: SignalsDeps) {
    this.#deps = deps;
    this.#startedAtMs = deps.clock.now();
    this.#sent = deps.metrics.counter(
      'nines_heartbeats_total',
      'Heartbeats that were sent out, by outcome; `withheld` while the way out is not known to be well.',
    );
    deps.metrics.watch('nines_watchdogs_silent', 'Watchdogs whose alerts were not heard of for too long.', () => this.#silent.length);
  }

  /** Steps must not overlap. */
  async step(nowMs: number): Promise<void> {
    for (const spec of this.#deps.config().heartbeats) await this.#beat(spec, nowMs);
    await this.#watch(nowMs);
  }

  /** The outbox's handler of `HEARTBEAT_TOPIC`. One attempt: a late heartbeat is worth nothing, the next one follows. */
  readonly send: OutboxHandler = async ({ payload }, { signal }) => {
    const { key } = JSON.parse(payload) as { key: string };
    const spec = this.#deps.config().heartbeats.find((one) => keyOf(one) === key);
    if (spec?.url === undefined) return { kind: 'done', receipt: 'no longer configured' };
    const error = await this.#ask(spec.url.reveal(), signal);
    const beat = this.#beats.get(key);
    if (beat !== undefined)
      Object.assign(beat, error === null ? { sentAtMs: this.#deps.clock.now(), error, waits: false } : { error, waits: false });
    this.#sent.add(1, { outcome: error === null ? 'delivered' : 'failed' });
    if (error !== null) this.#deps.logger.warn('a heartbeat was not taken', { to: shownUrl(spec), error });
    return { kind: 'done', receipt: error ?? 'delivered' };
  };

  view(): SignalView {
    const { config, audit } = this.#deps;
    const { heartbeats, watchdogs } = config();
    const { atMs, gaps } = audit();
    return {
      heartbeats: heartbeats.map((spec) => {
        const beat = this.#beats.get(keyOf(spec));
        return { to: shownUrl(spec), every_ms: spec.every, sent_at_ms: beat?.sentAtMs ?? null, error: beat?.error ?? null };
      }),
      watchdogs: watchdogs.map(({ id, matchers, within }) => ({
        id,
        matchers: matchers.map(({ name, op, value }) => `${name}${op}${JSON.stringify(value)}`).join(', '),
        within_ms: within,
        heard_at_ms: this.#heard.get(id) ?? null,
        silent: this.#silent.some((one) => one.id === id),
      })),
      audit: {
        at_ms: atMs,
        without_next_step: gaps.map(({ alert, sinceMs, why }) => ({ id: alert.id, alertname: alert.alertname, since_ms: sinceMs, why })),
      },
    };
  }

  async #beat(spec: HeartbeatSpec, nowMs: number): Promise<void> {
    const key = keyOf(spec);
    const before = this.#beats.get(key);
    if (before !== undefined && nowMs - before.queuedAtMs < spec.every) return;
    const beat: Beat = before ?? { queuedAtMs: nowMs, sentAtMs: null, error: null, waits: false };
    this.#beats.set(key, beat);
    const withheld = this.#withheldBecause(nowMs);
    beat.queuedAtMs = nowMs;
    if (withheld !== undefined) {
      beat.error = `withheld: ${withheld}`;
      this.#sent.add(1, { outcome: 'withheld' });
      return;
    }
    await (spec.channel === undefined ? this.#queueUrl(key, beat) : this.#queueChannel({ ...spec, channel: spec.channel }, beat, nowMs));
    this.#deps.wake();
  }

  #withheldBecause(nowMs: number): string | undefined {
    const { atMs, gaps } = this.#deps.audit();
    if (atMs === null || nowMs - atMs > AUDIT_FRESH_MS) return 'nobody has audited the open alerts lately';
    return gaps.length === 0 ? undefined : `${gaps.length} open alerts have no next step`;
  }

  async #queueUrl(key: string, beat: Beat): Promise<void> {
    // One at a time: while the outbox has not come to the last one there is no sign of life.
    if (beat.waits) return;
    const { db, enqueue } = this.#deps;
    await db.transaction().execute((trx) => enqueue(trx, { topic: HEARTBEAT_TOPIC, key: `heartbeat ${key}`, payload: { key } }));
    beat.waits = true;
  }

  async #queueChannel({ channel, to, every }: HeartbeatSpec & { readonly channel: string }, beat: Beat, nowMs: number): Promise<void> {
    const { db, pager, externalUrl } = this.#deps;
    const thread = `heartbeat ${channel} ${to ?? ''}`;
    if (await pager.isWaiting(thread)) {
      beat.error = 'the last one still waits to be sent';
      return;
    }
    const words = {
      title: 'Nines is alive',
      text: `The way from alerts to this channel works. The next heartbeat follows in ${formatDuration(every)}; when it stays out, look at ${externalUrl}/health.`,
    };
    const alert = heartbeatAlert(nowMs, externalUrl);
    await db
      .transaction()
      .execute((trx) => pager.page(trx, { channel, to, alert, thread, reason: 'heartbeat', cause: 'a steady sign of life', words }));
    Object.assign(beat, { sentAtMs: nowMs, error: null });
    this.#sent.add(1, { outcome: 'queued' });
  }

  async #ask(url: string, signal: AbortSignal): Promise<string | null> {
    try {
      const answer = await this.#deps.request(url, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES, signal });
      return answer.status >= 200 && answer.status < 300 ? null : `HTTP ${answer.status}`;
    } catch (thrown) {
      return scrub(messageOf(thrown));
    }
  }

  async #watch(nowMs: number): Promise<void> {
    const { config, alert } = this.#deps;
    const { watchdogs } = config();
    // Once more after the last one left, so that its alert ends.
    if (watchdogs.length === 0 && !this.#watched) return;
    this.#watched = watchdogs.length > 0;
    const judged = watchdogs.map((spec) => {
      const heardAtMs = this.#hear(spec, nowMs);
      return { spec, heardAtMs, found: judgeWatchdog(spec, { heardAtMs, startedAtMs: this.#startedAtMs, nowMs }) };
    });
    this.#silent = judged.flatMap(({ spec, found }) => (found === 'silent' ? [spec] : []));
    await alert(watchdogEvaluation(judged, nowMs));
  }

  /** When an alert that the watchdog expects was last heard of; 0 when never by this process. */
  #hear({ id, matchers }: WatchdogSpec, nowMs: number): number {
    const { alerting, lastHeard } = this.#deps;
    const matches = (labels: Readonly<Record<string, string>>): boolean => matchesAll(matchers, labels);
    // Our own rules keep their alerts firing without a word; what others send counts by when it was heard.
    const isOurs = ({ condition, kind, rule, labels }: AlertView): boolean =>
      condition === 'firing' && kind !== 'alertmanager' && rule !== WATCHDOG_RULE_ID && matches(labels);
    const heardAtMs = alerting.open().some(isOurs) ? nowMs : Math.max(lastHeard(matches) ?? 0, this.#heard.get(id) ?? 0);
    if (heardAtMs > 0) this.#heard.set(id, heardAtMs);
    return heardAtMs;
  }
}

/** `unknown`: not heard of since this process began, and not for long enough to say so. Pure. */
export function judgeWatchdog(
  { within }: Pick<WatchdogSpec, 'within'>,
  { heardAtMs, startedAtMs, nowMs }: { readonly heardAtMs: number; readonly startedAtMs: number; readonly nowMs: number },
): 'heard' | 'silent' | 'unknown' {
  const sinceMs = heardAtMs > 0 ? heardAtMs : startedAtMs;
  if (nowMs - sinceMs >= within) return 'silent';
  return heardAtMs > 0 ? 'heard' : 'unknown';
}

type Judged = { readonly spec: WatchdogSpec; readonly heardAtMs: number; readonly found: ReturnType<typeof judgeWatchdog> };

function watchdogEvaluation(judged: readonly Judged[], nowMs: number): Evaluation {
  return {
    rule: promptRule({
      id: WATCHDOG_RULE_ID,
      kind: 'rule',
      alertname: 'WatchdogSilent',
      severity: 'critical',
      teamId: DEFAULT_TEAM,
    }),
    atMs: epochMs(nowMs),
    found: {
      kind: 'complete',
      active: judged.filter(({ found }) => found === 'silent').map(elementOf),
      // After a start nobody knows yet: what was silent stays so.
      holding: judged.filter(({ found }) => found === 'unknown').map((one) => elementOf(one).labels),
      because: 'it is heard of again',
    },
  };
}

function elementOf({ spec, heardAtMs }: Judged): ActiveElement {
  const { id, severity, within } = spec;
  const last = heardAtMs === 0 ? 'never since this server started' : new Date(heardAtMs).toISOString();
  return {
    labels: labelsOf({ alertname: 'WatchdogSilent', watchdog: id, severity, job: 'nines' }),
    annotations: {
      summary: `Nothing was heard of ${id} for ${formatDuration(within)}: whoever sends its alerts may be down`,
      description: `Last heard: ${last}.`,
    },
    value: within / 1_000,
    severity,
  };
}

/** A message that no rule and no alert stands behind. */
function heartbeatAlert(nowMs: number, externalUrl: string): AlertView {
  const labels = { alertname: 'Heartbeat', severity: 'info' };
  return {
    ...UNHANDLED,
    id: '',
    fingerprint: 'heartbeat',
    kind: 'rule',
    rule: 'heartbeat',
    alertname: 'Heartbeat',
    state: 'firing',
    condition: 'firing',
    severity: 'info',
    labels,
    annotations: { summary: 'Nines is alive' },
    value: 1,
    active_at_ms: nowMs,
    starts_at_ms: nowMs,
    ends_at_ms: null,
    generator_url: `${externalUrl}/health`,
    service: null,
  };
}

/** The same for the same place; an address often carries a token, which stands in no table. */
const keyOf = ({ url, channel, to }: HeartbeatSpec): string =>
  url === undefined ? `${channel} ${to ?? ''}` : createHash('sha256').update(url.reveal()).digest('hex').slice(0, 16);
/** Where it goes, without the token in its path. */
const shownUrl = ({ url, channel, to }: HeartbeatSpec): string =>
  url === undefined ? `${channel}${to === undefined ? '' : ` (${to})`}` : new URL(url.reveal()).origin;
