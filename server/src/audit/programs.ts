import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { HOUR_MS } from '@nines/base/units.ts';
import { startLoop } from '../platform/loop.ts';
import { createPrograms, type ProgramRun, type Programs, type ProgramsConfig } from '../platform/programs.ts';
import { HIDDEN } from '../platform/scrub.ts';
import type { AuditEntry } from './contract.ts';

/** Runs of one kind that end alike are told at once, and then together this often. */
const TOGETHER_MS = HOUR_MS;
/** Kinds of runs that are counted at a time; beyond them the longest known one is told. */
const MAX_KINDS = 10_000;

type Told = { readonly entry: AuditEntry; readonly sinceMs: number; runs: number; longestMs: number };

/** An entry for every run of a program. What checks run again and again is told the first time, and hourly by number from then on. */
export class ProgramRuns {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #append: (entry: AuditEntry) => Promise<unknown>;
  readonly #together = new Map<string, Told>();

  constructor(clock: Pick<Clock, 'now'>, append: (entry: AuditEntry) => Promise<unknown>) {
    this.#clock = clock;
    this.#append = append;
  }

  async tell(run: ProgramRun): Promise<void> {
    const entry = entryOf(run);
    if (!run.program.cause.isRoutine) return void (await this.#append(entry));
    // What is asked may differ from run to run (an address, say); who asks with what, and how it ends, are what is counted.
    const key = JSON.stringify([run.program.cause.id, run.program.argv[0], endedAs(run)]);
    const known = this.#together.get(key);
    if (known !== undefined) {
      known.runs++;
      known.longestMs = Math.max(known.longestMs, run.durationMs);
      return;
    }
    this.#together.set(key, { entry, sinceMs: this.#clock.now(), runs: 0, longestMs: 0 });
    const oldest = this.#together.size > MAX_KINDS ? this.#together.keys().next().value : undefined;
    if (oldest !== undefined) await this.#end(oldest);
    await this.#append(entry);
  }

  /** Tells what came together for an hour; with `all` everything. */
  async step(all = false): Promise<void> {
    const nowMs = this.#clock.now();
    for (const [key, { sinceMs }] of this.#together) if (all || nowMs - sinceMs >= TOGETHER_MS) await this.#end(key);
  }

  async #end(key: string): Promise<void> {
    const told = this.#together.get(key);
    this.#together.delete(key);
    if (told === undefined || told.runs === 0) return;
    const { entry, sinceMs, runs, longestMs } = told;
    await this.#append({
      ...entry,
      action: 'program.ran_again',
      after: { ...(entry.after as object), duration_ms: longestMs, runs, since: new Date(sinceMs).toISOString() },
    });
  }
}

export type RecordsRuns = { append(entry: AuditEntry): Promise<unknown> };

/** The runner of programs, whose runs stand in the audit log. Checks, alerts and recovery go on while it cannot be written. */
export async function openPrograms({
  clock,
  logger,
  config,
  audit,
}: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: ProgramsConfig;
  readonly audit: RecordsRuns;
}): Promise<Programs> {
  const runs = new ProgramRuns(clock, (entry) => audit.append(entry));
  let isToldOfRoot = config.run_as !== undefined || process.getuid?.() !== 0;
  const told = (run: ProgramRun): void => {
    if (!isToldOfRoot && run.program.user === undefined) {
      logger.warn('programs run as root; name a user without rights in programs.run_as', { program: run.program.argv[0] });
      isToldOfRoot = true;
    }
    runs.tell(run).catch((thrown: unknown) => logger.error('the run of a program could not be recorded', { error: messageOf(thrown) }));
  };
  const programs = createPrograms({ clock, config, told });
  const loop = startLoop({ clock, logger, name: 'program runs', everyMs: TOGETHER_MS, firstAfterMs: TOGETHER_MS, step: () => runs.step() });
  return {
    ...programs,
    async [Symbol.asyncDispose]() {
      await programs[Symbol.asyncDispose]();
      await loop[Symbol.asyncDispose]();
      await runs.step(true).catch(() => {});
    },
  };
}

const endedAs = ({ end }: ProgramRun): readonly unknown[] =>
  end.kind === 'exited' ? [end.code, end.signal] : end.kind === 'started' ? ['started'] : [end.kind, end.why];

function entryOf(run: ProgramRun): AuditEntry {
  const { program, end, durationMs } = run;
  const { kind, id } = program.cause;
  return {
    actor: { kind: 'system', id: `${kind}:${id}`, name: `${kind} ${id}`, role: 'operator' },
    action: 'program.run',
    object: { kind: 'program', id: program.argv[0] },
    phase: 'done',
    asked: { arguments: withoutSecretWords(program.argv.slice(1)), user: program.user ?? null },
    after: { ...outcomeOf(end), duration_ms: Math.round(durationMs) },
  };
}

function outcomeOf(end: ProgramRun['end']): Readonly<Record<string, unknown>> {
  switch (end.kind) {
    case 'exited':
      return { exit: end.code, signal: end.signal, output_chars: end.output.length };
    case 'stopped':
      return { stopped: end.why, output_chars: end.output.length };
    case 'refused':
      return { refused: end.why };
    case 'started':
      return { started: true };
  }
}

const NAMES_SECRET = /pass|secret|token|key|credential|auth|cookie|community/i;

/** Arguments as they may be shown: without what follows a flag or a name that is called like a secret, or stands in an address before the `@`. */
export function withoutSecretWords(words: readonly string[]): readonly string[] {
  return words.map((word, at) => {
    const before = words[at - 1] ?? '';
    if (/^--?[\w-]+$/.test(before) && (NAMES_SECRET.test(before) || before === '-p') && !word.startsWith('-')) return HIDDEN;
    const parts = /^(-{0,2}[\w-]+)([=:])(.+)$/s.exec(word);
    if (parts !== null && NAMES_SECRET.test(parts[1] ?? '')) return `${parts[1]}${parts[2]}${HIDDEN}`;
    return word.replace(/(\/\/)[^/@\s]+@/g, `$1${HIDDEN}@`);
  });
}
