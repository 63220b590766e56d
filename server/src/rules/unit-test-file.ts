/** promtool's files of unit tests for rules, read as they are. Source: prometheus docs/configuration/unit_testing_rules.md. */
import { messageOf } from '@nines/base/errors.ts';
import { parseInstant } from '@nines/base/instant.ts';
import { MINUTE_MS, type Ms, ms } from '@nines/base/units.ts';
import { type NotedSeries, parseSeries, samplesOf } from '@nines/promql/series-notation.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { z } from 'zod';
import { duration } from '../platform/config/fields.ts';
import { type Loaded, loadConfig } from '../platform/config/load.ts';

/** YAML reads `severity: 1` as a number; labels and samples are texts. */
const text = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]);
/** NaN and infinities are expected too. */
const number = z.custom<number>((value) => typeof value === 'number', 'write a number');
const texts = z.record(z.string(), text);
/** A length; plain 0 needs no unit. */
const length = z.union([z.literal(0).transform(() => ms(0)), duration()]);

/** What `read` makes of a text; what it throws is the problem. */
const parsedBy = <T>(read: (written: string) => T) =>
  text.transform((written, context): T => {
    try {
      return read(written);
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: messageOf(thrown) });
      return z.NEVER;
    }
  });

const expression = z.string().superRefine((written, context) => {
  const parsed = parseExpr(written);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error.message });
});

const metric = parsedBy((written): NotedSeries => {
  const noted = parseSeries(written);
  if (noted.samples.length > 0) throw new Error(`labels only, without samples: ${written}`);
  return noted;
});

const histogram = parsedBy((written) => {
  const [sample, ...more] = samplesOf(written);
  if (typeof sample !== 'object' || more.length > 0) throw new Error(`not one histogram: ${written}`);
  return sample;
});

const instant = parsedBy((written) => {
  const parsed = parseInstant(written);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
});

const inputSeries = z.strictObject({ series: z.string(), values: text }).transform(({ series, values }, context): NotedSeries => {
  try {
    return { labels: parseSeries(series).labels, samples: samplesOf(values) };
  } catch (thrown) {
    context.addIssue({ code: 'custom', message: messageOf(thrown) });
    return z.NEVER;
  }
});

const alertTest = z.strictObject({
  eval_time: length,
  alertname: z.string().min(1),
  exp_alerts: z
    .array(z.strictObject({ exp_labels: texts.nullish(), exp_annotations: texts.nullish() }))
    .nullish()
    .transform((alerts) => alerts ?? []),
});

const exprTest = z.strictObject({
  expr: expression,
  eval_time: length,
  exp_samples: z
    .array(z.strictObject({ labels: metric, value: number.default(0), histogram: histogram.optional() }))
    .nullish()
    .transform((samples) => samples ?? []),
});

const group = z.strictObject({
  name: z.string().default(''),
  /** Between two samples of `input_series`; the evaluation interval when left out. */
  interval: duration({ minMs: 1 }).optional(),
  start_timestamp: instant.optional(),
  input_series: z.array(inputSeries).default([]),
  alert_rule_test: z.array(alertTest).default([]),
  promql_expr_test: z.array(exprTest).default([]),
  external_labels: texts.default({}),
  external_url: z.string().default(''),
});

const unitTestFile = z.strictObject({
  rule_files: z.array(z.string()).default([]),
  evaluation_interval: duration({ minMs: 1 }).default(ms(MINUTE_MS)),
  group_eval_order: z
    .array(z.string())
    .default([])
    .superRefine((names, context) => {
      names.forEach((name, i) => {
        if (names.indexOf(name) !== i) context.addIssue({ code: 'custom', message: `the group "${name}" stands here twice`, path: [i] });
      });
    }),
  /** Numbers may differ in their last bit. */
  fuzzy_compare: z.boolean().default(false),
  tests: z.array(group).default([]),
});

export type UnitTestFile = z.output<typeof unitTestFile>;
export type UnitTestGroup = UnitTestFile['tests'][number];

/** The instant of the last expectation, from the group's start. */
export const lastEvalMs = ({ alert_rule_test: alerts, promql_expr_test: exprs }: UnitTestGroup): Ms =>
  ms([...alerts, ...exprs].reduce((latest, { eval_time: at }) => Math.max(latest, at), 0));

export const readUnitTestFile = (file: string): Loaded<UnitTestFile> => loadConfig({ schema: unitTestFile, file });
