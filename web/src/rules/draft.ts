/** A rule as a form holds it, and as the configuration, a rule file, a back-test and the rule store take it. Pure. */
import { formatDuration } from '@nines/base/duration.ts';
import type { RuleView } from '../api/rules.ts';
import { yamlText } from '../objects/yaml-text.ts';

/** What the form can make: a value against a limit; an alert while a query finds something; a query kept as a series. */
export const FORM_KINDS = ['threshold', 'alerting', 'recording'] as const;
export type FormKind = (typeof FORM_KINDS)[number];

export type RuleDraft = {
  readonly kind: FormKind;
  readonly id: string;
  /** Of the alert, or of the series that is recorded. Empty: the id. */
  readonly name: string;
  readonly expr: string;
  readonly condition: string;
  readonly threshold: number;
  /** Empty: the threshold. */
  readonly clear: string;
  readonly forText: string;
  readonly keepFiring: string;
  /** How often a rule in Prometheus' form is evaluated; empty: as the configuration says. */
  readonly interval: string;
  readonly severity: string;
  /** `team=shop, env=prod`. */
  readonly labels: string;
  readonly summary: string;
  readonly description: string;
  readonly runbook: string;
  /** What was saved and has no place in the form: it is saved again. */
  readonly rest: Written;
  readonly otherAnnotations: Readonly<Record<string, string>>;
};

/** A rule as it is sent and kept. */
export type Written = Readonly<Record<string, unknown>>;

export const EMPTY_DRAFT: Omit<RuleDraft, 'id' | 'expr' | 'condition' | 'threshold'> = {
  kind: 'threshold',
  name: '',
  clear: '',
  forText: '5m',
  keepFiring: '',
  interval: '',
  severity: 'warning',
  labels: '',
  summary: '',
  description: '',
  runbook: '',
  rest: {},
  otherAnnotations: {},
};

/** Labels as they are typed; undefined when that is no list of them. */
export function labelsOf(text: string): Readonly<Record<string, string>> | undefined {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const pairs = parts.map((part) => /^([a-zA-Z_]\w*)\s*=\s*"?([^"]*)"?$/.exec(part));
  if (pairs.some((pair) => pair === null)) return undefined;
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
}

