import { AppError } from '@nines/base/errors.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { ONCALL_CODES } from './contract.ts';

/** Something of the configuration file with the place that declares it, such as `nines.yml:12`. */
export type Declared<Spec> = { readonly spec: Spec; readonly place: string };
/** Something in force; without a place it was made through the API. */
export type InForce<Spec> = {
  readonly spec: Spec;
  readonly place: string | undefined;
  /** Rises with each change through the API; 0 for what the file declares. */
  readonly revision: number;
  readonly changedAtMs: EpochMs;
};

export type StandingOptions = {
  /** `person`, `schedule`. */
  readonly noun: string;
  readonly codes: { readonly notFound: string; readonly exists: string };
};

/** The people or the schedules in force. What the file declares is the file's, also when the same id was made through the API before. */
export class Standing<Spec extends { readonly id: string }> {
  readonly #options: StandingOptions;
  #made: ReadonlyMap<string, InForce<Spec>> = new Map();
  #declared: ReadonlyMap<string, InForce<Spec>> = new Map();
  #inForce: ReadonlyMap<string, InForce<Spec>> = new Map();

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  loadMade(made: readonly InForce<Spec>[]): void {
    this.#made = new Map(made.map((one) => [one.spec.id, one]));
    this.#merge();
  }

  declare(declared: readonly Declared<Spec>[], nowMs: EpochMs): void {
    const before = this.#declared;
    this.#declared = new Map(
      declared.map(({ spec, place }) => {
        const known = before.get(spec.id);
        const isSame = known !== undefined && JSON.stringify(known.spec) === JSON.stringify(spec);
        return [spec.id, { spec, place, revision: 0, changedAtMs: isSame ? known.changedAtMs : nowMs }];
      }),
    );
    this.#merge();
  }

  /** By id. */
  list(): readonly InForce<Spec>[] {
    return [...this.#inForce.values()];
  }

  get(id: string): InForce<Spec> | undefined {
    return this.#inForce.get(id);
  }

  /** `AppError` `…_not_found`, also for what is not seen. */
  find(id: string, isSeen: (id: string) => boolean = () => true): InForce<Spec> {
    const found = isSeen(id) ? this.#inForce.get(id) : undefined;
    if (found !== undefined) return found;
    throw new AppError('not_found', this.#options.codes.notFound, `there is no ${this.#options.noun} "${id}"`);
  }

  /** `AppError` `…_exists`. */
  vacant(id: string): void {
    if (!this.#inForce.has(id)) return;
    throw new AppError('conflict', this.#options.codes.exists, `there is a ${this.#options.noun} "${id}" already`, { field: 'id' });
  }

  /**
   * What may be changed through the API. `revision` is the one that was read by whoever changes it; absent, whichever there is.
   * `AppError` `…_not_found`, `oncall_owned_by_file`, `revision_conflict`.
   */
  editable(id: string, revision?: number): InForce<Spec> {
    const found = this.find(id);
    const { noun } = this.#options;
    if (found.place !== undefined) {
      const message = `the ${noun} "${id}" is declared at ${found.place} and is changed there`;
      throw new AppError('conflict', ONCALL_CODES.ownedByFile, message, { details: { place: found.place } });
    }
    if (revision !== undefined && revision !== found.revision) {
      const message = `the ${noun} "${id}" was changed by someone else meanwhile; read it again and repeat the change`;
      throw new AppError('conflict', ONCALL_CODES.changed, message, { details: { revision: found.revision } });
    }
    return found;
  }

  /** What a change through the API makes of something. */
  next(spec: Spec, nowMs: EpochMs): InForce<Spec> {
    return { spec, place: undefined, revision: (this.#made.get(spec.id)?.revision ?? 0) + 1, changedAtMs: nowMs };
  }

  put(one: InForce<Spec>): void {
    this.#made = new Map([...this.#made, [one.spec.id, one]]);
    this.#merge();
  }

  drop(id: string): void {
    this.#made = new Map([...this.#made].filter(([key]) => key !== id));
    this.#merge();
  }

  #merge(): void {
    const all = new Map([...this.#made, ...this.#declared]);
    this.#inForce = new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
