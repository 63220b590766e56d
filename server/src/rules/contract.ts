/**
 * Rules decide, from samples, which conditions hold. A rule knows the selectors it reads; a committed request or scrape
 * that holds such a sample wakes it within milliseconds, once. Timers serve `for`, absence and the group's grid.
 * With no new samples nothing is evaluated but timers. Rules keep no alert state of their own: `alerting` does.
 */
import type { Evaluation } from '../alerting/contract.ts';
import type { StateChange } from '../availability/contract.ts';
import type { Committed } from '../collect/contract.ts';

export type { BacktestView } from './backtests.ts';
export type { RulesConfig } from './config.ts';
export { rulesConfig } from './config.ts';
export type { RuleDetailView, RuleView } from './view.ts';
export { type RuleGroup, parseRuleFile } from './rule-file.ts';
export type { TemplateValue } from './template-functions.ts';
export { type Template, parseTemplate } from './template-parse.ts';
export { renderTemplate } from './templates.ts';

/** Ids of the rules that other domains evaluate; a user's rule of the same id replaces them. */
export const SLA_RULE_ID = 'RULE_003';
export const SERVICE_DOWN_RULE_ID = 'RULE_004';
export const SERVICE_FLAPPING_RULE_ID = 'service_flapping';
/** Ids of alerts that other domains raise of themselves: no configuration holds such a rule, so none that is read ends its alerts. */
export const ON_CALL_GAP_RULE_ID = 'oncall_gap';
export const WATCHDOG_RULE_ID = 'nines/watchdog-silent';
export const NEXT_STEP_RULE_ID = 'nines/alert-without-next-step';
export const AUDIT_BROKEN_RULE_ID = 'audit_log_broken';
export const TOKEN_EXPIRY_RULE_ID = 'token_expires_soon';
const AUDIT_PREFIX = 'audit_';
/** Of what entries of the audit log amount to. */
export const auditRuleId = (alertname: `Audit${string}`): string => `${AUDIT_PREFIX}${alertname}`;
const RAISED: ReadonlySet<string> = new Set([
  ON_CALL_GAP_RULE_ID,
  WATCHDOG_RULE_ID,
  NEXT_STEP_RULE_ID,
  AUDIT_BROKEN_RULE_ID,
  TOKEN_EXPIRY_RULE_ID,
]);
/** Whether it is one of these. */
export const isRaisedElsewhere = (id: string): boolean => RAISED.has(id) || id.startsWith(`${AUDIT_PREFIX}Audit`);
/** Of the rule about rules that do not work. */
export const RULE_FAILING_ID = 'rule_failing';

/** Codes of refusals about saved rules. */
export const RULE_CODES = {
  notFound: 'rule_not_found',
  exists: 'rule_exists',
  duplicate: 'rule_duplicate',
  ownedElsewhere: 'rule_owned_elsewhere',
  tooMany: 'too_many_rules',
} as const;

export interface Rules {
  /** Told after each durable commit which series got samples, and which. Returns at once; evaluation follows on the next turn of the loop. */
  committed(refs: Uint32Array, committed: Committed): void;
  /** Told of each change of a service's state, for the shipped rule "service down". Resolves when the alert is durable. */
  serviceChanged(change: StateChange): Promise<void>;
  /** Hands on an evaluation that another domain made for a shipped rule, unless a user's rule of that id replaces it. */
  submit(evaluation: Evaluation): Promise<void>;
}
