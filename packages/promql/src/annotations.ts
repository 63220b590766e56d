import type { Position } from './ast.ts';
import { formatPosition } from './promql-error.ts';

/**
 * The second channel of a result: what was odd about the data or the query without being an error. Each text is kept once.
 */
const MAX_ANNOTATIONS = 1_000;

export class Annotations {
  readonly #text: string;
  readonly #warnings = new Set<string>();
  readonly #infos = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  warn(message: string, position: Position): void {
    this.#add(this.#warnings, 'PromQL warning', message, position);
  }

  info(message: string, position: Position): void {
    this.#add(this.#infos, 'PromQL info', message, position);
  }

  #add(into: Set<string>, label: string, message: string, position: Position): void {
    if (into.size < MAX_ANNOTATIONS) into.add(`${label}: ${message} (${formatPosition(this.#text, position)})`);
  }

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  get infos(): readonly string[] {
    return [...this.#infos];
  }
}
