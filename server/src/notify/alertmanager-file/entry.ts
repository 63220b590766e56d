import type { WrittenEntry } from './schema.ts';

type Path = readonly (string | number)[];
/** Something of the file that is not as it was there. */
export type Loss = { readonly path: Path; readonly message: string };
/** Something without which a channel cannot be made. */
export type Fault = Loss;

/** Reads a file that the configuration names, relative to it; throws what is wrong with it. */
export type ReadText = (path: string) => string;

/** One entry of a receiver while it is read: what nobody asked for in the end is a loss. */
export class Entry {
  readonly losses: Loss[] = [];
  readonly faults: Fault[] = [];
  readonly #written: WrittenEntry;
  readonly #global: WrittenEntry;
  readonly #path: Path;
  readonly #read: ReadText;
  readonly #asked = new Set<string>();
  readonly #nested: Entry[] = [];

  constructor(
    written: WrittenEntry,
    { global, path, read }: { readonly global: WrittenEntry; readonly path: Path; readonly read: ReadText },
  ) {
    this.#written = written;
    this.#global = global;
    this.#path = path;
    this.#read = read;
  }

  /** The value of a key, or of the key of the global section that stands for it. */
  value(key: string, globalKey?: string): unknown {
    this.#asked.add(key);
    return this.#written[key] ?? (globalKey === undefined ? undefined : this.#global[globalKey]);
  }

  text(key: string, globalKey?: string): string | undefined {
    const value = this.value(key, globalKey);
    if (value === undefined || value === '') return undefined;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
    this.faults.push({ path: [...this.#path, key], message: `${key} is no text` });
    return undefined;
  }

  flag(key: string, fallback: boolean, globalKey?: string): boolean {
    const value = this.value(key, globalKey);
    return typeof value === 'boolean' ? value : fallback;
  }

  /** A text that may stand in a file: `key`, `key_file`, then the two of the global section. */
  secret(key: string, globalKey?: string): string | undefined {
    const own = this.text(key) ?? this.#file(`${key}_file`, this.text(`${key}_file`));
    if (own !== undefined || globalKey === undefined) return own;
    const global = this.#global[globalKey];
    if (typeof global === 'string' && global !== '') return global;
    const named = this.#global[`${globalKey}_file`];
    return this.#file(undefined, typeof named === 'string' ? named : undefined);
  }

  /** An entry of its own below a key. */
  below(key: string, globalKey?: string): Entry {
    const value = this.value(key, globalKey);
    const isOwn = this.#written[key] !== undefined;
    const written = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as WrittenEntry) : {};
    const path = isOwn ? [...this.#path, key] : ['global', globalKey ?? key];
    const entry = new Entry(written, { global: {}, path, read: this.#read });
    this.#nested.push(entry);
    return entry;
  }
  get keys(): readonly string[] {
    return Object.keys(this.#written);
  }

  lose(key: string, message: string): void {
    this.losses.push({ path: [...this.#path, key], message });
  }

  fail(message: string): void {
    this.faults.push({ path: this.#path, message });
  }

  /** Every key that was not asked for is a loss; call when all is read. */
  finish(): void {
    for (const entry of this.#nested) {
      entry.finish();
      this.losses.push(...entry.losses);
      this.faults.push(...entry.faults);
    }
    for (const key of this.keys) if (!this.#asked.has(key)) this.lose(key, `${key} is not taken over: there is nothing like it here`);
  }

  #file(key: string | undefined, path: string | undefined): string | undefined {
    if (path === undefined) return undefined;
    try {
      return this.#read(path).trim();
    } catch (thrown) {
      const where = key === undefined ? this.#path : [...this.#path, key];
      this.faults.push({ path: where, message: `cannot read ${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}` });
      return undefined;
    }
  }
}
