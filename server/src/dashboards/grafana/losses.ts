import type { LossView } from '../contract.ts';

const MAX_LOSSES = 2_000;
const MAX_TEXT_CHARS = 300;

const cut = (text: string): string => (text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS)}…` : text);

/** What an import could not bring along, in order, each said once. */
export class Losses {
  readonly #known = new Map<string, LossView>();
  #more = 0;

  /** `panel` is its title or number; empty for the dashboard itself. */
  add(panel: string, what: string, why: string): void {
    const loss = { panel: cut(panel), what: cut(what), why: cut(why) };
    const key = JSON.stringify(loss);
    if (this.#known.has(key)) return;
    if (this.#known.size < MAX_LOSSES) this.#known.set(key, loss);
    else this.#more++;
  }

  list(): readonly LossView[] {
    const more = { panel: '', what: `${this.#more} more losses`, why: `only the first ${MAX_LOSSES} are listed` };
    return this.#more === 0 ? [...this.#known.values()] : [...this.#known.values(), more];
  }
}
