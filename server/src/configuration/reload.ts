import { chmodSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { AuditEntry } from '../audit/contract.ts';
import { formatProblem } from '../platform/config/load.ts';
import type { ConfigProblem } from '../platform/config/source.ts';
import { createTurns } from '../platform/turns.ts';
import { type Applied, CONFIGURATION_CODES, type ConfigurationCause, type ConfigurationChange } from './contract.ts';
import type { Configurations } from './service.ts';

type By = AuditEntry['actor'];
/** A configuration that was read and found good. */
export type Good = Omit<Applied, 'files'> & { readonly ok: true; readonly warnings: readonly ConfigProblem[] };
type Bad = { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export type ReloadDeps<C extends Good> = {
  readonly configurations: Configurations;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  /** With a text: as if it stood in the file. */
  readonly read: (text?: string) => C | Bad;
  readonly apply: (next: C) => Promise<void>;
  readonly current: () => C;
  /** Keys of `next` that wait for the next start. */
  readonly pending: (next: C) => readonly string[];
  /** Other files that it names, by path, with what they hold. */
  readonly filesOf: (next: C) => Readonly<Record<string, string>>;
  readonly append: (entry: AuditEntry) => Promise<number>;
  readonly file: string | undefined;
};

export type Reloaded = { readonly version: number; readonly warnings: readonly string[]; readonly pending: readonly string[] };

/** Takes over what stands in the file, one reload after the other. What cannot be taken over changes nothing and says why. */
export class Reloading<C extends Good> {
  readonly #deps: ReloadDeps<C>;
  readonly #inTurn = createTurns();
  #read: { readonly atMs: number; readonly ok: boolean };

  constructor(deps: ReloadDeps<C>) {
    this.#deps = deps;
    this.#read = { atMs: deps.clock.now(), ok: true };
  }

  /** When the configuration in force was read, and whether the last attempt succeeded. */
  get configRead(): { readonly atMs: number; readonly ok: boolean } {
    return this.#read;
  }

  /** Remembers what the server started with. */
  started(by: By): Promise<Reloaded> {
    return this.#keep(this.#deps.current(), 'start', by);
  }

  /** `AppError` `bad_configuration` with every problem; the configuration before then stays in force. */
  reload(by: By): Promise<Reloaded> {
    return this.#inTurn(() => this.#takeOver('reload', by));
  }

  /** Puts a version back into the file and takes it over. When that fails the file is as it was. */
  restore(version: number, by: By): Promise<Reloaded> {
    return this.#inTurn(async () => {
      const text = await this.#deps.configurations.textOf(version);
      const next = this.#deps.read(text);
      if (!next.ok) throw this.#refused(next.problems);
      const before = this.#write(text);
      try {
        return await this.#takeOver('restore', by);
      } catch (thrown) {
        this.#write(before);
        throw thrown;
      }
    });
  }

  /** What a file with this text would change. `AppError` `bad_configuration`. */
  async against(text: string): Promise<{ readonly changes: readonly ConfigurationChange[]; readonly pending: readonly string[] }> {
    const next = this.#deps.read(text);
    if (!next.ok) throw badConfiguration(next.problems);
    return { changes: await this.#deps.configurations.against(next), pending: this.#deps.pending(next) };
  }

  async #takeOver(cause: ConfigurationCause, by: By): Promise<Reloaded> {
    const { read, apply, current, logger, clock, append } = this.#deps;
    const before = current();
    const next = read();
    const fault = next.ok ? faultOf(before, next) : undefined;
    if (!next.ok || fault !== undefined) {
      const problems = next.ok ? [{ file: this.#deps.file ?? '', line: 1, column: 1, message: fault ?? '' }] : next.problems;
      const refused = this.#refused(problems);
      const asked = { problems: problems.map(formatProblem) };
      await append({ actor: by, action: 'configuration.refused', object: { kind: 'config', id: null }, phase: 'done', asked });
      throw refused;
    }
    try {
      await apply(next);
    } catch (thrown) {
      // Some parts may have taken it over: all go back to what they had.
      this.#read = { ...this.#read, ok: false };
      logger.error('the configuration could not be applied; the one before stays', { error: messageOf(thrown) });
      await apply(before);
      throw thrown;
    }
    this.#read = { atMs: clock.now(), ok: true };
    logger.info('the configuration was read again');
    return this.#keep(next, cause, by);
  }

  async #keep(next: C, cause: ConfigurationCause, by: By): Promise<Reloaded> {
    const { configurations, filesOf } = this.#deps;
    const pending = cause === 'start' ? [] : this.#deps.pending(next);
    const version = await configurations.applied({ ...next, files: filesOf(next) }, { cause, by, pending });
    const waits = pending.length === 0 ? [] : [`takes effect at the next start: ${pending.join(', ')}`];
    return { version, pending, warnings: [...waits, ...next.warnings.map(formatProblem)] };
  }

  #refused(problems: readonly ConfigProblem[]): AppError {
    this.#read = { ...this.#read, ok: false };
    const refused = badConfiguration(problems);
    this.#deps.logger.error('the configuration was not taken over', { problems: refused.details });
    return refused;
  }

  /** Replaces the file as a whole, with the rights that it had, and returns what it held. */
  #write(text: string): string {
    const { file } = this.#deps;
    if (file === undefined)
      throw new AppError(
        'conflict',
        CONFIGURATION_CODES.notWritable,
        'the server was started without --config, so there is no file to write',
      );
    const target = realpathSync(file);
    const temporary = `${target}.restored`;
    try {
      const before = readFileSync(target, 'utf8');
      writeFileSync(temporary, text, { mode: 0o600 });
      chmodSync(temporary, statSync(target).mode & 0o777);
      renameSync(temporary, target);
      return before;
    } catch (thrown) {
      rmSync(temporary, { force: true });
      const words = `${file} cannot be written (${messageOf(thrown)}); put it back where it is kept, from: nines config show VERSION`;
      throw new AppError('conflict', CONFIGURATION_CODES.notWritable, words, { cause: thrown });
    }
  }
}

/** A file that became empty is one that somebody is still writing. */
function faultOf(before: Good, next: Good): string | undefined {
  const isBlank = (text: string | undefined): boolean => text !== undefined && text.trim() === '';
  return isBlank(next.text) && !isBlank(before.text)
    ? 'the file is empty, as while it is being written; an empty configuration is taken over at a start only'
    : undefined;
}

function badConfiguration(problems: readonly ConfigProblem[]): AppError {
  const words = problems.map(formatProblem);
  return new AppError('bad_input', 'bad_configuration', words[0] ?? 'bad configuration', { details: words });
}
