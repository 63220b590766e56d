import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { LocalTargetRow } from '../platform/db/migrations/0083-home.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Actor } from '../platform/http/contract.ts';
import type { LocalProgram } from './contract.ts';
import { KNOWN_PROGRAMS } from './listening.ts';
import { deleteLocalTarget, insertLocalTarget, listLocalTargets } from './store.ts';

export type LocalTargetsDeps = {
  readonly sql: Sql;
  readonly clock: Pick<Clock, 'now'>;
  readonly listening: () => ReadonlySet<number>;
  /** Scrapes these beside what the files name. */
  readonly scrape: (targets: readonly { readonly port: number; readonly program: string }[]) => Promise<void>;
};

export const urlOf = (port: number): string => `http://127.0.0.1:${port}/metrics`;

/** Programs of this host that are scraped because somebody said so, and those that could be. */
export class LocalTargets {
  readonly #deps: LocalTargetsDeps;
  #rows: readonly LocalTargetRow[] = [];

  constructor(deps: LocalTargetsDeps) {
    this.#deps = deps;
  }

  async load(): Promise<void> {
    this.#rows = await listLocalTargets(this.#deps.sql);
    await this.#deps.scrape(this.#rows);
  }

  /** What listens and is known, and what is scraped whether it listens or not; by port. `scraped` are addresses that the files name. */
  programs(scraped: ReadonlySet<string>): readonly LocalProgram[] {
    const chosen = new Map(this.#rows.map(({ port, program }) => [port, program]));
    const found = [...this.#deps.listening()].flatMap((port) => {
      const known = KNOWN_PROGRAMS.get(port);
      return known === undefined ? [] : [[port, known.program] as const];
    });
    return [...new Map([...found, ...chosen])]
      .map(([port, program]) => ({ port, program, url: urlOf(port), scraped: chosen.has(port) || isScraped(scraped, port) }))
      .sort((a, b) => a.port - b.port);
  }

  /** `AppError` `local_program_not_found` when nothing that is known listens there. */
  async add(port: number, actor: Actor): Promise<void> {
    const program = this.#deps.listening().has(port) ? KNOWN_PROGRAMS.get(port)?.program : undefined;
    if (program === undefined) {
      const message = `nothing that is known to tell metrics listens on port ${port} of this host; name it in a scrape file`;
      throw new AppError('not_found', 'local_program_not_found', message, { field: 'port' });
    }
    const { sql, clock } = this.#deps;
    await insertLocalTarget(sql, { port, program, added_at_ms: clock.now(), added_by: actor.name });
    await this.load();
  }

  /** `AppError` `local_program_not_found` when it is not scraped. */
  async remove(port: number): Promise<void> {
    if (!(await deleteLocalTarget(this.#deps.sql, port)))
      throw new AppError('not_found', 'local_program_not_found', `port ${port} of this host is not scraped`, { field: 'port' });
    await this.load();
  }
}

const isScraped = (scraped: ReadonlySet<string>, port: number): boolean =>
  ['127.0.0.1', 'localhost', '[::1]'].some((host) => scraped.has(`${host}:${port}`));
