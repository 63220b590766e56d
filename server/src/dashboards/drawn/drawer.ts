import { formatDuration, parseDuration } from '@nines/base/duration.ts';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { labelsToRecord } from '@nines/model/labels.ts';
import type { Scope } from '@nines/model/storage.ts';
import { Gate } from '../../platform/gate.ts';
import type { DashboardSpec } from '../model.ts';
import { type Given, valuesOf } from './ask-values.ts';
import { placesOf } from './places.ts';
import type { SetPaper } from './press.ts';
import { shownOf } from './show.ts';
import type { Shown } from './shown.ts';
import { Reading, type Reads, type Sources } from './sources.ts';

/** Dashboards that are read at a time for drawings, and how many wait for their turn. */
const MOST_AT_A_TIME = 2;
const MOST_WAITING = 50;
const LONGEST_READ_MS = 30_000;
const RETRY_AFTER_MS = 2_000;
/** Values of all panels together: drawings for pages are made at one go, and nothing else is done meanwhile. */
const MOST_VALUES = 150_000;
/** Paper is set in a thread of its own; this is what its memory holds. */
const MOST_VALUES_ON_PAPER = 600_000;
const TOO_LARGE: Shown = { kind: 'nothing', why: 'The dashboard is too large to be drawn whole.' };

export type DrawerDeps = Sources & {
  readonly clock: Pick<Clock, 'now' | 'after'>;
  readonly yieldNow: () => Promise<void> | undefined;
  readonly paper: SetPaper;
};

export type DrawAsk = {
  readonly given: Given;
  readonly scope: Scope;
  readonly reads: Reads;
  /** Of one panel only. */
  readonly panel?: string | undefined;
  /** How far back; the dashboard's own when absent. */
  readonly range?: string | undefined;
  readonly span?: { readonly fromMs: number; readonly toMs: number } | undefined;
  /** Whoever looks is nobody: what fails is not explained. */
  readonly isPublic?: boolean;
  /** Values of all panels together; what comes after them says that it is too large. */
  readonly mostValues?: number;
};

export type DrawnBoard = {
  readonly shown: ReadonlyMap<string, Shown>;
  readonly fromMs: number;
  readonly toMs: number;
  /** `host = a + b`, for people. */
  readonly chosen: string;
};

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Reads and draws dashboards on the server: for pages of others and for paper. */
export class Drawer {
  readonly #deps: DrawerDeps;
  readonly #gate = new Gate(MOST_AT_A_TIME, MOST_WAITING);

  constructor(deps: DrawerDeps) {
    this.#deps = deps;
  }

  /** What each panel shows now. `AppError` `too_many_drawings`, `unknown_variable`. */
  async read(spec: DashboardSpec, ask: DrawAsk): Promise<DrawnBoard> {
    const { clock, yieldNow } = this.#deps;
    const place = await this.#gate.enter();
    if (place === undefined)
      throw new AppError('unavailable', 'too_many_drawings', 'many dashboards are being drawn; try again in a moment', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    using _place = place;
    const controller = new AbortController();
    using _timer = clock.after(LONGEST_READ_MS, () => controller.abort(new Error(`longer than ${formatDuration(LONGEST_READ_MS)}`)));
    const span = ask.span ?? spanBefore(clock.now(), ask.range ?? spec.range);
    const { scope, reads } = ask;
    // Without values its panels have nothing to show; the others do.
    const labelValues = (label: string, match: string) =>
      this.#labelValues(label, match, { scope, atMs: span.toMs, signal: controller.signal }).catch(() => []);
    const values = await valuesOf(spec, ask.given, labelValues);
    const reading = new Reading(this.#deps, { ...span, values, scope, reads, signal: controller.signal, isPublic: ask.isPublic === true });
    const shown = new Map<string, Shown>();
    let drawn = 0;
    for (const section of placesOf(spec))
      for (const { panel: id } of section.places) {
        const panel = spec.panels[id];
        if (panel === undefined || (ask.panel !== undefined && ask.panel !== id)) continue;
        const one = drawn > (ask.mostValues ?? MOST_VALUES) ? TOO_LARGE : await shownOf(panel, reading);
        drawn += valuesIn(one);
        shown.set(id, one);
        await yieldNow();
      }
    const chosen = spec.variables
      .filter(({ hidden }) => !hidden)
      .map(({ name, label }) => {
        const one = values.get(name);
        return `${label || name} = ${one?.all === true ? 'all' : (one?.values.join(' + ') ?? '')}`;
      })
      .join(', ');
    return { shown, ...span, chosen };
  }

  /** The dashboard as PDF, for somebody. `AppError` as of `read`, and `too_busy`, `too_slow`, `broke_off`. */
  async paper(spec: DashboardSpec, ask: DrawAsk, whose: string): Promise<Uint8Array> {
    const board = await this.read(spec, { ...ask, mostValues: MOST_VALUES_ON_PAPER });
    await this.#deps.yieldNow();
    return this.#deps.paper({ spec, ...board, madeAtMs: this.#deps.clock.now() }, whose);
  }

  async #labelValues(
    label: string,
    match: string,
    { scope, atMs, signal }: { scope: Scope; atMs: number; signal: AbortSignal },
  ): Promise<readonly string[]> {
    if (match === '' || !LABEL.test(label)) return [];
    const found = await this.#deps.query.instant(`group by (${label}) (${match})`, atMs, { scope, signal });
    return [...new Set(found.flatMap(({ labels }) => labelsToRecord(labels)[label] ?? []))].sort();
  }
}

/** How many values are drawn one by one. */
function valuesIn(shown: Shown): number {
  if (shown.kind === 'lines') return shown.lines.reduce((sum, { points }) => sum + points.length, 0);
  if (shown.kind === 'cells') return shown.rows.length * shown.columns.length;
  return shown.kind === 'strips' ? shown.strips.reduce((sum, { intervals }) => sum + intervals.length, 0) : 0;
}

function spanBefore(toMs: number, range: string): { readonly fromMs: number; readonly toMs: number } {
  const parsed = parseDuration(range);
  if (!parsed.ok) throw new AppError('bad_input', 'bad_range', parsed.error, { field: 'range' });
  return { fromMs: toMs - parsed.value, toMs };
}
