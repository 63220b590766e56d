/** The rules of incidents while they are written: matchers are one text, lengths have their unit. Pure. */
import { formatDuration, parseDuration } from '@nines/base/duration.ts';
import { formatMatcher, parseMatchers } from '@nines/base/matcher-text.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import type { IncidentRules } from '../api/incidents.ts';
import { t } from '../language/t.ts';

export type Severity = IncidentRules['open'][number]['severities'][number];
export type Category = IncidentRules['categories'][number]['category'];
type Step = IncidentRules['escalation'][number];
export type Audience = Step['audience'];
type Ruled = { readonly id: string; readonly match: string; readonly why: string };

export type OpenDraft = Ruled & { readonly severities: readonly Severity[]; readonly opens: boolean };
export type CategoryDraft = Ruled & { readonly category: Category };
export type SeverityDraft = Ruled & { readonly services: string; readonly severity: Severity };
export type StepDraft = Pick<Step, 'id' | 'audience' | 'until'> & {
  readonly severities: readonly Severity[];
  readonly after: string;
  readonly contacts: readonly { readonly channel: string; readonly to: string }[];
};
export type RulesDraft = {
  readonly open: readonly OpenDraft[];
  readonly categories: readonly CategoryDraft[];
  readonly severities: readonly SeverityDraft[];
  readonly escalation: readonly StepDraft[];
  /** '' when people end incidents. */
  readonly resolveAfter: string;
};

type Match = IncidentRules['open'][number]['match'];
const textOf = (match: Match): string => match.map(formatMatcher).join(', ');

export const draftOf = ({ open, categories, severities, escalation, resolve_after_ms: resolveAfterMs }: IncidentRules): RulesDraft => ({
  open: open.map(({ match, ...rule }) => ({ ...rule, match: textOf(match) })),
  categories: categories.map(({ match, ...rule }) => ({ ...rule, match: textOf(match) })),
  severities: severities.map(({ match, min_services: services, ...rule }) => ({
    ...rule,
    match: textOf(match),
    services: String(services),
  })),
  escalation: escalation.map(({ after_ms: afterMs, contacts, ...step }) => ({
    ...step,
    after: formatDuration(afterMs),
    contacts: contacts.map(({ channel, to = '' }) => ({ channel, to })),
  })),
  resolveAfter: resolveAfterMs === null ? '' : formatDuration(resolveAfterMs),
});

/** What is sent. The error is a sentence about the first rule that cannot be read. */
export function rulesOf(draft: RulesDraft): Result<IncidentRules, string> {
  const faults: string[] = [];
  const matchOf = ({ id, match }: Pick<Ruled, 'id' | 'match'>): Match => {
    if (match.trim() === '') return [];
    const parsed = parseMatchers(match);
    if (parsed.ok) return parsed.value.map(({ name, op, value }) => ({ name, op, value }));
    faults.push(t('Rule {id}: {fault}', { id, fault: parsed.error }));
    return [];
  };
  const msOf = (id: string, text: string): number => {
    const parsed = parseDuration(text.trim() === '' ? '0s' : text.trim());
    if (parsed.ok) return parsed.value;
    faults.push(t('Rule {id}: {fault}', { id, fault: parsed.error }));
    return 0;
  };
  const rules: IncidentRules = {
    open: draft.open.map((rule) => ({ ...rule, severities: [...rule.severities], match: matchOf(rule) })),
    categories: draft.categories.map((rule) => ({ ...rule, match: matchOf(rule) })),
    severities: draft.severities.map(({ services, ...rule }) => ({ ...rule, match: matchOf(rule), min_services: Number(services) || 1 })),
    escalation: draft.escalation.map(({ after, contacts, ...step }) => ({
      ...step,
      severities: [...step.severities],
      after_ms: msOf(step.id, after),
      contacts: contacts.filter(({ channel }) => channel !== '').map(({ channel, to }) => ({ channel, ...(to === '' ? {} : { to }) })),
    })),
    resolve_after_ms: draft.resolveAfter.trim() === '' ? null : msOf(t('end'), draft.resolveAfter),
  };
  const severityless = [...draft.open, ...draft.escalation].find(({ severities }) => severities.length === 0);
  if (severityless !== undefined) faults.push(t('Rule {id}: choose a severity', { id: severityless.id }));
  const [fault] = faults;
  return fault === undefined ? ok(rules) : err(fault);
}

/** The list with one of its rules before or behind its neighbour. */
export function moved<T>(list: readonly T[], index: number, by: -1 | 1): readonly T[] {
  const one = list[index];
  const other = list[index + by];
  if (one === undefined || other === undefined) return list;
  return list.map((item, at) => (at === index ? other : at === index + by ? one : item));
}

/** An id that no rule of the list has. */
export function freshId(list: readonly { readonly id: string }[]): string {
  const taken = new Set(list.map(({ id }) => id));
  let number = list.length + 1;
  while (taken.has(`rule-${number}`)) number++;
  return `rule-${number}`;
}
