import { HOUR_MS } from '@nines/base/units.ts';
import { AppError } from '@nines/base/errors.ts';
import { type QueryView, forecastBody, queryParams } from '@nines/server/analytics/contract.ts';
import { createQuery } from '@nines/server/analytics/query.ts';
import type { Parts } from '@nines/server/parts.ts';
import { PROGRAM } from './actor.ts';
import type { Analysed, AnalyticsAsk, Detected, DetectionAsk, Forecast, Predicted, PredictionAsk, Refused } from './contract.ts';
import { checked, lengthMs, lengthText, present, refused } from './given.ts';

const DAY_MS = 24 * HOUR_MS;

/** Questions about stored series, as the HTTP API answers them. */
export class Analytics {
  readonly #parts: Parts;
  readonly #query: ReturnType<typeof createQuery>;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { analytics, ask: samples, aliases, store: queryable, metadata, shared } = parts;
    this.#query = createQuery({ ask: analytics.ask, samples, aliases, queryable, metadata, clock: shared.clock });
  }

  query({ pattern, window, step, detectAnomalies, forecast, algorithm, sensitivity }: AnalyticsAsk): Promise<Analysed> {
    return this.#ask({
      pattern,
      window: text(window),
      step: text(step),
      anomalies: detectAnomalies === true ? 'true' : 'false',
      forecast: text(forecast),
      method: algorithm,
      sensitivity,
    });
  }

  async detect(ask: DetectionAsk): Promise<Detected> {
    const { series, ...rest } = await this.query({ ...ask, detectAnomalies: true });
    return {
      ...rest,
      series: series.map(({ name, expr, labels, points, anomalies }) => ({ name, expr, labels, points, anomalies: asked(anomalies) })),
    };
  }

  async predict({ horizon = DAY_MS, confidence = 0.95, window = 7 * DAY_MS, ...ask }: PredictionAsk): Promise<Predicted> {
    const horizonMs = lengthMs(horizon, 'horizon');
    const { series, ...rest } = await this.#ask({ pattern: ask.pattern, window: text(window), step: text(ask.step) });
    const steps = Math.max(1, Math.round(horizonMs / rest.step_ms));
    const judged = forecastBody.pick({ horizon: true, level: true }).safeParse({ horizon: steps, level: confidence });
    if (!judged.success) {
      const [issue] = judged.error.issues;
      const isHorizon = issue?.path[0] === 'horizon';
      const why = isHorizon ? `${steps} steps of ${rest.step_ms} ms are too many: name a longer step` : (issue?.message ?? 'not a share');
      throw refused('bad_question', isHorizon ? 'horizon' : 'confidence', why);
    }
    const predicted = [];
    for (const { name, expr, labels, points, trend } of series)
      predicted.push({ name, expr, labels, points, trend, forecast: await this.#forecast(points, judged.data) });
    return { ...rest, series: predicted };
  }

  async #forecast(points: readonly (readonly [number, number])[], how: { horizon: number; level: number }): Promise<Forecast | Refused> {
    try {
      return await this.#parts.analytics.ask('forecast', { points: points.map(([atMs, value]) => [atMs, value]), ...how });
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'unprocessable') throw thrown;
      const { reason } = thrown.details as { readonly reason: string };
      return { reason, message: thrown.message };
    }
  }

  #ask(params: Readonly<Record<string, unknown>>): Promise<QueryView> {
    return this.#query(checked(queryParams, present(params), 'bad_question'), PROGRAM);
  }
}

const text = (length: AnalyticsAsk['window']): string | undefined => (length === undefined ? undefined : lengthText(length));

/** An answer that was asked for is there, or the reason why not. */
function asked<T>(answer: T | undefined): T {
  if (answer === undefined) throw new Error('BUG: expected anomalies of every series, found none');
  return answer;
}
