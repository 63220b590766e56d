import type { EpochMs } from '@nines/base/units.ts';
import type { Attempt } from '@nines/maths/slo/check-history.ts';
import type { Downtime, ReplayResults } from './contract.ts';
import { type CheckState, type Composite, type Draft, type Memory, reachMs, takeAbsence, takeAttempt } from './evaluate.ts';
import type { LedgerStore, StoredTail } from './store.ts';

/**
 * From what is stored to what was known when the process ended. Tails lag behind by seconds; the samples, which are always written
 * first, hold the results in between. Replaying those through the same decisions makes the ledger what it would have been.
 */
export type Loaded = {
  readonly downtimes: readonly Downtime[];
  /** To be taken as one batch: the replayed results, then our absence. */
  readonly steps: (draft: Draft) => void;
  readonly replayed: number;
};

export type LoadDeps = { readonly store: LedgerStore; readonly memory: Memory; readonly replay: ReplayResults; readonly nowMs: EpochMs };

/** Margin around the last sign of life within which results may be missing from tails: several times the saving interval. */
const REPLAY_MARGIN_MS = 60_000;

export async function loadMemory({ store, memory, replay, nowMs }: LoadDeps): Promise<Loaded> {
  const tails = await store.loadTails();
  const aliveUntilMs = (await store.lastSeenAliveMs()) ?? nowMs;
  const composites = await store.loadComposites();
  const horizons = horizonsOf(tails, { composites, services: [...(await store.firstTransitions()).keys()], aliveUntilMs });
  for (const tail of tails) await loadCheck(tail, { store, memory, fromMs: horizons.get(tail.state.service) ?? aliveUntilMs });
  const checksOf = Map.groupBy(tails, (tail) => tail.state.service);
  for (const [service, fromMs] of horizons) {
    const transitions = await store.transitionsSince({ kind: 'service', id: service }, fromMs);
    const checks = (checksOf.get(service) ?? []).map((tail) => tail.check);
    const composite = composites.get(service);
    if (composite !== undefined) memory.composites.add(service);
    memory.services.set(service, { checks, ...(composite === undefined ? {} : { composite }), transitions, version: 0 });
  }
  const fromMs = (aliveUntilMs - REPLAY_MARGIN_MS) as EpochMs;
  const recent = tails.length === 0 ? [] : await replay(fromMs, nowMs);
  const results = new Map([...recent, ...(await lateResults(tails, { replay, nowMs, aliveUntilMs }))]);
  const missing = tails.flatMap(({ check, state }) =>
    (results.get(check) ?? [])
      .filter((result) => result.atMs > (state.history.lastAtMs ?? 0))
      .map((result): { check: string; attempt: Attempt } => ({
        check,
        attempt: { ...result, detail: `${result.seen}, read from the samples after a restart` },
      })),
  );
  missing.sort((a, b) => a.attempt.atMs - b.attempt.atMs);
  return {
    downtimes: await store.downtimesSince(Math.min(aliveUntilMs, ...horizons.values()) as EpochMs),
    replayed: missing.length,
    steps(draft) {
      for (const { check, attempt } of missing) takeAttempt(draft, check, { attempt, gapReason: 'no_data' });
      for (const { check } of tails) {
        const state = memory.checks.get(check);
        if (state !== undefined && !draft.checks.has(check)) draft.checks.set(check, state);
      }
      takeAbsence(draft, { aliveUntilMs, nowMs });
    },
  };
}

/** A location that had been away tells of times long ago. What it told last before the process died lies before the usual margin. */
async function lateResults(
  tails: readonly StoredTail[],
  { replay, nowMs, aliveUntilMs }: Pick<LoadDeps, 'replay' | 'nowMs'> & { readonly aliveUntilMs: EpochMs },
): Promise<Awaited<ReturnType<ReplayResults>>> {
  const behind = tails.flatMap(({ state: { vote, rules, history } }) =>
    vote === undefined ? [] : Math.max(history.lastAtMs ?? 0, aliveUntilMs - (rules.lateMs ?? 0)),
  );
  if (behind.length === 0) return new Map();
  return replay(Math.min(...behind, aliveUntilMs - REPLAY_MARGIN_MS) as EpochMs, nowMs, 'voices');
}

type Known = {
  readonly composites: ReadonlyMap<string, Composite>;
  /** Every service that has a history. */
  readonly services: readonly string[];
  readonly aliveUntilMs: EpochMs;
};

/**
 * Per service: from when on the histories of all its checks must be at hand, so that any rewrite can be combined; one instant for all
 * that composites combine.
 */
function horizonsOf(tails: readonly StoredTail[], { composites, services, aliveUntilMs }: Known): ReadonlyMap<string, EpochMs> {
  const horizons = new Map([...services, ...composites.keys()].map((service) => [service, aliveUntilMs]));
  for (const { state } of tails) {
    const fromMs = Math.min(aliveUntilMs, state.history.lastAtMs ?? aliveUntilMs) - reachMs(state.rules) - REPLAY_MARGIN_MS;
    horizons.set(state.service, Math.min(fromMs, horizons.get(state.service) ?? fromMs) as EpochMs);
  }
  const joined = [...composites].flatMap(([id, { rule }]) => [id, ...rule.members.map((member) => member.id)]);
  const joinedMs = Math.min(aliveUntilMs, ...joined.map((id) => horizons.get(id) ?? aliveUntilMs)) as EpochMs;
  for (const id of joined) horizons.set(id, joinedMs);
  return horizons;
}

async function loadCheck(
  tail: StoredTail,
  { store, memory, fromMs }: { readonly store: LedgerStore; readonly memory: Memory; readonly fromMs: EpochMs },
): Promise<void> {
  const transitions = await store.transitionsSince({ kind: 'check', id: tail.check }, fromMs);
  const state: CheckState = { ...tail.state, active: true, history: { ...tail.state.history, transitions } };
  memory.checks.set(tail.check, state);
}
