import { asked, cpu, shipped } from './board.ts';
import {
  ACCURACY,
  DRIFT,
  DRIFT_BY_FEATURE,
  FAILED_TRAININGS,
  INFERENCES,
  MODELS_THAT_TELL,
  MODEL_AGE_DAYS,
  inferenceSeconds,
} from './queries.ts';

const DRIFTED = [
  { at: 0.2, severity: 'warning' as const },
  { at: 0.3, severity: 'critical' as const },
];
const FEED_MODELS = `Models tell of themselves like everything else, by scraping, remote write, OTLP or \`POST /api/metrics\`, with the label \`model\`:

- \`model_drift_score\` with the label \`feature\`: how far an input is from what was learned (PSI, for instance)
- \`model_accuracy_ratio\`: the share of right answers
- \`model_inference_duration_seconds\`: a histogram
- \`model_training_runs_total\` with the label \`outcome\`
- \`model_last_trained_timestamp_seconds\`

The same names make the rules of the pack \`ml\` speak up.`;

/** Of models in operation; role dashboards show them too. */
export const drift = { title: 'Drift', description: 'Fed by model_drift_score.', source: asked([DRIFT, '{{model}}']), thresholds: DRIFTED };
export const accuracy = {
  title: 'Right answers',
  description: 'Fed by model_accuracy_ratio.',
  unit: 'ratio',
  source: asked([ACCURACY, '{{model}}']),
} as const;
export const inference = {
  title: 'Time of an answer',
  description: 'Fed by model_inference_duration_seconds, a histogram.',
  unit: 'seconds',
  source: asked([inferenceSeconds(0.5), '{{model}}, half of them'], [inferenceSeconds(0.95), '{{model}}, 95 of 100']),
} as const;

export const MODELS = shipped({
  id: 'models',
  title: 'Model monitoring',
  description:
    'Whether models in operation still see what they learned from, answer right and in time, and were trained lately; and how well Nines foretells what it watches.',
  range: '7d',
  layout: 'three_columns',
  panels: {
    models: { kind: 'card', title: 'Models that tell', decimals: 0, source: asked(MODELS_THAT_TELL) },
    worst: {
      kind: 'card',
      title: 'Drift of the worst',
      source: asked(`max(${DRIFT})`),
      thresholds: DRIFTED,
    },
    accuracy_now: {
      kind: 'card',
      title: 'Right answers of the worst',
      unit: 'ratio',
      source: asked(`min(${ACCURACY})`),
      thresholds: [{ at: 0.85, severity: 'critical', side: 'below' }],
    },
    drift: { kind: 'line', ...drift, min: 0 },
    accuracy: { kind: 'line', ...accuracy },
    latency: { kind: 'line', ...inference, min: 0 },
    answers: { kind: 'line', title: 'Answers', unit: 'per_second', min: 0, source: asked([INFERENCES, '{{model}}']) },
    trainings: {
      kind: 'bar',
      title: 'Trainings that failed in a day',
      by: 'series',
      decimals: 1,
      source: asked([FAILED_TRAININGS, '{{model}}']),
    },
    age: { kind: 'bar', title: 'Days since the last training', decimals: 1, by: 'series', source: asked([MODEL_AGE_DAYS, '{{model}}']) },
    features: { kind: 'table', title: 'Features that drifted most', source: asked([DRIFT_BY_FEATURE, 'Drift']) },
    system: { kind: 'line', ...cpu, title: 'CPU of the hosts', min: 0 },
    feed: { kind: 'text', title: 'How to feed this', markdown: FEED_MODELS },
    watched: { kind: 'card', title: 'Watched series', decimals: 0, source: asked('sum(nines_analytics_watched_series)') },
    episodes: { kind: 'card', title: 'Open episodes of unusual values', decimals: 0, source: asked('sum(nines_analytics_open_episodes)') },
    scores: {
      kind: 'line',
      title: 'How unusual values are',
      source: asked(['max by (name) (anomaly_score)', '{{name}}']),
      min: 0,
      max: 1,
    },
    width: {
      kind: 'line',
      title: 'How wide forecasts are',
      unit: 'ratio',
      source: asked(['avg by (name, horizon) ((forecast_upper - forecast_lower) / abs(forecast))', '{{name}} in {{horizon}}']),
      min: 0,
    },
    change: {
      kind: 'line',
      title: 'How much forecasts changed in a day',
      unit: 'ratio',
      source: asked(['avg by (name, horizon) (abs(forecast / forecast offset 1d - 1))', '{{name}} in {{horizon}}']),
      min: 0,
    },
    work: {
      kind: 'line',
      title: 'Time spent on scores',
      unit: 'ratio',
      source: asked('rate(nines_analytics_scoring_seconds_total[5m])'),
      min: 0,
    },
  },
  sections: {
    Now: ['models', 'worst', 'accuracy_now'],
    'Over time': ['drift', 'accuracy', 'latency', 'answers', 'trainings', 'age'],
    'What is behind it': ['features', 'system', 'feed'],
    'What Nines foretells by itself': ['watched', 'episodes', 'scores', 'width', 'change', 'work'],
  },
});
