import { SEVERITIES, type Severity } from '../alerting/contract.ts';

/** What the rule files of the world write, and what it means here. The label itself stays as written. */
const MEANING: Readonly<Record<string, Severity>> = {
  page: 'critical',
  ticket: 'warning',
  error: 'critical',
  high: 'critical',
  low: 'info',
  none: 'info',
};

/** The severity of a rule file's label; `warning` when there is none or nobody knows the word. */
export function severityOf(label: string | undefined): Severity {
  const word = label?.toLowerCase() ?? '';
  const own = SEVERITIES.find((severity) => severity === word);
  return own ?? (Object.hasOwn(MEANING, word) ? MEANING[word] : undefined) ?? 'warning';
}
