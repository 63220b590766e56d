/** Rules in words and in order, without the page. */
import type { RuleView } from '../api/rules.ts';
import type { RulesSearch } from '../shell/search.ts';
import { decimalText } from '../figures/percent.ts';
import type { MarkState } from '../states/words.ts';
import { t } from '../language/t.ts';

const KIND_WORDS: Readonly<Record<RuleView['kind'], string>> = {
  threshold: t('Threshold'),
  composite: t('Composite'),
  absence: t('Absence'),
  change: t('Change'),
  forecast: t('Forecast'),
  anomaly: t('Anomaly'),
  compliance: t('Compliance'),
  alerting: t('PromQL alert'),
  recording: t('Recording'),
  sla: 'SLA',
  service: t('Built in'),
};
export const kindWord = (kind: RuleView['kind']): string => KIND_WORDS[kind];

/** Decided by the ledger and by what happens in the product, not by an evaluation of their own. */
export const isBuiltIn = (kind: RuleView['kind']): boolean => kind === 'service' || kind === 'sla';

/** What a reader must know first: that it does not work, then what it says. */
export function ruleMark({ health, state, evaluated_at_ms: atMs, kind }: RuleView): { readonly mark: MarkState; readonly word: string } {
  if (health === 'err') return { mark: 'unknown', word: t('Does not work') };
  if (state === 'firing') return { mark: 'down', word: t('Firing') };
  if (state === 'pending') return { mark: 'degraded', word: t('Pending') };
  if (atMs === null && !isBuiltIn(kind)) return { mark: 'unknown', word: t('Waits for samples') };
  return { mark: 'up', word: kind === 'recording' ? t('Records') : t('Quiet') };
}

/** The pack, the group of the rule file, or where it stands in the configuration. */
export function groupOf({ origin, place, spec }: RuleView): string {
  const { pack, group } = spec;
  if (origin === 'ui') return t('saved here');
  if (typeof pack === 'string') return t('pack {pack}', { pack });
  if (origin === 'shipped') return t('shipped');
  return typeof group === 'string' ? `${group}, ${place}` : place;
}

/** `0.4 ms`; nothing for what was never evaluated. */
export function durationText({ evaluated_at_ms: atMs, evaluation_ms: tookMs }: RuleView): string {
  if (atMs === null) return '';
  if (tookMs >= 1_000) return `${decimalText((tookMs / 1_000).toFixed(1))} s`;
  return `${decimalText(tookMs < 10 ? tookMs.toFixed(1) : String(Math.round(tookMs)))} ms`;
}

const ORDER: readonly string[] = [t('Does not work'), t('Firing'), t('Pending')];
const rank = (rule: RuleView): number => {
  const place = ORDER.indexOf(ruleMark(rule).word);
  return place < 0 ? ORDER.length : place;
};

/** Those of a state, what needs somebody first, then by id. */
export function shownRules(rules: readonly RuleView[], state: RulesSearch['state']): readonly RuleView[] {
  const keeps = (rule: RuleView): boolean => {
    if (state === undefined) return true;
    if (state === 'troubled') return rank(rule) < ORDER.length;
    if (state === 'waiting') return rule.evaluated_at_ms === null && !isBuiltIn(rule.kind);
    return rule.state === state;
  };
  return rules.filter(keeps).sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
}
