import type { Clock } from '@nines/base/clock.ts';
import { parseDuration } from '@nines/base/duration.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { LAST_INSTANT_MS } from '@nines/base/instant.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, HOUR_MS } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { SelfMetrics } from '../collect/contract.ts';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import { pageOf, parseCursor } from '../platform/http/cursor.ts';
import type { Actor } from '../platform/http/contract.ts';
import { createTurns } from '../platform/turns.ts';
import {
  type FeedbackBody,
  INSIGHT_CODES,
  INSIGHT_KINDS,
  type InsightView,
  type ListQuery,
  type MuteBody,
  type MuteView,
  type StatusView,
} from './contract.ts';
import type { Examiner, FoundHere, RunResult } from './examiner.ts';
import { day } from './figures.ts';
import { admitted, INFORMATIVE, type Ranked, ranked } from './rank.ts';
import {
  addMute,
  countOpen,
  find,
  type Kept,
  kindsFoundSince,
  type LabelSets,
  type Mute,
  mutesAt,
  openOnes,
  openOrEndedSince,
  page,
  purge,
  removeMute,
  save,
  say,
  unsay,
  verdictsBy,
  wrongCounts,
} from './store.ts';

/** How often everything is examined, and when first after the start. */
export const RUN_EVERY_MS = HOUR_MS;
export const FIRST_AFTER_MS = 5 * 60_000;
/** Runs in a row that must miss a finding before it has ended: what lies at the edge of significance does not come and go. */
const MISSES_TO_END = 3;
/** What comes back within this time is the same finding. */
const SAME_AGAIN_MS = 7 * DAY_MS;
/** Verdicts older than this count no more. */
const VERDICT_COUNTS_MS = 180 * DAY_MS;
const WRONG_TO_MUTE = 3;
const AUTO_MUTE_MS = 90 * DAY_MS;
const KEPT_MS = 400 * DAY_MS;
const PURGED_AT_ONCE = 500;
/** Open ones; the limits of new ones a day keep it far below. */
const MAX_OPEN = 5_000;
const MAX_MUTES = 1_000;
/** Read at a time while looking for those that whoever asks may see. */
const MIN_BATCH = 50;

export type Sees = (labels: Readonly<Record<string, string>>) => boolean;
/** Who asks: all of an insight's label sets must be inside. `full`: whoever sees everything. */
export type Asking = { readonly actor: Actor; readonly full: boolean; readonly sees: Sees };

export type InsightDeps = {
  readonly sql: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly metrics: Pick<SelfMetrics, 'counter' | 'gauge'>;
  readonly examiner: Pick<Examiner, 'run'>;
};

const isSeen = ({ full, sees }: Asking, labels: LabelSets | undefined): boolean => full || (labels !== undefined && labels.every(sees));

export class InsightService {
  readonly #deps: InsightDeps;
  /** Runs wait for each other; what changes the tables waits for that alone. */
  readonly #runTurns = createTurns();
  readonly #turns = createTurns();
  readonly #runs;
  readonly #open;
  readonly #seconds;
  #last: StatusView['last'] = null;
  #running = false;
  #nextAtMs: number | null;

  constructor(deps: InsightDeps) {
    this.#deps = deps;
    this.#nextAtMs = deps.clock.now() + FIRST_AFTER_MS;
    this.#runs = deps.metrics.counter('nines_insight_runs_total', 'Times that everything was examined for insights, by result.');
    this.#open = deps.metrics.gauge('nines_insights_open', 'Insights that hold now, by kind.');
    this.#seconds = deps.metrics.gauge('nines_insight_run_seconds', 'How long the last run for insights took.');
  }

