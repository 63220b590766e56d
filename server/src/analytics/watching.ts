import { SECOND_MS } from '@nines/base/units.ts';
import { isFull, visible } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import type { Ids } from '@nines/base/ids.ts';
import { startLoop } from '../platform/loop.ts';
import type { EpisodesQuery, EpisodeView, WatchSpec, WatchView } from './contract.ts';
import { EpisodeBook } from './episodes.ts';
import { Forecasts, type ForecastsDeps } from './forecasts.ts';
import { type StoredEpisode, type StoredForecast, episodesIn } from './store.ts';
import { Streams, type StreamsDeps } from './streams.ts';

const STEP_MS = SECOND_MS;
const DEFAULT_SPAN_MS = 7 * 86_400_000;

type Deps = ForecastsDeps & Omit<StreamsDeps, 'episodes'> & { readonly ids: Ids };

/** What is watched: scores, episodes and forecasts of the series that the configuration names. */
export async function openWatching(deps: Deps) {
  const { sql, clock, logger } = deps;
  const episodes = new EpisodeBook(deps);
  await episodes.load();
  deps.metrics.watch('nines_analytics_open_episodes', 'Episodes of unusual values that go on.', () => episodes.openCount);
  const forecasts = new Forecasts(deps);
  await forecasts.load();
  const streams = new Streams({ ...deps, episodes });
  let specs: readonly WatchSpec[] = [];

  return {
    streams,
    forecasts,
    specs: () => specs,
    committed: streams.committed,

    async configure(next: readonly WatchSpec[]): Promise<void> {
      specs = next;
      streams.configure(next);
      await forecasts.configure(next);
    },

    /** Newest first. */
    async episodes({ name, from, to, limit }: EpisodesQuery, scope: Scope): Promise<{ items: EpisodeView[] }> {
      const nowMs = clock.now();
      const span = { fromMs: from ?? (to ?? nowMs) - DEFAULT_SPAN_MS, toMs: to ?? nowMs };
      const found = await episodesIn(sql, { name, ...span, limit });
      const items = found
        .map((one) => episodes.fresh(one))
        .filter(({ labels }) => visible(scope, labels))
        .map(episodeView);
      return { items };
    },

    /** What is watched, and what there is to say of each; of a scope, what is told of series that are seen. */
    list(scope: Scope): { items: WatchView[] } {
      const seen = isFull(scope) ? specs : specs.filter(({ name }) => forecasts.of(name).some(({ labels }) => visible(scope, labels)));
      const items = seen.map((spec) => {
        const told = forecasts.of(spec.name).filter(({ labels }) => visible(scope, labels));
        return watchViewOf(spec, streams.stateOf(spec.name), told);
      });
      return { items };
    },

    run(): AsyncDisposable {
      const scoring = startLoop({
        clock,
        logger,
        name: 'watched series',
        everyMs: STEP_MS,
        step: async (nowMs) => {
          await streams.step(nowMs);
          await episodes.step(nowMs);
        },
      });
      // On its own: a forecast takes a while, and scores do not wait for it.
      const forecasting = startLoop({ clock, logger, name: 'forecasts', everyMs: 5 * STEP_MS, step: (nowMs) => forecasts.step(nowMs) });
      return {
        async [Symbol.asyncDispose]() {
          await forecasting[Symbol.asyncDispose]();
          await scoring[Symbol.asyncDispose]();
          await streams.stop();
          await episodes.flush();
        },
      };
    },
  };
}
const episodeView = ({ id, watch, labels, fromMs, toMs, peakMs, score, reason, open }: StoredEpisode): EpisodeView => ({
  id,
  name: watch,
  labels,
  from_at_ms: fromMs,
  to_at_ms: toMs,
  peak_at_ms: peakMs,
  score,
  reason,
  open,
});

const watchViewOf = (spec: WatchSpec, state: ReturnType<Streams['stateOf']>, told: readonly StoredForecast[]): WatchView => ({
  name: spec.name,
  expr: spec.expr,
  unit: spec.unit,
  limit: spec.limit ?? null,
  side: spec.side,
  anomalies: spec.anomalies === false ? null : { ...spec.anomalies, ...state },
  forecasts: told.map(forecastView),
});

const forecastView = ({ labels, horizonMs, madeAtMs, body }: StoredForecast): WatchView['forecasts'][number] => {
  const common = { labels, horizon_ms: horizonMs, made_at_ms: madeAtMs };
  if (body.kind === 'refused')
    return { ...common, method: null, mase: null, naive_mase: null, coverage: null, points: [], refused: body.reason };
  const { method, mase, naiveMase, coverage, points } = body;
  return { ...common, method, mase, naive_mase: naiveMase, coverage, points: points.map((point) => [...point]), refused: null };
};

export type Watching = Awaited<ReturnType<typeof openWatching>>;
