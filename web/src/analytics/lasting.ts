/** Which changes of level are told beside the episodes they happen in. Pure. */
import type { SeasonalityWire } from '../api/analytics.ts';

type Changes = SeasonalityWire['changes'];
type Span = { readonly from_at_ms: number; readonly to_at_ms: number };

/** Steps by which a change may miss the edge of an episode and still be that edge. */
const EDGE_STEPS = 4;
/** Of the largest change in an episode, what has to be left when it is over. */
const KEPT = 0.5;

/** Without those that an episode begins and ends with; a step that stays is unusual only at first, and is told. */
export function lasting(changes: Changes, episodes: readonly Span[], stepMs: number): Changes {
  const near = EDGE_STEPS * stepMs;
  const undone = new Set<Changes[number]>();
  for (const { from_at_ms: fromMs, to_at_ms: toMs } of episodes) {
    const own = changes.filter(({ at_ms: atMs }) => atMs >= fromMs - near && atMs <= toMs + near);
    const largest = Math.max(...own.map(({ before, after }) => Math.abs(after - before)));
    const left = Math.abs((own.at(-1)?.after ?? 0) - (own[0]?.before ?? 0));
    if (left < KEPT * largest) for (const one of own) undone.add(one);
  }
  return changes.filter((one) => !undone.has(one));
}
