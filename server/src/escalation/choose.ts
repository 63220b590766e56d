/** Which policy takes an alert, and which stakeholders hear of it. Pure. */
import type { Matcher } from '@nines/base/matcher.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { AlertView, Severity } from '../alerting/contract.ts';
import { type EscalationConfig, NO_POLICY, type PolicySpec, SHIPPED_IDS, type StakeholderSpec, type Target } from './contract.ts';
import { type LadderPolicy, nextOpenMs } from './evaluate.ts';

type ShippedId = (typeof SHIPPED_IDS)[number];

/** When the levels of the shipped policies are due. */
const SHIPPED: Readonly<Record<ShippedId, { readonly minutes: readonly number[]; readonly repeat: PolicySpec['repeat'] }>> = {
  default: { minutes: [0, 15, 30, 60], repeat: { times: 2, every: 60 * MINUTE_MS } },
  critical: { minutes: [0, 5, 10, 15], repeat: { times: 4, every: 30 * MINUTE_MS } },
  emergency: { minutes: [0], repeat: { times: 12, every: 10 * MINUTE_MS } },
};

/** The shipped policies, which tell whom `contacts` names; without contacts they tell nobody. An emergency tells all of them and every channel at once. */
export function shippedPolicies(contacts: EscalationConfig['contacts']): readonly PolicySpec[] {
  const at = (index: number): readonly Target[] => contacts[Math.min(index, contacts.length - 1)] ?? [];
  const everybody: readonly Target[] = contacts.length === 0 ? [] : [{ kind: 'channels' }, ...contacts.flat()];
  return SHIPPED_IDS.map((id) => ({
    id,
    name: id,
    levels: SHIPPED[id].minutes.map((minutes, index) => ({
      after: minutes * MINUTE_MS,
      targets: id === 'emergency' ? everybody : at(index),
    })),
    repeat: SHIPPED[id].repeat,
  }));
}

export const hasTargets = ({ levels }: Pick<PolicySpec, 'levels'>): boolean => levels.some(({ targets }) => targets.length > 0);

export type Choosing = {
  /** What the routes that take the alert say, in their order. */
  readonly routed: readonly string[];
  readonly severities: EscalationConfig['severities'];
  readonly policies: ReadonlyMap<string, PolicySpec>;
  readonly nowMs: number;
};
export type Chosen = { readonly policy: LadderPolicy; readonly because: string };

/** The policy of an alert and why; undefined when none takes it. */
export function choosePolicy({ severity }: Pick<AlertView, 'severity'>, asked: Choosing): Chosen | undefined {
  // A policy that is gone leaves the alert to its severity.
  const route = asked.routed.find((id) => id === NO_POLICY || asked.policies.has(id));
  const id = route ?? asked.severities[severity];
  if (id === NO_POLICY) return undefined;
  const found = standIn(id, asked.policies);
  if (found === undefined) return undefined;
  const because = [route === undefined ? `severity ${severity}` : 'its route'];
  if (found.id !== id) because.push(`"${id}" tells nobody`);
  return withinHours(found, because, asked);
}

/** A shipped policy that tells nobody is stood in for by the less urgent one before it. */
function standIn(id: string, policies: ReadonlyMap<string, PolicySpec>): PolicySpec | undefined {
  const own = policies.get(id);
  if (own !== undefined && hasTargets(own)) return own;
  const before = SHIPPED_IDS[SHIPPED_IDS.findIndex((one) => one === id) - 1];
  return before === undefined ? undefined : standIn(before, policies);
}

function withinHours(policy: PolicySpec, because: readonly string[], { policies, nowMs }: Choosing): Chosen {
  const { hours, outside } = policy;
  const isOpen = hours === undefined || nextOpenMs(hours, nowMs) <= nowMs;
  const other = typeof outside === 'object' ? policies.get(outside.policy) : undefined;
  if (isOpen || other === undefined) return { policy: ladderOf(policy), because: because.join(', ') };
  // One step aside, not a walk: the other one's own hours make its levels wait.
  return { policy: ladderOf(other), because: [...because, `outside of the hours of "${policy.name}"`].join(', ') };
}

function ladderOf({ id, name, levels, repeat, hours, outside }: PolicySpec): LadderPolicy {
  const waits = hours !== undefined && outside === 'wait' ? { hours } : {};
  return { id, name, levels, repeat, ...waits };
}

/** The key of a stakeholder route among an alert's ladders; `policy` is that of its policy. */
export const POLICY_LADDER = 'policy';
export const stakeholderLadder = (id: string): string => `stakeholder:${id}`;

export function hears({ severities, matchers }: StakeholderSpec, alert: Pick<AlertView, 'severity' | 'labels'>): boolean {
  return severities.includes(alert.severity) && matchesAll(matchers, alert.labels);
}
export const matchesAll = (matchers: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean =>
  matchers.every(({ name, matches }) => matches(labels[name] ?? ''));

/** A stakeholder route as a ladder of one level. */
export const stakeholderPolicy = ({ id, audience, after, targets, title, text }: StakeholderSpec): LadderPolicy => ({
  id,
  name: `${audience} stakeholders`,
  levels: [{ after, targets }],
  repeat: { times: 0, every: 0 },
  audience,
  ...(title === undefined ? {} : { title }),
  ...(text === undefined ? {} : { text }),
});

/** How urgent severities are, for asking whether one rose. */
const ORDER: readonly Severity[] = ['info', 'warning', 'critical', 'emergency'];
export const isWorse = (a: Severity, b: Severity): boolean => ORDER.indexOf(a) > ORDER.indexOf(b);
