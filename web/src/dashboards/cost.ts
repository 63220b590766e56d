/** What a panel asks of the server. Pure. */
import type { Panel, Refresh } from '../api/dashboards.ts';
import { type View, queryStepMs } from '../timeline/view.ts';
import { everyMs } from './time.ts';

/** More than these in one panel are said aloud. */
export const MANY_QUERIES = 6;
/** As many values of each series as panels ask for: about one per two pixels. */
const POINTS = 360;
const MINUTE_MS = 60_000;

export type Cost = {
  readonly queries: number;
  /** Of each series of each query, when the panel is opened. */
  readonly values: number;
  /** Questions a minute about the present while it is looked at; none where it is pushed. */
  readonly aMinute: number;
  /** What changes is told by the server, evaluated once for everybody who looks. */
  readonly pushed: boolean;
};

/** Nothing for panels of the ledger and the inbox: they read what is kept. A card asks once more about the period before. */
export function costOf(panel: Panel, view: View, refresh: Refresh): Cost {
  if (panel.kind === 'text' || panel.source.from !== 'promql') return { queries: 0, values: 0, aMinute: 0, pushed: false };
  const shown = panel.source.queries.filter(({ hidden }) => hidden !== true).length;
  const queries = panel.kind === 'card' && panel.compare === 'period' ? 2 * shown : shown;
  const stepMs = queryStepMs(view, POINTS, 1_000);
  const every = everyMs(refresh);
  return {
    queries,
    values: Math.ceil((view.toMs - view.fromMs) / stepMs),
    aMinute: every === 0 || refresh === 'live' ? 0 : Math.round((shown * MINUTE_MS) / every),
    pushed: refresh === 'live',
  };
}
