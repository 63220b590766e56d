import fs from 'node:fs';
import path from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import Database from 'better-sqlite3';
import {
  CorruptData,
  type NewPage,
  type PageChange,
  type PageHead,
  type PageStore,
  type PageTotals,
  type PageWindow,
  ROLLUP_WINDOW_MS,
  type Resolution,
  type SeriesSpan,
  WINDOW_MS,
  rollupDayOf,
} from './contract.ts';
import { SqliteHolder } from './held-file.ts';
import { orphanedWal } from './sqlite-wal.ts';
import { unavailable } from './unavailable.ts';

/**
 * Pages in SQLite rows: a change is one transaction, retention and deletion are row deletions, a copy can be taken while the
 * store runs. WAL mode with `synchronous = FULL`, so a commit is on disk when it returns. The table is drawn in docs/format/pages.md.
 */
export const PAGES_FILE = 'pages.db';
/**
 * Half a unit is lost at the end of each row and of each table. Half a million samples of real scrapes: 238 KB at 4 KB, 207 at
 * 2 KB, 193 at 1 KB, where a row of 16 KB would take sixteen reads.
 */
const SQLITE_PAGE_BYTES = 2 * 1024;
/** The write-ahead file beside the pages is taken over into them at this size. */
const WAL_BYTES = 4 * 1024 * 1024;
/** Unused space is given back to the system when it is more than this share of the file; the rest serves the next flush. */
const FREE_SHARE = 0.25;
/** Version 3 has the tables of version 2, and pages with bits beside the zstd frame, which a program that knows 2 would call damaged. */
const SCHEMA_VERSION = 3;
const SAME_TABLES_VERSION = 2;
/** Rows of series that are read together: calling SQLite for each takes longer than reading it. */
const SPANS_AT_ONCE = 1024;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS labels (id INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL, block BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS series (
  ref INTEGER PRIMARY KEY, labels_id INTEGER NOT NULL, oldest_ms INTEGER NOT NULL, newest_ms INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS pages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, resolution_ms INTEGER NOT NULL, window_ms INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
  metric_from TEXT NOT NULL, metric_to TEXT NOT NULL, segment INTEGER NOT NULL, samples INTEGER NOT NULL,
  bytes INTEGER NOT NULL, refs BLOB NOT NULL, data BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS pages_by_resolution ON pages (resolution_ms, window_ms, metric_from, metric_to, bytes);
CREATE INDEX IF NOT EXISTS pages_by_segment ON pages (segment);
CREATE TABLE IF NOT EXISTS days (day_ms INTEGER PRIMARY KEY, changed INTEGER NOT NULL, after_id INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS totals (
  resolution_ms INTEGER PRIMARY KEY, pages INTEGER NOT NULL, samples INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO totals VALUES (0, 0, 0, 0), (300000, 0, 0, 0), (3600000, 0, 0, 0);
`;

/** From version 1, which knew no rollups. The added column stands behind the samples; the index spares reading it there. */
const FROM_VERSION_1 = `
ALTER TABLE pages ADD COLUMN resolution_ms INTEGER NOT NULL DEFAULT 0;
DROP INDEX pages_by_window;
ALTER TABLE totals RENAME TO totals_1;
${SCHEMA}
UPDATE totals SET (pages, samples, bytes) = (SELECT pages, samples, bytes FROM totals_1) WHERE resolution_ms = 0;
DROP TABLE totals_1;
INSERT INTO days SELECT DISTINCT window_ms - window_ms % 86400000, 1, NULL FROM pages;
INSERT OR IGNORE INTO days SELECT DISTINCT window_ms - 86400000, 1, NULL FROM pages WHERE window_ms % 86400000 = 0 AND from_ms = window_ms;
`;

type RemovedRow = { resolution_ms: Resolution; window_ms: number; from_ms: number; to_ms: number; samples: number; bytes: number };
/** The columns of a row that say what its page is. */
export type HeadColumns = {
  resolution_ms: Resolution;
  window_ms: number;
  from_ms: number;
  to_ms: number;
  metric_from: string;
  metric_to: string;
  segment: number;
  samples: number;
  refs: Uint8Array;
};
type HeadRow = HeadColumns & { id: number; bytes: number };
const HEAD_COLUMNS = 'id, resolution_ms, window_ms, from_ms, to_ms, metric_from, metric_to, segment, samples, bytes, refs';

export const headOf = (row: HeadColumns): Omit<NewPage, 'id' | 'data'> => ({
  resolutionMs: row.resolution_ms,
  windowMs: row.window_ms,
  fromMs: row.from_ms,
  toMs: row.to_ms,
  metricFrom: row.metric_from,
  metricTo: row.metric_to,
  segment: row.segment,
  samples: row.samples,
  refs: row.refs,
});

const toHead = (row: HeadRow): PageHead => ({ id: row.id, bytes: row.bytes, ...headOf(row) });

/** Opens (or makes) the page store of a directory. Throws `StoreUnavailable` when it cannot be used. */
export const openPageStore = (dir: string): PageStore => openPageFile(path.join(dir, PAGES_FILE));

/** The same on a file of any name; `:memory:` for one that lives as long as the store. */
export function openPageFile(file: string): PageStore {
  refuseOrphanedWal(file);
  try {
    const db = new Database(file);
    db.pragma(`page_size = ${SQLITE_PAGE_BYTES}`);
    db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma(`wal_autocheckpoint = ${WAL_BYTES / SQLITE_PAGE_BYTES}`);
    db.pragma(`journal_size_limit = ${WAL_BYTES}`);
    const version = db.pragma('user_version', { simple: true });
    if (typeof version !== 'number' || version < 0 || version > SCHEMA_VERSION)
      throw new Error(`${PAGES_FILE} has format ${String(version)}, this program knows 1 to ${SCHEMA_VERSION}`);
    db.transaction(() => {
      db.exec(version === 1 ? FROM_VERSION_1 : SCHEMA);
      db.pragma(`user_version = ${SCHEMA_VERSION}`);
    })();
    return pageStoreOn(db, file);
  } catch (thrown) {
    throw isDamaged(thrown) ? damagedFile(file, thrown) : unavailable(thrown);
  }
}

function refuseOrphanedWal(file: string): void {
  const problem = orphanedWal(file);
  if (problem !== undefined) throw new StoreUnavailable('io', problem);
}

/**
 * The page store of a directory, to look at and nothing else: also beside a process that writes it. Undefined when there is none. Throws
 * `StoreUnavailable` when it cannot be opened.
 */
export function openPageStoreToRead(dir: string): (PageStore & { integrity(): readonly string[] }) | undefined {
  const file = path.join(dir, PAGES_FILE);
  refuseOrphanedWal(file);
  if (!fs.existsSync(file)) return undefined;
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true });
    const version = db.pragma('user_version', { simple: true });
    if (version !== SCHEMA_VERSION && version !== SAME_TABLES_VERSION) {
      db.close();
      throw new Error(
        `${file} has format ${String(version)}, this program reads ${SAME_TABLES_VERSION} and ${SCHEMA_VERSION}; starting the server once brings an older one up to date`,
      );
    }
    return { ...pageStoreOn(db, file), integrity: () => integrityOf(db) };
  } catch (thrown) {
    throw isDamaged(thrown) ? damagedFile(file, thrown) : unavailable(thrown);
  }
}

/** What SQLite finds wrong with the structure of its file, at most a hundred sentences. */
function integrityOf(db: Database.Database): readonly string[] {
  try {
    const found = (db.pragma('integrity_check(100)') as readonly { readonly integrity_check: string }[]).map((row) => row.integrity_check);
    return found.length === 1 && found[0] === 'ok' ? [] : found;
  } catch (thrown) {
    if (!isDamaged(thrown)) throw thrown;
    return [messageOf(thrown)];
  }
}

/** A row that SQLite cannot reach is damaged like one that does not decode: it costs only itself. */
function orCorrupt<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw isDamaged(thrown) ? new CorruptData(messageOf(thrown)) : thrown;
  }
}

const isDamaged = (thrown: unknown): boolean => {
  const code = (thrown as { readonly code?: unknown }).code;
  return code === 'SQLITE_NOTADB' || String(code).startsWith('SQLITE_CORRUPT');
};

const damagedFile = (file: string, cause: unknown): StoreUnavailable =>
  new StoreUnavailable(
    'io',
    `${file} is damaged (${messageOf(cause)}). Restore it from a backup, or move it away to start without its samples.`,
    { cause },
  );

function pageStoreOn(db: Database.Database, file: string): PageStore {
  const holder = new SqliteHolder(file);
  const labels = db.prepare<[], { id: number; block: Uint8Array }>('SELECT id, block FROM labels ORDER BY id');
  const find = db.prepare<[number, number, number, string, string, number, number], HeadRow>(
    `SELECT ${HEAD_COLUMNS} FROM pages
     WHERE resolution_ms = ? AND window_ms BETWEEN ? AND ? AND metric_from <= ? AND metric_to >= ? AND to_ms >= ? AND from_ms <= ? ORDER BY id`,
  );
  const afterSegment = db.prepare<[number], HeadRow>(`SELECT ${HEAD_COLUMNS} FROM pages WHERE segment > ? ORDER BY id`);
  const small = db.prepare<[number, number], HeadRow>(
    `SELECT ${HEAD_COLUMNS} FROM pages WHERE resolution_ms = 0 AND window_ms < ? AND bytes <= ? ORDER BY window_ms, id`,
  );
  const next = db.prepare<[number], HeadRow>(`SELECT ${HEAD_COLUMNS} FROM pages WHERE id > ? ORDER BY id LIMIT 1`);
  const last = db.prepare<[], { seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'pages'");
  const read = db.prepare<[number], { data: Uint8Array }>('SELECT data FROM pages WHERE id = ?');
  const meta = db.prepare<[string], { value: string }>('SELECT value FROM meta WHERE key = ?');
  const days = db.prepare<[], { day_ms: number; current: number }>(
    'SELECT day_ms, changed = 0 AND after_id IS NULL AS current FROM days ORDER BY day_ms',
  );
  const windows = db.prepare<[number], PageWindow>(
    `SELECT window_ms AS windowMs, count(*) AS pages, sum(bytes) AS bytes, max(id) AS lastId
     FROM pages WHERE resolution_ms = ? GROUP BY window_ms ORDER BY window_ms`,
  );
  const totals = totalsOf(db);
  const commit = committer(db);
  return {
    labels: () => labels.iterate(),
    spans: () => spansOf(db),
    find: ({ resolutionMs = 0, fromMs, toMs, metricFrom = '', metricTo = LAST_TEXT }) => {
      const [from, to] = [clamp(fromMs), clamp(toMs)];
      // A window that starts this long before a range may still reach into it.
      const windowMs = resolutionMs === 0 ? WINDOW_MS : ROLLUP_WINDOW_MS;
      return find.all(resolutionMs, from - windowMs, to, metricTo, metricFrom, from, to).map(toHead);
    },
    findAfterSegment: (segment) => afterSegment.all(segment).map(toHead),
    small: (beforeMs, bytes) => {
      const windows = Map.groupBy(small.all(clamp(beforeMs), bytes).map(toHead), (page) => page.windowMs);
      return new Map([...windows].filter(([, pages]) => pages.length > 1));
    },
    next: (afterId) => {
      const row = orCorrupt(() => next.get(afterId));
      return row === undefined ? undefined : toHead(row);
    },
    lastId: () => last.get()?.seq ?? 0,
    read: (id) => orCorrupt(() => read.get(id)?.data),
    commit: (change) => {
      try {
        commit(change);
        if (change.removePages !== undefined && change.removePages.length > 0) giveBack(db);
      } catch (thrown) {
        throw unavailable(thrown);
      } finally {
        totals.forget();
      }
    },
    meta: (key) => meta.get(key)?.value,
    windows: (resolutionMs) => windows.all(resolutionMs),
    days: () => days.all().map((row) => ({ dayMs: row.day_ms, current: row.current === 1 })),
    totals: (resolutionMs) => totals.get(resolutionMs),
    hold: () => {
      try {
        return holder.hold(db);
      } catch (thrown) {
        throw unavailable(thrown);
      }
    },
    close: () => {
      db.close();
      holder.close();
    },
  };
}

type Totals = { get(resolutionMs: Resolution): PageTotals; forget(): void };

/** Every query asks for them, so they are read once per change; nobody else writes to the file. */
function totalsOf(db: Database.Database): Totals {
  const read = db.prepare<[number], PageTotals>('SELECT pages, samples, bytes FROM totals WHERE resolution_ms = ?');
  const known = new Map<Resolution, PageTotals>();
  return {
    get(resolutionMs) {
      const totals = known.get(resolutionMs) ?? read.get(resolutionMs) ?? { pages: 0, samples: 0, bytes: 0 };
      known.set(resolutionMs, totals);
      return totals;
    },
    forget: () => known.clear(),
  };
}

function giveBack(db: Database.Database): void {
  const free = Number(db.pragma('freelist_count', { simple: true }));
  if (free > FREE_SHARE * Number(db.pragma('page_count', { simple: true }))) db.pragma('incremental_vacuum');
}

function* spansOf(db: Database.Database): Generator<SeriesSpan> {
  const spans = db
    .prepare<[number, number], [ref: number, oldestMs: number, newestMs: number]>(
      'SELECT ref, oldest_ms, newest_ms FROM series WHERE ref > ? ORDER BY ref LIMIT ?',
    )
    .raw();
  for (let after = -1, rows; (rows = spans.all(after, SPANS_AT_ONCE)).length > 0; )
    for (const [ref, oldestMs, newestMs] of rows) yield { ref: (after = ref), oldestMs, newestMs };
}

/** Sorts after every metric name in UTF-8 byte order. */
const LAST_TEXT = '\u{10ffff}\u{10ffff}';
/** SQLite's integers hold more, but JavaScript's numbers do not. */
const clamp = (ms: number): number => Math.max(-(2 ** 52), Math.min(2 ** 52, Math.floor(ms)));

/** What widening starts from. */
const EMPTY_SPAN = { oldestMs: 2 ** 52, newestMs: -(2 ** 52) } as const;

function committer(db: Database.Database): (change: PageChange) => void {
  const addLabels = db.prepare<[number, Uint8Array]>('INSERT INTO labels (series, block) VALUES (?, ?)');
  const addSeries = db.prepare<[number, number | bigint, number, number]>(
    'INSERT INTO series (ref, labels_id, oldest_ms, newest_ms) VALUES (?, ?, ?, ?)',
  );
  const putSpan = db.prepare<[SeriesSpan]>(
    'UPDATE series SET oldest_ms = min(oldest_ms, @oldestMs), newest_ms = max(newest_ms, @newestMs) WHERE ref = @ref',
  );
  const removeSeries = db.prepare<[number], { labels_id: number }>('DELETE FROM series WHERE ref = ? RETURNING labels_id');
  const releaseLabels = db.prepare<[number]>('UPDATE labels SET series = series - 1 WHERE id = ?');
  const removeLabels = db.prepare('DELETE FROM labels WHERE series <= 0');
  const addPage = db.prepare(
    `INSERT INTO pages (id, resolution_ms, window_ms, from_ms, to_ms, metric_from, metric_to, segment, samples, bytes, refs, data)
     VALUES (@id, @resolutionMs, @windowMs, @fromMs, @toMs, @metricFrom, @metricTo, @segment, @samples, @bytes, @refs, @data)`,
  );
  const removePage = db.prepare<[number], RemovedRow>(
    'DELETE FROM pages WHERE id = ? RETURNING resolution_ms, window_ms, from_ms, to_ms, samples, bytes',
  );
  // Kept, because counting would read the first page of every row.
  const count = db.prepare<[number, number, number, number]>(
    'UPDATE totals SET pages = pages + ?, samples = samples + ?, bytes = bytes + ? WHERE resolution_ms = ?',
  );
  const putMeta = db.prepare<[string, string]>(
    'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const days = dayKeeper(db);
  return db.transaction((change: PageChange) => {
    if (change.addLabels !== undefined) {
      const { refs, block } = change.addLabels;
      const { lastInsertRowid } = addLabels.run(refs.length, block);
      for (const ref of refs) addSeries.run(ref, lastInsertRowid, EMPTY_SPAN.oldestMs, EMPTY_SPAN.newestMs);
    }
    for (const span of change.putSpans ?? []) putSpan.run(span);
    for (const ref of change.removeSeries ?? []) {
      const row = removeSeries.get(ref);
      if (row !== undefined) releaseLabels.run(row.labels_id);
    }
    if (change.removeSeries !== undefined) removeLabels.run();
    const touched = new Set<number>();
    const remove = (id: number): RemovedRow | undefined => {
      const gone = removePage.get(id);
      if (gone !== undefined) count.run(-1, -gone.samples, -gone.bytes, gone.resolution_ms);
      return gone;
    };
    days.change(change, remove);
    for (const id of change.removePages ?? []) {
      const gone = remove(id);
      if (gone === undefined) continue;
      if (gone.resolution_ms > 0) touched.add(gone.window_ms);
      else touched.add(rollupDayOf(gone.from_ms)).add(rollupDayOf(gone.to_ms));
    }
    for (const page of change.addPages ?? []) {
      const bytes = page.refs.length + page.data.length;
      addPage.run({ id: null, ...(page satisfies NewPage), bytes });
      count.run(1, page.samples, bytes, page.resolutionMs);
      if (page.resolutionMs === 0) touched.add(rollupDayOf(page.fromMs)).add(rollupDayOf(page.toMs));
    }
    if (change.keepsRollups !== true) for (const dayMs of touched) days.markChanged(dayMs);
    for (const [key, value] of Object.entries(change.meta ?? {})) putMeta.run(key, value);
  });
}

/** Which days' rollups are up to date. */
function dayKeeper(db: Database.Database): {
  readonly change: (change: PageChange, remove: (pageId: number) => unknown) => void;
  readonly markChanged: (dayMs: number) => void;
} {
  const mark = db.prepare<[number]>('INSERT INTO days VALUES (?, 1, NULL) ON CONFLICT (day_ms) DO UPDATE SET changed = 1');
  const markAll = db.prepare(
    'UPDATE days SET changed = 1 WHERE day_ms >= (SELECT min(window_ms) - 86400000 FROM pages WHERE resolution_ms = 0)',
  );
  const begin = db.prepare<[number]>(
    `UPDATE days SET changed = 0, after_id = coalesce(after_id, (SELECT seq FROM sqlite_sequence WHERE name = 'pages'), 0) WHERE day_ms = ?`,
  );
  const end = db.prepare<[number]>('UPDATE days SET after_id = NULL WHERE day_ms = ?');
  const rollups = (op: '>' | '<=') =>
    db.prepare<[number], { id: number }>(
      `SELECT pages.id FROM pages JOIN days ON day_ms = window_ms
       WHERE resolution_ms IN (300000, 3600000) AND window_ms = ? AND pages.id ${op} after_id`,
    );
  const newer = rollups('>');
  const older = rollups('<=');
  return {
    change: ({ beginDay, endDay, allDaysDue }, remove) => {
      if (allDaysDue === true) markAll.run();
      if (beginDay !== undefined) {
        // Before `after_id` is set this finds nothing: only an attempt that a crash ended has left pages.
        for (const { id } of newer.all(beginDay)) remove(id);
        begin.run(beginDay);
      }
      if (endDay === undefined) return;
      for (const { id } of older.all(endDay)) remove(id);
      end.run(endDay);
    },
    markChanged: (dayMs) => void mark.run(dayMs),
  };
}
