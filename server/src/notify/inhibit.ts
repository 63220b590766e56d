/**
 * Inhibition: an alert is kept from people while another one fires that explains it. Source: alertmanager inhibit/inhibit.go.
 * What fires is kept here by the values of each rule's `equal` labels, so that a question takes one look per rule.
 */
import type { Matcher } from '@nines/base/matcher.ts';
import { formatMatcher } from '@nines/base/matcher-text.ts';
import type { AlertView } from '../alerting/contract.ts';
import type { InhibitRuleConfig } from './config.ts';
import { oldMatchers } from './route.ts';

type Labels = Readonly<Record<string, string>>;
/** An alert that fires and matches a rule's source side. */
export type Source = Pick<AlertView, 'id' | 'fingerprint' | 'alertname' | 'labels'>;
/** What keeps an alert from people, and the rule that says so. */
export type Inhibition = { readonly source: Source; readonly rule: string };
export type Inhibiting = (labels: Labels) => Inhibition | undefined;

type Rule = {
  readonly source: readonly Matcher[];
  readonly target: readonly Matcher[];
  readonly equal: readonly string[];
  /** `{alertname="NodeDown"} inhibits {severity="warning"} with equal node`. */
  readonly written: string;
};

const matchesAll = (matchers: readonly Matcher[], labels: Labels): boolean =>
  matchers.every(({ name, matches }) => matches(labels[name] ?? ''));

function ruleOf(config: InhibitRuleConfig): Rule {
  const source = [...oldMatchers(config.source_match, config.source_match_re), ...config.source_matchers.flat()];
  const target = [...oldMatchers(config.target_match, config.target_match_re), ...config.target_matchers.flat()];
  const braces = (matchers: readonly Matcher[]): string => `{${matchers.map(formatMatcher).join(', ')}}`;
  const equal = [...new Set(config.equal)].sort();
  const shared = equal.length === 0 ? '' : ` with equal ${equal.join(', ')}`;
  return { source, target, equal, written: `${braces(source)} inhibits ${braces(target)}${shared}` };
}

/** Sources with equal values of one rule's `equal` labels, by the alert's id. */
type Bucket = {
  readonly sources: Map<string, Source>;
  /** Those that the rule could inhibit too: they never inhibit an alert that is a source itself, and so not themselves. */
  readonly twoSided: Map<string, Source>;
};

/** The sources of every rule. */
class Sources {
  readonly #rules: readonly Rule[];
  readonly #buckets: readonly Map<string, Bucket>[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#buckets = rules.map(() => new Map());
  }

  /** Takes alerts as they are now: what fires is a source of the rules that it matches, everything else of none. */
  learn(alerts: Iterable<Source & Pick<AlertView, 'condition'>>): void {
    for (const alert of alerts) {
      this.#rules.forEach((rule, index) => {
        if (!matchesAll(rule.source, alert.labels)) return;
        if (alert.condition === 'firing') this.#put(index, alert);
        else this.#drop(index, alert);
      });
    }
  }

  has(labels: Labels): boolean {
    return this.#rules.some(({ source }) => matchesAll(source, labels));
  }

  find(labels: Labels, isGone: (id: string) => boolean): Inhibition | undefined {
    for (const [index, rule] of this.#rules.entries()) {
      if (!matchesAll(rule.target, labels)) continue;
      const bucket = this.#buckets[index]?.get(keyOf(rule, labels));
      if (bucket === undefined) continue;
      const excludesTwoSided = matchesAll(rule.source, labels);
      for (const sources of excludesTwoSided ? [bucket.sources] : [bucket.sources, bucket.twoSided]) {
        for (const source of sources.values()) if (!isGone(source.id)) return { source, rule: rule.written };
      }
    }
    return undefined;
  }

  #put(index: number, { id, fingerprint, alertname, labels }: Source): void {
    const [rule, buckets] = [this.#rules[index], this.#buckets[index]];
    if (rule === undefined || buckets === undefined) return;
    const key = keyOf(rule, labels);
    const bucket = buckets.get(key) ?? { sources: new Map(), twoSided: new Map() };
    (matchesAll(rule.target, labels) ? bucket.twoSided : bucket.sources).set(id, { id, fingerprint, alertname, labels });
    buckets.set(key, bucket);
  }

  #drop(index: number, { id, labels }: Source): void {
    const [rule, buckets] = [this.#rules[index], this.#buckets[index]];
    if (rule === undefined || buckets === undefined) return;
    const key = keyOf(rule, labels);
    const bucket = buckets.get(key);
    bucket?.sources.delete(id);
    bucket?.twoSided.delete(id);
    if (bucket !== undefined && bucket.sources.size + bucket.twoSided.size === 0) buckets.delete(key);
  }
}

const keyOf = ({ equal }: Rule, labels: Labels): string => JSON.stringify(equal.map((name) => labels[name] ?? ''));

/** Nothing is gone of what was learnt last. */
const nothingGone = (): boolean => false;

/** What inhibits what, now. It learns what was committed; what a transaction is about to change it is told beside the question. */
export class Inhibitor {
  #rules: readonly Rule[] = [];
  #written = '[]';
  #sources = new Sources([]);
  /** Groups that hold something back, by the alert that inhibits it. */
  readonly #waiting = new Map<string, Set<string>>();

  /** Rules in words, one by one. */
  static written(configs: readonly InhibitRuleConfig[]): readonly string[] {
    return configs.map((config) => ruleOf(config).written);
  }

  /** Takes new rules, with what is open now; says whether they changed. */
  configure(configs: readonly InhibitRuleConfig[], open: Iterable<AlertView>): boolean {
    const rules = configs.map(ruleOf);
    const written = JSON.stringify(rules.map((rule) => rule.written));
    const changed = written !== this.#written;
    [this.#rules, this.#written, this.#sources] = [rules, written, new Sources(rules)];
    if (changed) this.#waiting.clear();
    this.#sources.learn(open);
    return changed;
  }

  /** What was committed. */
  learn(alerts: readonly AlertView[]): void {
    if (this.#rules.length === 0) return;
    this.#sources.learn(alerts);
    for (const alert of alerts) if (alert.condition !== 'firing') this.#waiting.delete(alert.id);
  }

  readonly inhibiting: Inhibiting = (labels) => this.#sources.find(labels, nothingGone);

  /** The answer as it will be when these alerts, which are not committed yet, are as they stand here. */
  after(changed: readonly AlertView[]): Inhibiting {
    if (this.#rules.length === 0 || !changed.some(({ labels }) => this.#sources.has(labels))) return this.inhibiting;
    const coming = new Sources(this.#rules);
    coming.learn(changed);
    const gone = new Set(changed.filter(({ condition }) => condition !== 'firing').map(({ id }) => id));
    return (labels) => coming.find(labels, nothingGone) ?? this.#sources.find(labels, (id) => gone.has(id));
  }

  /** This group holds something back because of that alert. */
  waits(groupId: string, sourceId: string): void {
    const groups = this.#waiting.get(sourceId) ?? new Set();
    this.#waiting.set(sourceId, groups.add(groupId));
  }

  /** The groups that hold something back because of one of these alerts. */
  waitingFor(sourceIds: readonly string[]): readonly string[] {
    return [...new Set(sourceIds.flatMap((id) => [...(this.#waiting.get(id) ?? [])]))];
  }
}
