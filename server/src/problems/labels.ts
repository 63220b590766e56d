/**
 * Which labels two alerts may share to belong together, and how much that says. A label is specific when its value names one
 * thing (a host, a queue), not a kind of thing (`env`, `job`): how often a value occurs in a storm says nothing about that, how many
 * values its name takes does.
 */

/** Values that say nothing about what broke, however many there are. */
const GENERIC = new Set(
  `alertname alertgroup severity priority env environment stage team owner job monitor prometheus replica kind check tier service rule code method
  status le quantile location device mountpoint fstype mode cpu interface version path handler`.split(/\s+/),
);
const HOST = new Set('instance host hostname node nodename server machine vm'.split(' '));
const PLACE = new Set('zone availability_zone datacenter dc region site namespace'.split(' '));
const GROUP = new Set('rack switch cluster database db datname queue topic shard pool partition deployment statefulset cronjob'.split(' '));
const POD = new Set('pod container_id volume persistentvolumeclaim'.split(' '));

const WEIGHT = { host: 0.85, pod: 0.8, group: 0.65, many: 0.55, place: 0.3, few: 0.2 } as const;

/** From so many values on an unknown label is taken to name things. */
const MANY_VALUES = 10;
/** Names whose values are counted, labels looked at per alert, and the length of values that are: each bounds a hostile sender. */
const MAX_NAMES = 1_000;
const MAX_LABELS = 24;
const MAX_VALUE_CHARS = 200;

/** One label that may link alerts. `key` is the same for alerts that share it; hosts are one whatever label names them. */
export type Link = { readonly key: string; readonly weight: number };

/** What was learned of labels from the alerts seen so far. */
export class LabelKnowledge {
  readonly #values = new Map<string, Set<string> | 'many'>();

  /** The labels of an alert that can link it, the most specific first. */
  linksOf(labels: Readonly<Record<string, string>>): readonly Link[] {
    const links: Link[] = [];
    let seen = 0;
    for (const [name, value] of Object.entries(labels)) {
      if (++seen > MAX_LABELS) break;
      if (GENERIC.has(name) || name.startsWith('__') || value === '' || value.length > MAX_VALUE_CHARS) continue;
      const key = HOST.has(name) ? `host=${hostOf(value)}` : `${name}=${value}`;
      if (!links.some((link) => link.key === key)) links.push({ key, weight: this.#weightOf(name, value) });
    }
    return links.sort((a, b) => b.weight - a.weight || (a.key < b.key ? -1 : 1));
  }

  #weightOf(name: string, value: string): number {
    if (HOST.has(name)) return WEIGHT.host;
    if (POD.has(name)) return WEIGHT.pod;
    if (GROUP.has(name)) return WEIGHT.group;
    if (PLACE.has(name)) return WEIGHT.place;
    const known = this.#values.get(name);
    if (known === 'many') return WEIGHT.many;
    if (known === undefined) {
      if (this.#values.size < MAX_NAMES) this.#values.set(name, new Set([value]));
      return WEIGHT.few;
    }
    known.add(value);
    if (known.size < MANY_VALUES) return WEIGHT.few;
    this.#values.set(name, 'many');
    return WEIGHT.many;
  }
}

/** The host of `host:port`, `https://host/path` or `[v6]:port`: two exporters on one machine are about one machine. */
function hostOf(instance: string): string {
  const bare = instance.replace(/^[a-z]+:\/\//, '').replace(/[/?#].*$/, '');
  return /^\[[^\]]+\](:\d+)?$/.test(bare) || bare.split(':').length === 2 ? bare.replace(/:\d+$/, '') : bare;
}
