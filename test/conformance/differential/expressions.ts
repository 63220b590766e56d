import { BUCKETS, COUNTERS, GAUGES, LABELS, STRANGE } from './data.ts';
import type { Random } from './random.ts';

/**
 * Random PromQL in the grammar that Prometheus 2.42 and 3 share. Some of it is ill-typed or fails: errors must agree too. Left out is
 * what depends on the order in which series are stored (ties of `topk`) and what turns the last bit of a float into text.
 */
type Type = 'vector' | 'scalar' | 'matrix' | 'string';
export type Node = { readonly type: Type; readonly parts: readonly (string | Node)[] };

export const textOf = ({ parts }: Node): string => parts.map((part) => (typeof part === 'string' ? part : textOf(part))).join('');

const words = (text: string): readonly string[] => text.split(/\s+/);
const ROLLUPS = words(`rate increase irate delta idelta deriv changes resets absent_over_time present_over_time avg_over_time min_over_time
  max_over_time sum_over_time count_over_time last_over_time stddev_over_time stdvar_over_time`);
const MATHS = words(`abs ceil floor exp ln log2 log10 sqrt sgn round deg rad sort sort_desc absent sin cos tan asin acos atan sinh cosh tanh
  asinh acosh atanh timestamp minute hour day_of_week day_of_month day_of_year days_in_month month year`);
const AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];
const ARITHMETIC = ['+', '-', '*', '/', '%', '^', 'atan2'];
const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];
const SETS = ['and', 'or', 'unless'];
const NUMBERS = ['0', '1', '2', '0.5', '-3', '7.25', '0x10', '1e3', '.9', 'NaN', 'Inf', '-Inf'];
const RANGES = ['20s', '1m', '2m', '5m', '7m30s', '10m', '500s'];

const node = (type: Type, ...parts: readonly (string | Node)[]): Node => ({ type, parts });

/** Makes expressions of one random source. `@` times are absolute: `aroundSeconds` says where the data lie. */
export class Expressions {
  readonly #random: Random;
  readonly #aroundSeconds: number;
  #subqueries = 0;

  constructor(random: Random, aroundSeconds: number) {
    this.#random = random;
    this.#aroundSeconds = aroundSeconds;
  }

  any(depth: number): Node {
    const kind = this.#random.below(20);
    if (kind === 0) return this.#scalar(depth);
    if (kind === 1) return this.#matrix(depth);
    return this.#vector(depth);
  }

