import { limits, type ShippedRule } from './shipped.ts';

/** Models in operation. The names of the series: docs/alerts.md. */
export const ML_PACK: readonly ShippedRule[] = [
  limits({
    id: 'ml_data_drift',
    name: 'ModelDrift',
    metric: 'model_drift_score',
    levels: { warning: [0.2, 0.15], critical: [0.3, 0.25] },
    for: '15m',
    summary: 'Inputs of {{ $labels.model }} drifted: {{ printf "%.2f" $value }} ({{ $labels.feature }})',
    runbook: 'Compare the feature with its training data; an upstream change of format looks like drift.',
  }),
  limits({
    id: 'ml_low_accuracy',
    name: 'ModelAccuracyLow',
    metric: '100 * model_accuracy_ratio',
    condition: '<',
    levels: { critical: [85, 87] },
    for: '15m',
    summary: '{{ $labels.model }} is right in {{ printf "%.1f" $value }} % of cases',
    runbook: 'Look at the labels that came last, then retrain, or go back to the version before.',
  }),
  limits({
    id: 'ml_inference_latency',
    name: 'ModelInferenceSlow',
    metric: 'histogram_quantile(0.95, sum by (model, le) (rate(model_inference_duration_seconds_bucket[5m])))',
    levels: { warning: [0.5, 0.4], critical: [2, 1.5] },
    for: '5m',
    summary: '5 % of the answers of {{ $labels.model }} take longer than {{ $value | humanizeDuration }}',
    runbook: 'Look at batch size, queue and GPU; a cold start after a deployment passes by itself.',
  }),
  limits({
    id: 'ml_training_failed',
    name: 'ModelTrainingFailed',
    metric: 'sum by (model, pipeline) (increase(model_training_runs_total{outcome="failure"}[1h]))',
    levels: { critical: [0, 0] },
    cooldown: '1h',
    summary: 'Training of {{ $labels.model }} failed',
    runbook: 'Read the log of the run; data that did not arrive is the most frequent cause.',
  }),
  limits({
    id: 'ml_model_stale',
    name: 'ModelStale',
    metric: '(time() - model_last_trained_timestamp_seconds) / 86400',
    levels: { info: [30, 30], warning: [90, 90] },
    cooldown: '24h',
    summary: '{{ $labels.model }} was trained {{ printf "%.0f" $value }} days ago',
    runbook: 'Retrain, or say that this model is meant to be old by a rule of the same id.',
  }),
];
