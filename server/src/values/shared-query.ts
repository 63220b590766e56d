/** One query as all see it who follow it: who reads it decides nothing but whose series it sees. */
import { messageOf } from '@nines/base/errors.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { floatsOf } from '@nines/model/float-samples.ts';
import type { Queryable, Scope } from '@nines/model/storage.ts';
import type { Expr } from '@nines/promql/ast.ts';
import type { Engine } from '@nines/promql/engine.ts';
import type { Value } from '@nines/promql/value.ts';
import { MAX_SERIES } from './contract.ts';
import { Picture, type Seen } from './picture.ts';

/** How far back points are looked at again: samples come late by a batch of remote write or an agent's turn. */
const TAIL_MS = 30 * SECOND_MS;
const LEAST_TAIL_POINTS = 2;
const MOST_TAIL_POINTS = 30;
/** How the errors of queries end that are for asking only. */
const UNFIT = 'cannot be followed';
/** Arrivals closer than this are one. */
const ARRIVAL_GAP_MS = SECOND_MS;

export type Asked = { readonly expr: Expr; readonly stepMs: number | null; readonly scope: Scope };
type Source = { readonly engine: Engine; readonly queryable: Queryable; readonly signal: AbortSignal };

export class SharedQuery {
  readonly id: string;
  /** Text, step and scope: who has the same shares it. */
  readonly identity: string;
  readonly selectors: readonly (readonly Matcher[])[];
  readonly #asked: Asked;
  readonly #picture = new Picture();
  #error: string | undefined;
  #atMs: number | undefined;
  #heardAtMs: number | null = null;
  #everyMs: number | null = null;
  #whole: string | undefined;
  /** How many keys of streams stand for it. */
  followers = 0;
  running = false;
  /** Samples arrived while it ran. */
  woken = false;
  /** On the monotonic clock: when it is evaluated next, and not before when. */
  dueMs = 0;
  restUntilMs = 0;
  /** When the first samples arrived that no evaluation has seen, on the monotonic clock. */
  arrivedMs: number | undefined;

  constructor(id: string, identity: string, asked: Asked, selectors: readonly (readonly Matcher[])[]) {
    this.id = id;
    this.identity = identity;
    this.selectors = selectors;
    this.#asked = asked;
  }

  /** Whether there is anything to tell. */
  get isKnown(): boolean {
    return this.#atMs !== undefined || this.#error !== undefined;
  }

  /** Whether the last evaluation gave nothing. */
  get isFailing(): boolean {
    return this.#error !== undefined;
  }

  /** Samples arrived that it reads. */
  heard(atMs: number): void {
    const gapMs = this.#heardAtMs === null ? 0 : atMs - this.#heardAtMs;
    if (gapMs >= ARRIVAL_GAP_MS) this.#everyMs = gapMs;
    this.#heardAtMs = atMs;
    this.#whole = undefined;
  }

  /** After how long the next point of its grid can be computed. */
  nextPointMs(nowMs: number): number {
    const { stepMs } = this.#asked;
    return stepMs === null ? Number.POSITIVE_INFINITY : stepMs - (nowMs % stepMs);
  }

  /** Evaluates it and tells what changed, as an item for those who know it; undefined when there is nothing to tell. */
  async evaluate(nowMs: number, source: Source): Promise<string | undefined> {
    const found = await this.#look(nowMs, source).catch((thrown: unknown) => messageOf(thrown));
    this.#whole = undefined;
    if (typeof found === 'string') {
      const again = found === this.#error;
      this.#error = found;
      return again ? undefined : `{"query":"${this.id}"${this.#fault()}}`;
    }
    this.#error = undefined;
    this.#atMs = found.atMs;
    const changes = this.#picture.take(found);
    return `{"query":"${this.id}"${this.#times()}${changes}}`;
  }

  /** All that is known, as the first item for `key`. */
  whole(key: string): string {
    this.#whole ??= `,"start":true,"query":"${this.id}"${this.#times()}${this.#picture.whole()}${this.#fault()}}`;
    return `{"key":${JSON.stringify(key)}${this.#whole}`;
  }

  #fault(): string {
    if (this.#error === undefined) return '';
    return `,"error":${JSON.stringify(this.#error)}${this.#error.endsWith(UNFIT) ? ',"unfit":true' : ''}`;
  }

  #times(): string {
    const at = this.#atMs === undefined ? '' : `,"at_ms":${this.#atMs}`;
    return `${at},"heard_at_ms":${this.#heardAtMs},"every_ms":${this.#everyMs}`;
  }

  /** What is to be seen now, or why nothing is. */
  async #look(atMs: number, { engine, queryable, signal }: Source): Promise<Seen | string> {
    const { expr, stepMs, scope } = this.#asked;
    const found = await engine.instant(expr, { queryable, atMs, scope, signal });
    if (!found.ok) return found.error.message;
    const now = elementsOf(found.value.value);
    if (now === undefined) return `it gives a ${found.value.value.kind}, which ${UNFIT}`;
    if (stepMs === null) return now.length > MAX_SERIES ? tooWide(now.length) : { atMs, now, tail: null };
    const endMs = atMs - (atMs % stepMs);
    const points = Math.min(MOST_TAIL_POINTS, Math.max(LEAST_TAIL_POINTS, Math.ceil(TAIL_MS / stepMs)));
    const startMs = endMs - (points - 1) * stepMs;
    const tail = await engine.range(expr, { queryable, startMs, endMs, stepMs, scope, signal });
    if (!tail.ok) return tail.error.message;
    const series = tail.value.value.series.map(floatsOf);
    const most = Math.max(now.length, series.length);
    return most > MAX_SERIES ? tooWide(most) : { atMs, now, tail: { fromMs: startMs, series } };
  }
}

const tooWide = (series: number): string => `it gives ${series} series; a query of more than ${MAX_SERIES} ${UNFIT}`;

function elementsOf(value: Value): Seen['now'] | undefined {
  if (value.kind === 'scalar') return [{ labels: [], value: value.value }];
  return value.kind === 'vector' ? value.elements.filter(({ histogram }) => histogram === undefined) : undefined;
}
