import { createHmac, randomBytes } from 'node:crypto';
import { canonicalJson, type Json } from '@nines/base/canonical-json.ts';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { AuditEntry, RecordAudit } from '../audit/contract.ts';
import type { ConfigurationRow } from '../platform/db/migrations/0049-accountability.ts';
import type { Db } from '../platform/db/open.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { SecretPlace, Secrets } from '../platform/secrets/contract.ts';
import {
  CONFIGURATION_CODES,
  type Applied,
  type ConfigurationCause,
  type ConfigurationChange,
  type ConfigurationView,
} from './contract.ts';
import { differences } from './diff.ts';
import { shownOf } from './shown.ts';
import * as store from './store.ts';

/** Versions that are kept; of most installations all that there ever were. */
const MAX_KEPT = 1_000;
const SALT_BYTES = 16;
/** Changes that the audit log names. */
const MAX_AUDITED = 100;

export type ConfigurationsDeps = {
  readonly db: Pick<Db, 'kysely'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly secrets: Secrets;
  readonly record: RecordAudit;
};

type By = AuditEntry['actor'];
/** What is shown of a version. */
type Shown = {
  readonly written: unknown;
  readonly files: Readonly<Record<string, string>>;
  readonly overrides: ConfigurationView['overrides'];
};
/** What is sealed of a version. */
type Sealed = { readonly text: string | null; readonly salt: string };

/** The configurations that were applied, in the order in which they were. */
export class Configurations {
  readonly #deps: ConfigurationsDeps;

  constructor(deps: ConfigurationsDeps) {
    this.#deps = deps;
  }

  /** Keeps what was just applied, unless it is what was applied last, and returns its version. */
  async applied(
    what: Applied,
    { cause, by, pending }: { readonly cause: ConfigurationCause; readonly by: By; readonly pending: readonly string[] },
  ): Promise<number> {
    const { db, clock, secrets, record } = this.#deps;
    return db.kysely.transaction().execute(async (trx) => {
      const last = await store.last(trx);
      const { salt } = await this.#sealedOf(trx, last);
      const saltBytes = new Uint8Array(Buffer.from(salt, 'base64url'));
      const shown: Shown = {
        written: shownOf(what.written, what.config, saltBytes),
        files: what.files,
        overrides: what.overrides.map(({ path, source }) => ({ path: path.join('.'), source })),
      };
      const digest = createHmac('sha256', saltBytes)
        .update(canonicalJson(plain({ ...shown, text: what.text ?? null })))
        .digest('hex');
      const isNew = last?.digest !== digest;
      const version = (last?.version ?? 0) + (isNew ? 1 : 0);
      const before = last === undefined ? undefined : shownIn(last);
      const changes = before === undefined || !isNew ? [] : differences(comparable(before), comparable(plain(shown) as Shown));
      // The entry first: its row of the chain makes instances that start at once wait for each other.
      await record(trx, {
        actor: by,
        action: `configuration.${cause === 'start' ? 'started_with' : cause === 'restore' ? 'restored' : 'reloaded'}`,
        object: { kind: 'config', id: String(version) },
        phase: 'done',
        after: { version, digest, changes: changes.slice(0, MAX_AUDITED), ...(pending.length > 0 && { pending }) },
      });
      if (!isNew) return version;
      const row: ConfigurationRow = {
        version,
        at_ms: clock.now(),
        cause,
        actor_kind: by.kind,
        actor_id: by.id,
        digest,
        written: JSON.stringify(shown),
        pending: JSON.stringify(pending),
      };
      const sealed: Sealed = { text: what.text ?? null, salt };
      await store.insert(trx, row, secrets.seal(placeOf(version), JSON.stringify(sealed)));
      await store.removeBefore(trx, version - MAX_KEPT + 1);
      return version;
    });
  }

  async list(page: { readonly before: number | undefined; readonly limit: number }): Promise<readonly ConfigurationView[]> {
    return (await store.list(this.#deps.db.kysely, page)).map(viewOf);
  }

  /** One version as it is shown. */
  async get(version: number): Promise<ConfigurationView & Pick<Shown, 'written' | 'files'>> {
    const row = await this.#find(version);
    const { written, files } = shownIn(row);
    return { ...viewOf(row), written, files };
  }

  /** What `to` says differently from `from`. */
  async diff(from: number, to: number): Promise<readonly ConfigurationChange[]> {
    const [before, after] = [shownIn(await this.#find(from)), shownIn(await this.#find(to))];
    return differences(comparable(before), comparable(after));
  }

  /** What another configuration says differently from the one applied last. */
  async against(what: Pick<Applied, 'written' | 'config'>): Promise<readonly ConfigurationChange[]> {
    const last = await store.last(this.#deps.db.kysely);
    const salt = new Uint8Array(Buffer.from((await this.#sealedOf(this.#deps.db.kysely, last)).salt, 'base64url'));
    return differences(last === undefined ? {} : shownIn(last).written, plain(shownOf(what.written, what.config, salt)));
  }

  /** The file of a version, word for word, secrets too. For writing it back. */
  async textOf(version: number): Promise<string> {
    const row = await this.#find(version);
    const opened = this.#deps.secrets.open(placeOf(version), (await store.sealedOf(this.#deps.db.kysely, row.version)) ?? '');
    if (!opened.ok) throw new AppError('unavailable', CONFIGURATION_CODES.unreadable, opened.error);
    const { text } = JSON.parse(opened.value) as Sealed;
    if (text === null)
      throw new AppError('conflict', CONFIGURATION_CODES.notWritable, `version ${version} was applied without a configuration file`);
    return text;
  }

  async #find(version: number): Promise<ConfigurationRow> {
    const row = await store.find(this.#deps.db.kysely, version);
    if (row === undefined)
      throw new AppError('not_found', CONFIGURATION_CODES.notFound, `there is no version ${version} of the configuration`);
    return row;
  }

  /** A fresh salt when there is none, or none that can be read: then every secret seems changed once. */
  async #sealedOf(sql: Sql, row: ConfigurationRow | undefined): Promise<Sealed> {
    const sealed = row === undefined ? undefined : await store.sealedOf(sql, row.version);
    const opened = row === undefined || sealed === undefined ? undefined : this.#deps.secrets.open(placeOf(row.version), sealed);
    return opened?.ok === true ? (JSON.parse(opened.value) as Sealed) : { text: null, salt: randomBytes(SALT_BYTES).toString('base64url') };
  }
}

const placeOf = (version: number): SecretPlace => ({ table: 'configuration_texts', id: String(version), column: 'sealed' });

/** As JSON keeps it: without what is undefined. */
const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

const shownIn = (row: ConfigurationRow): Shown => JSON.parse(row.written) as Shown;

/** Files that the configuration names differ like a section of it. */
const comparable = ({ written, files }: Shown): unknown => ({
  ...(written as object),
  ...(Object.keys(files).length > 0 && { 'named files': files }),
});

function viewOf(row: ConfigurationRow): ConfigurationView {
  return {
    version: row.version,
    at_ms: row.at_ms,
    cause: row.cause as ConfigurationCause,
    by: { kind: row.actor_kind, id: row.actor_id },
    digest: row.digest,
    pending: JSON.parse(row.pending) as string[],
    overrides: shownIn(row).overrides,
  };
}
