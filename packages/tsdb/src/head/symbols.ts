import { grownU32 } from './growing.ts';
import { NONE } from './slots.ts';

/** Label texts, each kept once and only as long as series use it. A number is given to another text when its own is gone. */
export class Symbols {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  #uses = new Uint32Array(256);
  readonly #free: number[] = [];

  /** The number of a text, `NONE` when no series uses it. */
  find(text: string): number {
    return this.#numbers.get(text) ?? NONE;
  }

  text(number: number): string {
    return this.#texts[number] ?? '';
  }

  /** Counts one more use. */
  take(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#free.pop() ?? this.#texts.length;
      this.#numbers.set(text, number);
      this.#texts[number] = text;
      this.#uses = grownU32(this.#uses, number + 1);
    }
    this.#uses[number] = (this.#uses[number] ?? 0) + 1;
    return number;
  }

  /** Counts one more use of a text that is in use. */
  again(number: number): void {
    this.#uses[number] = (this.#uses[number] as number) + 1;
  }

  /** Counts one use less; with the last one the text goes. */
  release(number: number): void {
    const uses = (this.#uses[number] ?? 0) - 1;
    this.#uses[number] = uses;
    if (uses > 0) return;
    this.#numbers.delete(this.text(number));
    this.#texts[number] = '';
    this.#free.push(number);
  }

  /** Texts in use. */
  get size(): number {
    return this.#numbers.size;
  }
}
