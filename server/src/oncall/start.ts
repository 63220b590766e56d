import type { Logger } from '@nines/base/logger.ts';
import type { Clock } from '@nines/base/clock.ts';
import type { Evaluation } from '../alerting/contract.ts';
import type { SelfMetrics } from '../collect/contract.ts';
import { startLoop } from '../platform/loop.ts';
import type { Pager } from '../notify/contract.ts';
import { Calendars } from './calendars.ts';
import { GAP_STEP_MS, gapEvaluation } from './gap-alert.ts';
import { HANDOVER_STEP_MS, Handovers } from './handover.ts';
import { sendNotice } from './notice.ts';
import { Roster, type RosterDeps } from './service.ts';
import { turnsOf } from './store.ts';

export type OncallDeps = RosterDeps & {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SelfMetrics;
  readonly alert: (evaluation: Evaluation) => Promise<void>;
  readonly pager: Pick<Pager, 'page'>;
  /** Called after the transaction of a page. */
  readonly wake: () => void;
  readonly externalUrl: string;
  readonly yieldNow: () => Promise<void> | undefined;
};

/** People and schedules with all that belongs to them. Nobody is told anything before `run`. */
export async function openOncall(deps: OncallDeps) {
  const { db, clock, logger, metrics } = deps;
  const roster = new Roster(deps);
  await roster.load();
  const calendars = new Calendars({ ...deps, roster });
  const handovers = new Handovers({
    ...deps,
    roster,
    tell: async (trx, handover) => {
      if (await sendNotice(trx, deps.pager, handover)) return;
      logger.warn('nobody could be told of a hand-over', { person: handover.person.id, schedule: handover.schedule.id });
    },
    afterCommit: deps.wake,
  });
  await handovers.load();
  metrics.watch('nines_oncall_schedules', 'Schedules of people on call.', () => roster.schedules.list().length);
  const unmanned = (): number =>
    roster.schedules.list().filter(({ spec }) => roster.whoAt(spec.id, clock.now()).people.length === 0).length;
  metrics.watch('nines_oncall_schedules_unmanned', 'Schedules in which nobody is on call now.', unmanned);

  /** Looks at hand-overs and gaps from now on. */
  const run = (): AsyncDisposable => {
    const ending = new AsyncDisposableStack();
    ending.use(startLoop({ clock, logger, name: 'hand-overs', everyMs: HANDOVER_STEP_MS, step: (nowMs) => handovers.step(nowMs) }));
    const step = (nowMs: Parameters<typeof gapEvaluation>[1]) => deps.alert(gapEvaluation(roster, nowMs));
    const gaps = ending.use(startLoop({ clock, logger, name: 'on-call gaps', everyMs: GAP_STEP_MS, step }));
    ending.use(deps.bus.subscribe(({ type }) => (type === 'oncall.changed' ? gaps.poke() : undefined)));
    return ending;
  };
  const history = (schedule: string, span: Parameters<typeof turnsOf>[2]) => turnsOf(db, schedule, span);
  return { roster, calendars, history, run };
}