const said = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim());
const unlessEmpty = (texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined =>
  Object.keys(texts).length === 0 ? undefined : texts;

/** What a rule holds without its group: as `rules.thresholds` has it, or as a rule file does. */
function bareRule(draft: RuleDraft): Written {
  const labels = labelsOf(draft.labels) ?? {};
  const annotations = {
    ...draft.otherAnnotations,
    ...Object.fromEntries(
      Object.entries({ summary: draft.summary, description: draft.description, runbook_url: draft.runbook }).filter(
        ([, text]) => text.trim() !== '',
      ),
    ),
  };
  const expr = draft.expr.replaceAll(/\s*\n\s*/g, ' ').trim();
  if (draft.kind === 'recording') return { record: said(draft.name) ?? draft.id, expr, labels: unlessEmpty(labels) };
  const lasting = { for: said(draft.forText), keep_firing_for: said(draft.keepFiring) };
  if (draft.kind === 'alerting') {
    const severe = draft.severity === '' ? labels : { ...labels, severity: draft.severity };
    return { alert: said(draft.name) ?? draft.id, expr, ...lasting, labels: unlessEmpty(severe), annotations: unlessEmpty(annotations) };
  }
  const clear = said(draft.clear);
  return {
    id: draft.id,
    name: said(draft.name),
    metric: expr,
    condition: draft.condition,
    threshold: draft.threshold,
    clear: clear === undefined ? undefined : Number.isNaN(Number(clear)) ? clear : Number(clear),
    ...lasting,
    severity: draft.severity,
    labels: unlessEmpty(labels),
    annotations: unlessEmpty(annotations),
  };
}

const compact = (fields: Written): Written => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** The rule as it is tried and saved; what is not said is left out. */
export function ruleOf(draft: RuleDraft): Written {
  if (draft.kind === 'threshold') return compact({ ...draft.rest, ...bareRule(draft) });
  return compact({ ...draft.rest, id: draft.id, ...bareRule(draft), interval: said(draft.interval) });
}

/** The rule as a file holds it: `nines.yml`, or a rule file of Prometheus. */
export function ruleYaml(draft: RuleDraft): string {
  if (draft.kind === 'threshold') return yamlText({ rules: { thresholds: [ruleOf(draft)] } });
  const group = { name: draft.id, interval: said(draft.interval), ...draft.rest, rules: [compact(bareRule(draft))] };
  return yamlText({ groups: [compact(group)] });
}

export const SEVERITIES = ['info', 'warning', 'critical', 'emergency'];
const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string');

/** A saved rule as the form holds it; undefined for what the form cannot say without loss. */
export function draftOf(written: Written): RuleDraft | undefined {
  const { id, labels = {}, annotations = {}, for: forText = '', keep_firing_for: keepFiring = '', ...fields } = written;
  if (!isTexts(labels) || !isTexts(annotations) || typeof forText !== 'string' || typeof keepFiring !== 'string') return undefined;
  const { summary = '', description = '', runbook_url: runbook = '', ...otherAnnotations } = annotations;
  const common = { ...EMPTY_DRAFT, id: String(id), forText, keepFiring, summary, description, runbook, otherAnnotations };
  const textOf = (all: Readonly<Record<string, string>>): string | undefined => {
    const text = Object.entries(all)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ');
    const read = labelsOf(text);
    return read !== undefined && JSON.stringify(read) === JSON.stringify(all) ? text : undefined;
  };
  const draft = 'expr' in fields ? inFileForm(fields, labels) : inOwnForm(fields);
  const typed = draft === undefined ? undefined : textOf(draft.typedLabels ?? labels);
  if (draft === undefined || typed === undefined) return undefined;
  const { typedLabels: _typed, ...own } = draft;
  return { condition: '>', threshold: 0, ...common, ...own, labels: typed };
}

type Form = Pick<RuleDraft, 'kind' | 'name' | 'expr' | 'severity' | 'rest'> &
  Partial<RuleDraft> & { readonly typedLabels?: Readonly<Record<string, string>> };

function inFileForm({ alert, record, expr, interval = '', ...rest }: Written, labels: Readonly<Record<string, string>>): Form | undefined {
  const name = alert ?? record;
  if (typeof expr !== 'string' || typeof name !== 'string' || typeof interval !== 'string') return undefined;
  if (alert === undefined) return { kind: 'recording', name, expr, interval, severity: '', rest };
  const { severity = '', ...typedLabels } = labels;
  if (severity !== '' && !SEVERITIES.includes(severity)) return undefined;
  return { kind: 'alerting', name, expr, interval, severity, rest, typedLabels };
}

function inOwnForm({
  kind = 'threshold',
  name = '',
  metric,
  condition = '>',
  threshold,
  clear,
  severity = 'warning',
  ...rest
}: Written): Form | undefined {
  const limit = typeof threshold === 'string' && /^-?\d+(\.\d+)?%?$/.test(threshold) ? Number.parseFloat(threshold) : threshold;
  if (kind !== 'threshold' || typeof metric !== 'string' || typeof limit !== 'number' || typeof condition !== 'string') return undefined;
  if (typeof name !== 'string' || typeof severity !== 'string') return undefined;
  if (clear !== undefined && typeof clear !== 'string' && typeof clear !== 'number') return undefined;
  return { kind, name, expr: metric, condition, threshold: limit, clear: String(clear ?? ''), severity, rest };
}

/**
 * A rule of the product or of a file as a form begins with it: under its own id where a saved one takes its place, under another where it is
 * a copy. Undefined for kinds that the form does not know, and for rules of several severities.
 */
export function draftOfView({ id, name, kind, origin, query, spec }: RuleView): RuleDraft | undefined {
  const lengthAt = (key: string): string => {
    const lengthMs = spec[key];
    return typeof lengthMs === 'number' && lengthMs > 0 ? formatDuration(lengthMs) : '';
  };
  const own = origin === 'shipped' ? id : `${id.replaceAll(/[^\w.-]+/g, '-').slice(0, 55)}-copy`;
  const common = { id: own, for: lengthAt('for_ms'), keep_firing_for: lengthAt('keep_firing_for_ms'), labels: spec['labels'] ?? {} };
  const annotations = spec['annotations'] ?? {};
  if (kind === 'alerting') return draftOf({ ...common, alert: name, expr: query, interval: lengthAt('interval_ms'), annotations });
  if (kind === 'recording')
    return draftOf({ id: own, labels: common.labels, record: name, expr: query, interval: lengthAt('interval_ms') });
  const levels = (Array.isArray(spec['levels']) ? spec['levels'] : []) as readonly Written[];
  const [level] = levels;
  if (kind !== 'threshold' || level === undefined || levels.length > 1) return undefined;
  const { condition, threshold, clear, severity } = level;
  const missing = spec['missing'] === 'keep' ? {} : { missing: spec['missing'] };
  return draftOf({ ...common, ...missing, name, metric: query, condition, threshold, clear, severity, annotations });
}
