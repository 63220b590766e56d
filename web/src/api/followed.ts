/** What this tab follows, and what is known of it. */
import type { Tidings } from './desk.ts';
import { LivePicture } from './live-picture.ts';

/** `stepMs`: points at multiples of it besides the present; null: the present alone. */
export type Asked = { readonly expr: string; readonly stepMs: number | null };
export const identityOf = ({ expr, stepMs }: Asked): string => `${stepMs ?? ''} ${expr}`;

/** `waiting`: it will be told. `refused`: whoever wants it asks by itself. */
export type Line =
  | { readonly state: 'waiting' | 'refused'; readonly picture: undefined }
  | { readonly state: 'live'; readonly picture: LivePicture };
type Wanted = { readonly asked: Asked; count: number; picture: LivePicture | undefined; refused: boolean };

/** A page that is left for a moment is not told anew. */
const REST_AFTER_MS = 5_000;
/** The tab that listens forgets tabs that fell silent. */
const SAY_EVERY_MS = 10_000;
const GATHER_MS = 30;

const WAITING: Line = { state: 'waiting', picture: undefined };
const REFUSED: Line = { state: 'refused', picture: undefined };

export class Followed {
  readonly #wanted = new Map<string, Wanted>();
  readonly #listeners = new Set<() => void>();
  #seen = true;
  #timer: number | undefined;
  #say: (asked: readonly Asked[]) => void = () => undefined;

  /** Follows a query as long as the returned function is not called. */
  want(asked: Asked): () => void {
    const identity = identityOf(asked);
    const one = this.#wanted.get(identity) ?? { asked, count: 0, picture: undefined, refused: false };
    one.count++;
    this.#wanted.set(identity, one);
    this.#soon();
    return () => {
      one.count--;
      this.#soon();
    };
  }

  of(asked: Asked): Line {
    const one = this.#wanted.get(identityOf(asked));
    if (one?.refused === true) return REFUSED;
    return one?.picture === undefined ? WAITING : { state: 'live', picture: one.picture };
  }

  /** Changes when what is known of any of them does. */
  stampOf(asked: readonly Asked[]): string {
    return asked
      .map((each) => {
        const one = this.#wanted.get(identityOf(each));
        return one?.refused === true ? 'x' : (one?.picture?.version ?? '-');
      })
      .join();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Tells `say` what is wanted, now and whenever it changes; while nobody sees the page that is nothing. Returns what ends it. */
  connect(say: (asked: readonly Asked[]) => void): () => void {
    this.#say = say;
    let rest: number | undefined;
    const look = () => {
      window.clearTimeout(rest);
      if (!document.hidden) this.#show(true);
      else rest = window.setTimeout(() => this.#show(false), REST_AFTER_MS);
    };
    const gone = () => this.#say([]);
    const every = window.setInterval(() => {
      if (this.#seen && this.#wanted.size > 0) this.again();
    }, SAY_EVERY_MS);
    document.addEventListener('visibilitychange', look);
    window.addEventListener('pagehide', gone);
    look();
    this.#soon();
    return () => {
      gone();
      this.#say = () => undefined;
      window.clearTimeout(rest);
      window.clearTimeout(this.#timer);
      this.#timer = undefined;
      window.clearInterval(every);
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('pagehide', gone);
    };
  }

  take(tidings: Tidings): void {
    let changed = false;
    for (const { identity, item } of tidings) {
      const one = this.#wanted.get(identity);
      if (one === undefined) continue;
      changed = true;
      one.refused = item.unfit === true;
      if (one.refused) one.picture = undefined;
      // Changes of what was never begun mean nothing.
      else if (one.picture !== undefined || item.start === true) (one.picture ??= new LivePicture()).apply(item, Date.now());
    }
    if (changed) for (const listener of this.#listeners) listener();
  }

  /** Says again what is wanted. */
  again(): void {
    this.#say(this.#seen ? [...this.#wanted.values()].map(({ asked }) => asked) : []);
  }

  #show(seen: boolean): void {
    if (seen === this.#seen) return;
    this.#seen = seen;
    // What was known is old by the time somebody looks again; it is told anew.
    if (!seen) for (const one of this.#wanted.values()) one.refused = false;
    this.again();
  }

  #soon(): void {
    this.#timer ??= window.setTimeout(() => {
      this.#timer = undefined;
      for (const [identity, { count }] of this.#wanted) if (count === 0) this.#wanted.delete(identity);
      this.again();
    }, GATHER_MS);
  }
}
