/** Rules that people save on the screen or through the API, kept in the state database and put in force at once. */
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import { findEntity, listEntities, retireEntity, updateEntity, upsertEntity } from '../platform/records/entities.ts';
import { createTurns } from '../platform/turns.ts';
import { RULE_CODES, type RuleDetailView, isRaisedElsewhere } from './contract.ts';
import type { FileGroup } from './group.ts';
import type { RulesService } from './service.ts';
import type { ThresholdRule } from './threshold-rule.ts';
import type { Fields, ReadRule } from './written-rule.ts';

const KIND = 'rule';
/** Most saved rules. */
const MAX_SAVED_RULES = 2_000;
/** Longest text of one, as JSON. */
const MAX_RULE_BYTES = 64 * 1024;
/** A change made by another process on the same database is in force here at most this much later. */
export const SAVED_RULES_STEP_MS = 5 * SECOND_MS;

/** As it was saved. */
export type SavedRule = { readonly id: string; readonly revision: number; readonly written: Fields };
/** At work; or, when it cannot be read any more, why. */
export type SavedUnit =
  | { readonly saved: SavedRule; readonly read: ReadRule; readonly unit: FileGroup | ThresholdRule; readonly fault?: undefined }
  | { readonly saved: SavedRule; readonly fault: string; readonly read?: undefined; readonly unit?: undefined };

export type SavedRulesDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly bus: Bus;
  readonly rules: RulesService;
};

/** Which rules people saved. Changes come one after the other. */
export class SavedRules {
  readonly #deps: SavedRulesDeps;
  readonly #alone = createTurns();
  #known: readonly SavedRule[] = [];

  constructor(deps: SavedRulesDeps) {
    this.#deps = deps;
  }

  /** Puts in force what the database holds, if that is not what was read last. */
  load(): Promise<void> {
    return this.#alone(() => this.#read());
  }