  /** Examines everything once, and keeps what it found. One at a time. */
  run(signal?: AbortSignal): Promise<void> {
    return this.#runTurns(async () => {
      const { clock, examiner } = this.#deps;
      const startedMs = clock.now();
      const monotonicMs = clock.monotonic();
      this.#running = true;
      try {
        const result = await examiner.run(startedMs, signal);
        const changed = await this.#turns(() => this.#take(result, startedMs));
        this.#last = { ...changed, started_at_ms: startedMs, ended_at_ms: clock.now() };
        this.#runs.add(1, { result: 'done' });
      } catch (thrown) {
        this.#runs.add(1, { result: 'failed' });
        throw thrown;
      } finally {
        this.#running = false;
        this.#nextAtMs = clock.now() + RUN_EVERY_MS;
        this.#seconds.set((clock.monotonic() - monotonicMs) / 1000);
      }
      this.#tell();
    });
  }

  async #take(result: RunResult, nowMs: number) {
    const { sql } = this.#deps;
    const wrong = new Map(
      (await wrongCounts(sql, nowMs - VERDICT_COUNTS_MS)).map(({ kind, subjectKey, count }) => [`${kind}\n${subjectKey}`, count]),
    );
    const told = ranked(result.found, result.tests, (kind, subjectKey) => wrong.get(`${kind}\n${subjectKey}`) ?? 0);
    const known = await openOrEndedSince(sql, nowMs - SAME_AGAIN_MS);
    const byFingerprint = new Map(known.toSorted((one, other) => one.foundAtMs - other.foundAtMs).map((kept) => [kept.fingerprint, kept]));
    const before = (one: Ranked): Kept | undefined => {
      const kept = byFingerprint.get(one.fingerprint);
      return kept !== undefined && isSame(kept, one) ? kept : undefined;
    };
    const lately = await kindsFoundSince(sql, nowMs - DAY_MS);
    const fresh = told.filter((one) => before(one) === undefined);
    const admission = admitted(fresh, { all: lately.length, informative: lately.filter((kind) => INFORMATIVE.has(kind)).length });
    const kept = [...told.filter((one) => before(one) !== undefined), ...admission.now].map((one) => this.#keptOf(one, before(one), nowMs));
    const ids = new Set(kept.map(({ id }) => id));
    const missing = known.filter(({ id, endedAtMs, fingerprint }) => endedAtMs === null && !ids.has(id) && result.looked(fingerprint));
    const missed = missing.map((one): Kept => {
      const count = one.missed + 1;
      return { ...one, missed: count, endedAtMs: count >= MISSES_TO_END ? nowMs : null };
    });
    await sql.transaction().execute(async (trx) => {
      for (const one of [...kept, ...missed]) await save(trx, one);
      await purge(trx, nowMs - KEPT_MS, PURGED_AT_ONCE);
    });
    await this.#count();
    const weak = result.found.length - told.length;
    return {
      expressions: result.expressions,
      series: result.series,
      tests: result.tests.forecasts + result.tests.others,
      found: told.length,
      opened: admission.now.length,
      ended: missed.filter(({ endedAtMs }) => endedAtMs !== null).length,
      refused: {
        ...result.refused,
        ...(weak > 0 ? { not_significant_together: weak } : {}),
        ...(admission.later > 0 ? { later: admission.later } : {}),
      },
      left: result.left,
    };
  }

  #keptOf(one: Ranked & FoundHere, before: Kept | undefined, nowMs: number): Kept {
    const [first] = one.series;
    const { sentence, expr, unit, from_at_ms, to_at_ms, figures, evidence, next, kind } = one.said;
    const name = one.series.map(({ candidate, subject }) => (subject.name === '' ? candidate.what : subject.name)).join(' and ');
    return {
      id: before?.id ?? this.#deps.ids.uuid(),
      kind,
      fingerprint: one.fingerprint,
      subjectKey: one.subjectKey,
      labels: one.series.every(({ candidate }) => candidate.exact) ? one.series.map(({ labels }) => labels) : undefined,
      body: {
        sentence,
        subject: { name, href: first?.subject.href ?? null },
        expr,
        unit,
        from_at_ms,
        to_at_ms,
        confidence: one.confidence,
        figures,
        evidence,
        next,
      },
      score: one.score,
      foundAtMs: before?.foundAtMs ?? nowMs,
      seenAtMs: nowMs,
      endedAtMs: null,
      missed: 0,
    };
  }

  async #count(): Promise<void> {
    const counts = new Map((await countOpen(this.#deps.sql)).map(({ kind, count }) => [kind, count]));
    for (const kind of INSIGHT_KINDS) this.#open.set(counts.get(kind) ?? 0, { kind });
  }

  async list(query: ListQuery, asking: Asking): Promise<{ readonly items: InsightView[]; readonly next: string | null }> {
    const mutes = await mutesAt(this.#deps.sql, this.#deps.clock.now());
    return query.status === 'open' ? this.#listOpen(query, asking, mutes) : this.#listAll(query, asking, mutes);
  }

  async #listOpen({ kind, limit, cursor }: ListQuery, asking: Asking, mutes: readonly Mute[]) {
    const after = parseCursor(cursor);
    const shown = (await openOnes(this.#deps.sql, MAX_OPEN)).filter((one) => {
      if (kind !== undefined && one.kind !== kind) return false;
      if (!isSeen(asking, one.labels) || mutedUntil(one, mutes) !== null) return false;
      const rank = rankOf(one);
      return after === undefined || rank < after.atMs || (rank === after.atMs && one.id > after.id);
    });
    const { items, next } = pageOf(shown, limit, (last) => ({ atMs: rankOf(last), id: last.id }));
    return { items: await this.#views(items, asking, mutes), next };
  }

  async #listAll({ kind, limit, cursor }: ListQuery, asking: Asking, mutes: readonly Mute[]) {
    const found: Kept[] = [];
    let after = parseCursor(cursor);
    for (;;) {
      const batch = await page(this.#deps.sql, { kind, after, limit: Math.max(MIN_BATCH, limit + 1) });
      found.push(...batch.filter((one) => isSeen(asking, one.labels)));
      const last = batch.at(-1);
      if (last === undefined || found.length > limit) break;
      after = { atMs: last.foundAtMs, id: last.id };
    }
    const { items, next } = pageOf(found, limit, (last) => ({ atMs: last.foundAtMs, id: last.id }));
    return { items: await this.#views(items, asking, mutes), next };
  }

  async #views(kept: readonly Kept[], { actor }: Asking, mutes: readonly Mute[]): Promise<InsightView[]> {
    const verdicts = await verdictsBy(
      this.#deps.sql,
      actor.id,
      kept.map(({ id }) => id),
    );
    return kept.map((one) => ({
      id: one.id,
      kind: one.kind,
      ...one.body,
      found_at_ms: one.foundAtMs,
      seen_at_ms: one.seenAtMs,
      ended_at_ms: one.endedAtMs,
      score: one.score,
      muted_until_ms: mutedUntil(one, mutes),
      feedback: verdicts.get(one.id) ?? null,
    }));
  }

  async get(id: string, asking: Asking): Promise<InsightView> {
    return this.#viewOf(await this.#find(id, asking), asking);
  }

  async #find(id: string, asking: Asking): Promise<Kept> {
    const found = await find(this.#deps.sql, id);
    if (found === undefined || !isSeen(asking, found.labels))
      throw new AppError('not_found', INSIGHT_CODES.notFound, `there is no insight "${id}"`);
    return found;
  }

  async #viewOf(kept: Kept, asking: Asking): Promise<InsightView> {
    const [view] = await this.#views([kept], asking, await mutesAt(this.#deps.sql, this.#deps.clock.now()));
    if (view === undefined) throw new Error('one insight gave no view');
    return view;
  }

  /** "Wrong" halves its rank at once and that of later ones of its kind about its subject; the third mutes them. */
  feedback(id: string, { verdict, note = '' }: FeedbackBody, asking: Asking): Promise<InsightView> {
    return this.#turns(async () => {
      const { sql, clock } = this.#deps;
      const kept = await this.#find(id, asking);
      const nowMs = clock.now();
      const before = (await verdictsBy(sql, asking.actor.id, [id])).get(id);
      const { kind, subjectKey } = kept;
      if (verdict === null) await unsay(sql, id, asking.actor.id);
      else await say(sql, { insight_id: id, by_id: asking.actor.id, kind, subject_key: subjectKey, verdict, note, at_ms: nowMs });
      const step = Number(verdict === 'wrong') - Number(before === 'wrong');
      const changed = { ...kept, score: Math.min(1, kept.score * 0.5 ** step) };
      if (step !== 0) await save(sql, changed);
      if (step > 0) await this.#muteIfOftenWrong(kept, nowMs);
      this.#tell();
      return this.#viewOf(changed, asking);
    });
  }

  async #muteIfOftenWrong({ kind, subjectKey, body, labels }: Kept, nowMs: number): Promise<void> {
    const { sql, ids } = this.#deps;
    const counts = await wrongCounts(sql, nowMs - VERDICT_COUNTS_MS);
    const count = counts.find((one) => one.kind === kind && one.subjectKey === subjectKey)?.count ?? 0;
    if (count < WRONG_TO_MUTE) return;
    const mutes = await mutesAt(sql, nowMs);
    if (mutes.some((mute) => mute.kind === kind && mute.subjectKey === subjectKey && mute.fingerprint === null)) return;
    const untilMs = nowMs + AUTO_MUTE_MS;
    const reason = `called wrong ${count} times: muted until ${day(untilMs)}`;
    const about = { kind, subjectKey, fingerprint: null, subject: body.subject.name, labels };
    await addMute(sql, { id: ids.uuid(), what: 'subject', ...about, reason, madeAtMs: nowMs, untilMs });
  }

  async mute(id: string, body: MuteBody, asking: Asking): Promise<MuteView> {
    const { sql, clock, ids } = this.#deps;
    const kept = await this.#find(id, asking);
    if (body.what === 'kind' && !asking.full)
      throw new AppError('forbidden', 'outside_scope', 'a whole kind is about everything, which is outside your scope', { field: 'what' });
    const nowMs = clock.now();
    const mutes = await mutesAt(sql, nowMs);
    if (mutes.length >= MAX_MUTES) throw new AppError('limited', INSIGHT_CODES.badMute, `there are ${MAX_MUTES} mutes: end some first`);
    const { kind, subjectKey, fingerprint } = kept;
    const of = {
      finding: { kind, subjectKey, fingerprint },
      subject: { kind: null, subjectKey, fingerprint: null },
      kind: { kind, subjectKey: null, fingerprint: null },
    }[body.what];
    const mute: Mute = {
      id: ids.uuid(),
      what: body.what,
      ...of,
      subject: body.what === 'kind' ? null : kept.body.subject.name,
      labels: body.what === 'kind' ? undefined : kept.labels,
      reason: `${asking.actor.name} muted ${{ finding: 'this finding', subject: 'this subject', kind: 'this kind' }[body.what]}`,
      madeAtMs: nowMs,
      untilMs: untilOf(body.for, nowMs),
    };
    await addMute(sql, mute);
    this.#tell();
    return muteViewOf(mute);
  }

  async mutes(asking: Asking): Promise<MuteView[]> {
    const mutes = await mutesAt(this.#deps.sql, this.#deps.clock.now());
    return mutes.filter(({ labels }) => isSeen(asking, labels)).map(muteViewOf);
  }

  async unmute(id: string, asking: Asking): Promise<void> {
    const mute = (await mutesAt(this.#deps.sql, this.#deps.clock.now())).find((one) => one.id === id);
    if (mute === undefined || !isSeen(asking, mute.labels))
      throw new AppError('not_found', INSIGHT_CODES.muteNotFound, `there is no mute "${id}" in force`);
    await removeMute(this.#deps.sql, id);
    this.#tell();
  }

  status(): StatusView {
    return { state: this.#running ? 'running' : 'waiting', next_at_ms: this.#nextAtMs, last: this.#last };
  }

  #tell(): void {
    this.#deps.bus.publish({ topic: 'insights', type: 'insights.changed', atMs: this.#deps.clock.now(), data: null });
  }
}

/** What has ended is the same again for some days; a new episode after the last one ended is another. */
const isSame = (kept: Kept, one: Ranked): boolean => kept.endedAtMs === null || one.said.kind !== 'anomaly';

const rankOf = ({ score }: Kept): number => Math.round(score * 1e6);

/** When the last of the mutes that hide it is over; null when none does. */
function mutedUntil({ kind, subjectKey, fingerprint }: Kept, mutes: readonly Mute[]): number | null {
  const hiding = mutes.filter(
    (mute) =>
      (mute.kind === null || mute.kind === kind) &&
      (mute.subjectKey === null || mute.subjectKey === subjectKey) &&
      (mute.fingerprint === null || mute.fingerprint === fingerprint),
  );
  return hiding.length === 0 ? null : Math.max(...hiding.map(({ untilMs }) => untilMs));
}

function untilOf(text: string, nowMs: number): number {
  if (text === 'forever') return LAST_INSTANT_MS;
  const parsed = parseDuration(text);
  if (!parsed.ok || parsed.value < 60_000)
    throw new AppError('bad_input', INSIGHT_CODES.badMute, 'write a length of time of at least a minute, such as 7d, or forever', {
      field: 'for',
    });
  return Math.min(LAST_INSTANT_MS, nowMs + parsed.value);
}

const muteViewOf = ({ id, what, kind, subject, reason, madeAtMs, untilMs }: Mute): MuteView => ({
  id,
  what,
  kind,
  subject,
  reason,
  made_at_ms: madeAtMs,
  until_ms: untilMs,
});
