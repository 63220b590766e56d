import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { Labels } from '@nines/model/labels.ts';
import type { Kysely } from 'kysely';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import { startLoop } from '../platform/loop.ts';
import { SAVED_RULES_STEP_MS, SavedRules } from './saved.ts';
import { type RulesDeps, RulesService } from './service.ts';

export type RulesParts = Omit<RulesDeps, 'labelsOfRef' | 'queryable'> & {
  readonly store: RulesDeps['queryable'] & { labelsOfRef(ref: number): Labels };
  readonly db: Kysely<Database>;
  /** Whether nobody else writes to the database. */
  readonly alone: boolean;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
};

export type OpenRules = AsyncDisposable & { readonly rules: RulesService; readonly saved: SavedRules };

/** The rules of the configuration and those that people saved. Nothing is evaluated before the first `configure`. */
export async function openRules({ store, ...parts }: RulesParts): Promise<OpenRules> {
  const { clock, logger, alone } = parts;
  const rules = new RulesService({ ...parts, queryable: store, labelsOfRef: (ref) => store.labelsOfRef(ref) });
  const saved = new SavedRules({ ...parts, rules });
  await saved.load();
  const everyMs = SAVED_RULES_STEP_MS;
  // Others on the same database save rules as well.
  const loop = alone
    ? undefined
    : startLoop({ clock, logger, name: 'saved rules', everyMs, firstAfterMs: everyMs, step: () => saved.load() });
  return {
    rules,
    saved,
    async [Symbol.asyncDispose]() {
      await loop?.[Symbol.asyncDispose]();
      await rules[Symbol.asyncDispose]();
    },
  };
}
