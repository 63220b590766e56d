/**
 * What all tabs of this browser follow, held by the tab that listens to the server: it follows each query once, and a tab that comes later is
 * told what is known. Knows no channel and no connection.
 */
import { type Asked, identityOf } from './followed.ts';
import { LivePicture, type ValueItem } from './live-picture.ts';
import { backoffMs } from './live-state.ts';
import { t } from '../language/t.ts';

export type FollowAnswer = {
  readonly queries: readonly { readonly key: string; readonly query: string | null; readonly error: { readonly message: string } | null }[];
};
export type Wanted = { readonly key: string; readonly expr: string; readonly step_ms: number | null };
/** What tabs are told of a query. */
export type Tidings = readonly { readonly identity: string; readonly item: ValueItem }[];

type DeskDeps = {
  /** Tells the server what is followed; rejects with a sentence for people when it refuses. */
  readonly send: (queries: readonly Wanted[]) => Promise<FollowAnswer>;
  /** To one tab, or to all. */
  readonly tell: (tidings: Tidings, tab?: string) => void;
  readonly now: () => number;
  readonly later: (run: () => void, delayMs: number) => void;
};

/** Tabs say every ten seconds what they want; one that fell silent wants nothing. */
const SILENT_MS = 35_000;
/** Panels of a page come together. */
const GATHER_MS = 40;
/** What a connection follows at its beginning, as it is sent. */
const NOTHING = '[]';
/** As the server has it. */
const MOST = 200;

type Line = { readonly key: string; readonly asked: Asked; picture: LivePicture; refused: string | null };

export class Desk {
  readonly #deps: DeskDeps;
  readonly #tabs = new Map<string, { readonly wants: ReadonlySet<string>; readonly heardMs: number }>();
  readonly #lines = new Map<string, Line>();
  /** By the server's name of a query. */
  #identities = new Map<string, string>();
  #keys = 0;
  #sent = NOTHING;
  #due = false;
  #sending = false;
  #open = false;
  #tries = 0;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
  }

  /** What a tab follows from now on; none when it goes or is not seen. */
  wants(tab: string, asked: readonly Asked[]): void {
    const before = this.#tabs.get(tab)?.wants;
    const wants = new Set(asked.map(identityOf));
    if (wants.size === 0) this.#tabs.delete(tab);
    else this.#tabs.set(tab, { wants, heardMs: this.#deps.now() });
    for (const [other, { heardMs }] of this.#tabs) if (this.#deps.now() - heardMs > SILENT_MS) this.#tabs.delete(other);
    const known = asked.flatMap((one) => {
      const identity = identityOf(one);
      const line = this.#lines.get(identity);
      if (line === undefined) {
        this.#lines.set(identity, { key: `k${++this.#keys}`, asked: one, picture: new LivePicture(), refused: null });
        return [];
      }
      if (before?.has(identity) === true || (line.picture.version === 0 && line.refused === null)) return [];
      return [{ identity, item: line.refused === null ? line.picture.whole() : { error: line.refused, unfit: true } }];
    });
    if (known.length > 0) this.#deps.tell(known, tab);
    const all = new Set([...this.#tabs.values()].flatMap((one) => [...one.wants]));
    for (const identity of this.#lines.keys()) if (!all.has(identity)) this.#lines.delete(identity);
    this.#soon(GATHER_MS);
  }

  /** A connection begins: it follows nothing yet. */
  opened(): void {
    this.#open = true;
    this.#sent = NOTHING;
    this.#identities = new Map();
    for (const line of this.#lines.values()) line.refused = null;
    this.#soon(0);
  }

  closed(): void {
    this.#open = false;
  }

  /** `values.changed` of the server. */
  said(items: readonly ValueItem[]): void {
    const tidings = items.flatMap((item) => {
      if (item.key !== undefined && item.query !== undefined) {
        const found = [...this.#lines].find(([, { key }]) => key === item.key);
        if (found !== undefined) this.#identities.set(item.query, found[0]);
      }
      const identity = this.#identities.get(item.query ?? '');
      const line = identity === undefined ? undefined : this.#lines.get(identity);
      if (identity === undefined || line === undefined) return [];
      line.refused = item.unfit === true ? (item.error ?? '') : null;
      line.picture.apply(item, this.#deps.now());
      return [{ identity, item }];
    });
    if (tidings.length > 0) this.#deps.tell(tidings);
  }

  /** `values.ended`, or the server refuses: the pages ask by themselves, and are told why not. */
  refused(why: string): void {
    const tidings = [...this.#lines].map(([identity, line]) => {
      line.refused = why;
      return { identity, item: { error: why, unfit: true } };
    });
    if (tidings.length > 0) this.#deps.tell(tidings);
  }

  #soon(delayMs: number): void {
    if (this.#due) return;
    this.#due = true;
    this.#deps.later(() => {
      this.#due = false;
      void this.#send();
    }, delayMs);
  }

  async #send(): Promise<void> {
    if (!this.#open || this.#sending) return;
    const lines = [...this.#lines];
    for (const [identity, line] of lines.slice(MOST))
      this.#refuse(identity, line, t('{most} queries are followed already', { most: MOST }));
    const wanted = lines.slice(0, MOST).map(([, { key, asked }]) => ({ key, expr: asked.expr, step_ms: asked.stepMs }));
    const text = JSON.stringify(wanted);
    if (text === this.#sent) return;
    this.#sending = true;
    try {
      const { queries } = await this.#deps.send(wanted);
      this.#sent = text;
      this.#tries = 0;
      for (const { key, error } of queries) {
        const found = lines.find(([, line]) => line.key === key);
        if (found !== undefined && error !== null) this.#refuse(found[0], found[1], error.message);
      }
    } catch (thrown) {
      // Nobody is refused for good: it is asked again.
      this.refused(thrown instanceof Error ? thrown.message : String(thrown));
      this.#soon(backoffMs(this.#tries++, 0.5));
    } finally {
      this.#sending = false;
    }
    // What was wanted meanwhile.
    this.#soon(GATHER_MS);
  }

  #refuse(identity: string, line: Line, why: string): void {
    if (line.refused === why) return;
    line.refused = why;
    this.#deps.tell([{ identity, item: { error: why, unfit: true } }]);
  }
}