  #vector(depth: number): Node {
    const random = this.#random;
    // An argument of the wrong type: both must refuse it alike.
    if (random.chance(0.004)) return this.#matrix(depth);
    if (random.chance(0.004)) return node('vector', '"text"');
    if (depth <= 0 || random.chance(0.08)) return this.#selector();
    const kinds: readonly (() => Node)[] = [
      () => this.#rollup(depth),
      () => this.#rollup(depth),
      () => this.#rollup(depth),
      () => node('vector', random.pick(MATHS), '(', this.#vector(depth - 1), ')'),
      () => this.#aggregate(depth),
      () => this.#aggregate(depth),
      () => this.#choice(depth),
      () => this.#binary(depth),
      () => this.#binary(depth),
      () => this.#binary(depth),
      () => node('vector', random.pick(['-', '+']), this.#operand(depth - 1)),
      () => node('vector', '(', this.#vector(depth - 1), ')'),
      () => this.#bounded(depth),
      () => this.#labelled(depth),
      () => node('vector', 'vector(', this.#scalar(depth - 1), ')'),
      () => node('vector', 'histogram_quantile(', this.#scalar(depth - 2), ', ', this.#buckets(), ')'),
    ];
    return random.pick(kinds)();
  }

  #scalar(depth: number): Node {
    const random = this.#random;
    if (depth <= 0 || random.chance(0.6)) return node('scalar', random.pick(NUMBERS));
    const kinds: readonly (() => Node)[] = [
      () => node('scalar', random.pick(['time()', 'pi()'])),
      () => node('scalar', 'scalar(', this.#vector(depth - 1), ')'),
      () => node('scalar', '(', this.#scalar(depth - 1), ' ', random.pick(ARITHMETIC), ' ', this.#scalar(depth - 1), ')'),
      () => node('scalar', '(', this.#scalar(depth - 1), ' ', random.pick(COMPARISONS), ' bool ', this.#scalar(depth - 1), ')'),
      () => node('scalar', '-', this.#scalar(depth - 1)),
    ];
    return random.pick(kinds)();
  }

  #matrix(depth: number): Node {
    const random = this.#random;
    if (depth <= 1 || random.chance(0.65)) return node('matrix', this.#plain(), `[${random.pick(RANGES)}]`, this.#modifiers());
    // One within another steps on whole seconds like the outer: seven seconds aside, no step falls on the end of its range.
    const aside = this.#subqueries > 0 ? ' offset 7s' : random.chance(0.2) ? ' offset 41s' : '';
    this.#subqueries++;
    const inner = this.#vector(depth - 1);
    this.#subqueries--;
    const step = random.pick(['30s', '1m', '90s', '']);
    return node('matrix', '(', inner, `)[${random.pick(['2m', '5m', '9m'])}:${step}]${aside}`);
  }

  #plain(names: readonly string[] = [...COUNTERS, ...GAUGES, ...GAUGES, ...STRANGE]): string {
    const random = this.#random;
    const matchers = LABELS.filter(() => random.chance(0.15)).map((label) => `${label}${this.#condition()}`);
    if (random.chance(0.05)) return `{__name__=~"${random.pick(['t.*|flag', 'requests_total|bytes_.+', 'nothing', '.+_length'])}"}`;
    return random.pick(names) + (matchers.length === 0 ? '' : `{${matchers.join(',')}}`);
  }

  #condition(): string {
    const value = this.#random.pick(['a:9100', 'b:9100', 'user', 'idle', 'x', '']);
    const pattern = this.#random.pick(['.*', '.+', 'a.*|user', '[a-m:0-9]+', 'x|y|idle', '', '(?i:USER)', 'b:\\\\d{4}']);
    return this.#random.pick([`="${value}"`, `!="${value}"`, `=~"${pattern}"`, `!~"${pattern}"`]);
  }

  #modifiers(): string {
    const random = this.#random;
    const offset = random.chance(0.12) ? ` offset ${random.pick(['1m', '130s', '-1m', '-7m', '1h'])}` : '';
    const instant = (this.#aroundSeconds - random.below(1500) + 0.3).toFixed(1);
    const at = random.chance(0.08) ? ` @ ${random.pick([instant, instant, 'start()', 'end()'])}` : '';
    return random.chance(0.5) ? at + offset : offset + at;
  }

  #selector(names?: readonly string[]): Node {
    return node('vector', this.#plain(names) + this.#modifiers());
  }

  #rollup(depth: number): Node {
    const random = this.#random;
    const kind = random.below(12);
    if (kind === 0) return node('vector', 'quantile_over_time(', this.#scalar(depth - 2), ', ', this.#matrix(depth), ')');
    if (kind === 1) return node('vector', 'predict_linear(', this.#matrix(depth), ', ', this.#scalar(depth - 2), ')');
    return node('vector', random.pick(ROLLUPS), '(', this.#matrix(depth), ')');
  }

  #aggregate(depth: number): Node {
    const op = this.#random.pick(AGGREGATIONS);
    return this.#grouped(op, [this.#vector(depth - 1)]);
  }

  #grouped(op: string, args: readonly (string | Node)[]): Node {
    const random = this.#random;
    const labels = random.some([...LABELS, '__name__'], 0.35).join(', ');
    const grouping = random.chance(0.3) ? '' : ` ${random.pick(['by', 'without'])} (${labels}) `;
    return random.chance(0.5) ? node('vector', op, grouping, '(', ...args, ')') : node('vector', op, '(', ...args, ')', grouping);
  }

  /** Aggregations whose answer hangs on the exact value of their operand. */
  #choice(depth: number): Node {
    const random = this.#random;
    const k = this.#scalar(depth - 2);
    switch (random.below(3)) {
      case 0:
        return this.#grouped('quantile', [k, ', ', this.#vector(depth - 1)]);
      case 1: {
        // Comparing keeps values, and so keeps them distinct.
        const distinct = random.chance(0.5) ? this.#selector(GAUGES) : node('vector', '(', this.#selector(GAUGES), ` > 0)`);
        return this.#grouped(random.pick(['topk', 'bottomk']), [k, ', ', distinct]);
      }
      default:
        return this.#grouped('count_values', ['"value", ', this.#selector([...GAUGES, ...STRANGE])]);
    }
  }

  #operand(depth: number): Node {
    const random = this.#random;
    const inner = random.chance(0.2) ? this.#scalar(depth) : this.#vector(depth);
    return random.chance(0.3) ? inner : node(inner.type, '(', inner, ')');
  }

  #binary(depth: number): Node {
    const random = this.#random;
    const op = random.pick([...ARITHMETIC, ...COMPARISONS, ...SETS]);
    const bool = COMPARISONS.includes(op) && random.chance(0.4) ? ' bool' : '';
    const [on, rest] = [random.some(LABELS, 0.4), random.some(LABELS, 0.2)];
    const matching = random.chance(0.5) ? '' : ` ${random.pick(['on', 'ignoring'])} (${on.join(', ')})`;
    const grouped = matching !== '' && !SETS.includes(op) && random.chance(0.4);
    const group = grouped ? ` ${random.pick(['group_left', 'group_right'])} (${rest.filter((each) => !on.includes(each)).join(', ')})` : '';
    return node('vector', this.#operand(depth - 1), ` ${op}${bool}${matching}${group} `, this.#operand(depth - 1));
  }

  #bounded(depth: number): Node {
    const random = this.#random;
    if (random.chance(0.3))
      return node('vector', 'clamp(', this.#vector(depth - 1), ', ', this.#scalar(depth - 2), ', ', this.#scalar(depth - 2), ')');
    const name = random.pick(['clamp_min', 'clamp_max', 'round']);
    return node('vector', name, '(', this.#vector(depth - 1), ', ', this.#scalar(depth - 2), ')');
  }

  #labelled(depth: number): Node {
    const random = this.#random;
    const [to, from, other] = [random.pick([...LABELS, 'new']), random.pick(LABELS), random.pick(LABELS)];
    if (random.chance(0.4)) return node('vector', 'label_join(', this.#vector(depth - 1), `, "${to}", "-", "${from}", "${other}")`);
    const [replacement, pattern] = random.pick([
      ['x-$1', '(.).*'],
      ['$2${1}', '([a-z]+):?(.*)'],
      ['', '.*'],
      ['$name', '(?P<name>[a-z]+).*'],
      ['same', 'nothing'],
    ] as const);
    return node('vector', 'label_replace(', this.#vector(depth - 1), `, "${to}", "${replacement}", "${from}", "${pattern}")`);
  }

  #buckets(): Node {
    const random = this.#random;
    const raw = node('vector', `rate(${BUCKETS}[${random.pick(['1m', '5m', '10m'])}])`);
    return random.chance(0.5) ? raw : node('vector', 'sum by (le) (', raw, ')');
  }
}

const childrenOf = ({ parts }: Node): readonly Node[] => parts.filter((part): part is Node => typeof part !== 'string');

/** Simpler expressions to try when one fails, the simplest first. */
export function* simpler(from: Node): Generator<Node> {
  const descendants = childrenOf(from).flatMap((child) => [child, ...childrenOf(child)]);
  yield* descendants.filter(({ type }) => type === from.type || type === 'vector' || type === 'scalar');
  for (const [i, part] of from.parts.entries()) {
    if (typeof part === 'string') continue;
    const plain = part.type === 'scalar' ? '1' : part.type === 'matrix' ? `${GAUGES[0]}[5m]` : GAUGES[0];
    const others: Node[] = textOf(part) === plain || textOf(part).length <= plain.length ? [] : [node(part.type, plain)];
    others.push(...[...simpler(part)].filter(({ type }) => type === part.type));
    for (const other of others) yield { ...from, parts: from.parts.map((each, at) => (at === i ? other : each)) };
  }
}
