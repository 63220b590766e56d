/** A rule as a form holds it, and as the configuration and a back-test take it. Pure. */
import { yamlText } from '../objects/yaml-text.ts';

export type RuleDraft = {
  readonly id: string;
  readonly expr: string;
  readonly condition: string;
  readonly threshold: number;
  /** Empty: the threshold. */
  readonly clear: string;
  readonly forText: string;
  readonly keepFiring: string;
  readonly severity: string;
  /** `team=shop, env=prod`. */
  readonly labels: string;
  readonly summary: string;
  readonly description: string;
  readonly runbook: string;
};

export const EMPTY_DRAFT: Omit<RuleDraft, 'id' | 'expr' | 'condition' | 'threshold'> = {
  clear: '',
  forText: '5m',
  keepFiring: '',
  severity: 'warning',
  labels: '',
  summary: '',
  description: '',
  runbook: '',
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

/** The rule in the form of `rules.thresholds`; what is not said is left out. */
export function ruleOf(draft: RuleDraft): Readonly<Record<string, unknown>> {
  const said = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim());
  const labels = labelsOf(draft.labels) ?? {};
  const annotations = Object.fromEntries(
    Object.entries({ summary: draft.summary, description: draft.description, runbook_url: draft.runbook }).filter(
      ([, text]) => text.trim() !== '',
    ),
  );
  const clear = said(draft.clear);
  const fields = {
    id: draft.id,
    metric: draft.expr.replaceAll(/\s*\n\s*/g, ' ').trim(),
    condition: draft.condition,
    threshold: draft.threshold,
    clear: clear === undefined ? undefined : Number.isNaN(Number(clear)) ? clear : Number(clear),
    for: said(draft.forText),
    keep_firing_for: said(draft.keepFiring),
    severity: draft.severity,
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    annotations: Object.keys(annotations).length === 0 ? undefined : annotations,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export const ruleYaml = (draft: RuleDraft): string => yamlText({ rules: { thresholds: [ruleOf(draft)] } });
