import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { DAY_MS, type EpochMs } from '@nines/base/units.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { Kysely } from 'kysely';
import type { Bus } from '../../platform/bus.ts';
import type { Database } from '../../platform/db/schema.ts';
import { type Turns, createTurns } from '../../platform/turns.ts';
import type { SlaBook } from '../book.ts';
import { contractVersions } from '../store.ts';
import {
  type Decision,
  type Exclusion,
  type ExclusionReason,
  asSpan,
  excludedSpans,
  exclusionToWire,
  judgeDecision,
} from './exclusions.ts';
import { exclusionsOf, findExclusion, insertDecision, insertExclusion } from './store.ts';

export type ExclusionDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly bus: Bus;
  readonly book: SlaBook;
  /** Called after an exclusion came into force or lost it. */
  readonly onChange: (sla: string, span: Span) => Promise<void>;
};

export const EXCLUSION_CODES = { notFound: 'exclusion_not_found', invalid: 'exclusion_invalid', tooMany: 'too_many_exclusions' } as const;

/** Exclusions of one SLA: far more than people decide about in years. */
const MAX_EXCLUSIONS = 10_000;
const MAX_LENGTH_MS = 367 * DAY_MS;

export type AskedExclusion = {
  readonly sla: string;
  readonly span: Span;
  readonly reason: ExclusionReason;
  readonly note: string;
  readonly by: string;
};
export type DecidedExclusion = {
  readonly sla: string;
  readonly id: string;
  readonly decision: Decision;
  readonly note: string;
  readonly by: string;
};

/** Exclusions: asked for, decided about, and in force in every figure from the moment of the decision. */
export class Exclusions {
  readonly #deps: ExclusionDeps;
  /** Of two decisions at once the second sees the first. */
  readonly #turn: Turns = createTurns();

  constructor(deps: ExclusionDeps) {
    this.#deps = deps;
  }

  /** Puts what was decided before the start in force. To be called once, before the SLAs are. */
  async load(): Promise<void> {
    const all = Map.groupBy(await exclusionsOf(this.#deps.db), ({ sla }) => sla);
    for (const [sla, exclusions] of all) this.#deps.book.setExclusions(sla, excludedSpans(exclusions, this.#deps.clock.now()));
  }

  list(sla: string): Promise<readonly Exclusion[]> {
    return exclusionsOf(this.#deps.db, sla);
  }

  /** `AppError` `sla_not_found`, `exclusion_invalid`. */
  async request(asked: AskedExclusion): Promise<Exclusion> {
    const { db, clock, ids } = this.#deps;
    const versions = await contractVersions(db, asked.sla);
    const contract = versions.at(-1);
    if (contract === undefined) throw new AppError('not_found', 'sla_not_found', `there is no SLA "${asked.sla}"`);
    judgeSpan(asked.span);
    if ((await this.list(asked.sla)).length >= MAX_EXCLUSIONS) {
      throw new AppError('limited', EXCLUSION_CODES.tooMany, `the SLA "${asked.sla}" has ${MAX_EXCLUSIONS} exclusions already`);
    }
    const exclusion: Exclusion = {
      id: ids.uuid(),
      sla: asked.sla,
      teamId: contract.teamId,
      fromMs: asked.span.fromMs,
      toMs: asked.span.toMs,
      reason: asked.reason,
      note: asked.note,
      requestedBy: asked.by,
      requestedAtMs: clock.now(),
      decisions: [],
    };
    await insertExclusion(db, exclusion);
    this.#publish(exclusion, 'requested', exclusion.requestedAtMs);
    return exclusion;
  }

  /** Approves, rejects, withdraws or revokes. `AppError` `exclusion_not_found`, `exclusion_decided`, `four_eyes`, `not_yours`. */
  decide(decided: DecidedExclusion): Promise<Exclusion> {
    return this.#turn(async () => {
      const { db, clock, book, onChange } = this.#deps;
      const before = await findExclusion(db, decided.id);
      if (before === undefined || before.sla !== decided.sla) {
        throw new AppError('not_found', EXCLUSION_CODES.notFound, `the SLA "${decided.sla}" has no exclusion ${decided.id}`);
      }
      // After the decision before it, also when both were taken within one millisecond or the clock stepped back.
      const atMs = Math.max(clock.now(), before.decisions.at(-1)?.atMs ?? before.requestedAtMs) as EpochMs;
      const decision = { decision: decided.decision, by: decided.by, note: decided.note, atMs };
      judgeDecision(before, decision, await this.#hasMoney(decided.sla));
      await insertDecision(db, before, decision);
      const exclusion = { ...before, decisions: [...before.decisions, decision] };
      book.setExclusions(exclusion.sla, excludedSpans(await this.list(exclusion.sla), atMs));
      this.#publish(exclusion, decided.decision, atMs);
      if (decided.decision === 'approved' || decided.decision === 'revoked') await onChange(exclusion.sla, asSpan(exclusion));
      return exclusion;
    });
  }

  /** Whether any version of the contract gives credits: terms that changed since must not let one person decide. */
  async #hasMoney(sla: string): Promise<boolean> {
    return (await contractVersions(this.#deps.db, sla)).some(({ spec }) => spec.credits !== undefined);
  }

  #publish(exclusion: Exclusion, what: 'requested' | Decision, atMs: number): void {
    this.#deps.bus.publish({ topic: 'slas', type: `exclusion.${what}`, atMs, data: exclusionToWire(exclusion) });
  }
}

function judgeSpan({ fromMs, toMs }: Span): void {
  const refuse = (message: string): never => {
    throw new AppError('bad_input', EXCLUSION_CODES.invalid, message);
  };
  if (fromMs >= toMs) refuse('the exclusion is empty: `from` must be before `to`');
  if (toMs - fromMs > MAX_LENGTH_MS) refuse('the exclusion is longer than a year');
}
