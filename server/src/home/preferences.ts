import type { Sql } from '../platform/records/contract.ts';
import type { PreferencesBody, PreferencesView } from './contract.ts';
import { deletePreferences, findPreferences, savePreferences } from './store.ts';

/** What people chose for themselves. */
export class Preferences {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async of(personId: string): Promise<PreferencesView> {
    const row = await findPreferences(this.#sql, personId);
    return { landing: row?.landing ?? null, checklist_hidden: row?.checklist_hidden === 1 };
  }

  async change(personId: string, { landing, checklist_hidden }: PreferencesBody): Promise<PreferencesView> {
    const before = await this.of(personId);
    const after = {
      landing: landing === undefined ? before.landing : landing,
      checklist_hidden: checklist_hidden ?? before.checklist_hidden,
    };
    await savePreferences(this.#sql, { person_id: personId, landing: after.landing, checklist_hidden: after.checklist_hidden ? 1 : 0 });
    return after;
  }

  /** The page somebody begins with rather than that of their role. */
  readonly landingOf = async (personId: string): Promise<string | null> => (await findPreferences(this.#sql, personId))?.landing ?? null;

  /** In the transaction that removes the person. */
  readonly forget = (sql: Sql, personId: string): Promise<void> => deletePreferences(sql, personId);
}