  /** `AppError` `invalid_request`, `rule_exists`, `rule_duplicate`, `too_many_rules`. One with the id of a shipped rule replaces it. */
  create(fields: Fields, judge: (read: ReadRule) => void): Promise<string> {
    return this.#alone(async () => {
      const read = this.#readable(fields);
      judge(read);
      const { rules, db, ids, clock } = this.#deps;
      await this.#read();
      if (isRaisedElsewhere(read.id)) {
        const message = `Nines raises alerts of its own under the id "${read.id}"; choose another id`;
        throw new AppError('conflict', RULE_CODES.exists, message, { field: 'id' });
      }
      const place = rules.placeOf(read.id) ?? (this.#known.some(({ id }) => id === read.id) ? 'the saved rules' : undefined);
      if (place !== undefined) {
        const message = `there is a rule "${read.id}" already, in ${place}; choose another id`;
        throw new AppError('conflict', RULE_CODES.exists, message, { field: 'id' });
      }
      this.#refuseDuplicate(read);
      if (this.#known.length >= MAX_SAVED_RULES) {
        const message = `there are ${MAX_SAVED_RULES} saved rules; remove one, or write further ones in rule files`;
        throw new AppError('limited', RULE_CODES.tooMany, message);
      }
      const input = { kind: KIND, slug: read.id, name: read.id, origin: 'ui' as const, originPlace: '', spec: fields };
      await db.transaction().execute((trx) => upsertEntity(trx, input, { ids, nowMs: clock.now() }));
      await this.#read();
      return read.id;
    });
  }

  /** `AppError` as for `create`, `rule_not_found`, `rule_owned_elsewhere`, and `revision_conflict` when it is no longer the one that was read. */
  update(
    id: string,
    change: { readonly fields: Fields; readonly revision: number | undefined },
    judge: (read: ReadRule) => void,
  ): Promise<void> {
    return this.#alone(async () => {
      await this.#read();
      this.requireOwn(id);
      const { fields, revision } = change;
      const read = this.#readable(fields);
      if (read.id !== id) {
        const message = `the id stays "${id}", because alerts and silences name it; save a copy under another one`;
        throw new AppError('bad_input', RULE_CODES.ownedElsewhere, message, { field: 'id' });
      }
      judge(read);
      this.#refuseDuplicate(read);
      await this.#deps.db.transaction().execute(async (trx) => {
        const entity = await findEntity(trx, KIND, id);
        if (entity === undefined || entity.retiredAtMs !== null) throw notFound(id);
        await updateEntity(trx, { ...entity, revision: revision ?? entity.revision }, { name: id, spec: fields });
      });
      await this.#read();
    });
  }

  /** Its alerts end with that reason; a shipped rule that it replaced comes back. `AppError` as for `update`. */
  remove(id: string, revision: number | undefined): Promise<void> {
    return this.#alone(async () => {
      await this.#read();
      this.requireOwn(id);
      const { db, clock } = this.#deps;
      await db.transaction().execute((trx) => retireEntity(trx, { kind: KIND, slug: id, revision }, clock.now()));
      await this.#read();
    });
  }

  /** The saved rule of this id. `AppError` `rule_not_found`, `rule_owned_elsewhere` with where it is changed. */
  requireOwn(id: string): SavedUnit {
    const found = this.#deps.rules.savedOf(id);
    if (found !== undefined) return found;
    const { allowed, reason } = this.editable(id);
    if (allowed || reason === '') throw notFound(id);
    throw new AppError('conflict', RULE_CODES.ownedElsewhere, reason);
  }

  /** Whether a rule is changed here, and if not, where; without a reason there is none of that id. */
  editable(id: string): RuleDetailView['editable'] {
    const { rules } = this.#deps;
    if (rules.savedOf(id) !== undefined) return { allowed: true, reason: '' };
    const place = rules.placeOf(id);
    if (place !== undefined) return { allowed: false, reason: `the rule "${id}" is written at ${place} and is changed there` };
    const reason = this.isShipped(id) ? `the rule "${id}" comes with Nines; save one with its id to replace it` : '';
    return { allowed: false, reason };
  }

  /** Whether it comes with the product and nothing has taken its place. */
  isShipped(id: string): boolean {
    const { rules } = this.#deps;
    const standing = rules.thresholds.some((rule) => rule.id === id) || rules.otherShipped.some((rule) => rule.id === id);
    return standing && rules.savedOf(id) === undefined && rules.placeOf(id) === undefined;
  }

  #readable(fields: Fields): ReadRule {
    const bytes = Buffer.byteLength(JSON.stringify(fields));
    if (bytes > MAX_RULE_BYTES) {
      const message = `a saved rule is at most ${MAX_RULE_BYTES} bytes of JSON, and this one is ${bytes}; put long texts behind a link`;
      throw new AppError('bad_input', 'invalid_request', message, { field: 'rule' });
    }
    return this.#deps.rules.read(fields);
  }

  #refuseDuplicate(read: ReadRule): void {
    const same = duplicateOf(read, this.#deps.rules);
    if (same === undefined) return;
    throw new AppError('conflict', RULE_CODES.duplicate, same.message, { field: same.field });
  }

  async #read(): Promise<void> {
    const { db, rules, bus, clock } = this.#deps;
    const found = (await listEntities(db, { kind: KIND })).map(({ slug, revision, spec }) => ({
      id: slug,
      revision,
      written: spec as Fields,
    }));
    const print = (list: readonly SavedRule[]): string => list.map(({ id, revision }) => `${id} ${revision}`).join('\n');
    if (print(found) === print(this.#known)) return;
    this.#known = found;
    await rules.keep(found);
    bus.publish({ topic: 'alerts', type: 'rules.changed', atMs: clock.now(), data: { count: found.length } });
  }
}

const notFound = (id: string): AppError => new AppError('not_found', RULE_CODES.notFound, `there is no rule "${id}"`);

/** Another rule that says the same: two that record one series overwrite each other, and of two that alert alike people are told twice. */
function duplicateOf(read: ReadRule, rules: RulesService): { readonly message: string; readonly field: string } | undefined {
  if (read.kind === 'own') return undefined;
  const textOf = (texts: ReadRule & { readonly kind: 'file' }): string => labelsText(texts.rule.labels);
  for (const { group, rules: lives } of rules.groups) {
    for (const { id, rule } of lives) {
      if (id === read.id || labelsText(rule.labels) !== textOf(read)) continue;
      const where = rule.place === '' ? `the saved rule "${id}"` : `"${id}" of the group ${group.name} at ${rule.place}`;
      if (rule.kind === 'recording' && read.rule.kind === 'recording' && rule.record === read.rule.record)
        return { message: `${where} records ${rule.record} with the same labels already; choose another name or labels`, field: 'record' };
      if (
        rule.kind === 'alerting' &&
        read.rule.kind === 'alerting' &&
        rule.alert === read.rule.alert &&
        rule.exprText === read.rule.exprText
      )
        return { message: `${where} is the same alert already; change that one, or choose another name or expression`, field: 'alert' };
    }
  }
  return undefined;
}

const labelsText = (labels: Readonly<Record<string, { readonly source: string }>>): string =>
  JSON.stringify(
    Object.entries(labels)
      .map(([name, { source }]) => [name, source] as const)
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
