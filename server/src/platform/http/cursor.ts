import { AppError } from '@nines/base/errors.ts';

/** The last item of a page of a list that is sorted by instant and id. Clients send back what they got: `<instant>~<id>`. */
export type Cursor = { readonly atMs: number; readonly id: string };

/** Undefined at the beginning of a list. `AppError` `bad_cursor`. */
export function parseCursor(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  const [at = '', id = ''] = text.split('~');
  if (!/^\d+$/.test(at) || id === '')
    throw new AppError('bad_input', 'bad_cursor', 'not a cursor that this list gave', { field: 'cursor' });
  return { atMs: Number(at), id };
}

/** Rows read at a time where some of them are not shown. */
const MIN_LOOKED_AT = 100;

type SeenPage<T> = {
  readonly limit: number;
  readonly after: Cursor | undefined;
  readonly cursorOf: (row: T) => Cursor;
  /** Whether the reader may know of it; all of them when absent. */
  readonly sees: ((row: T) => boolean | Promise<boolean>) | undefined;
  readonly fetch: (limit: number, after: Cursor | undefined) => Promise<readonly T[]>;
};

/**
 * A page of what its reader sees, full while there is more. Its cursor is of the last row that is shown: one of a row that is not would
 * say that it exists, when it was and what it is called.
 */
export async function pageOfSeen<T>({ limit, after, cursorOf, sees, fetch }: SeenPage<T>): Promise<ReturnType<typeof pageOf<T>>> {
  const asked = sees === undefined ? limit + 1 : Math.max(limit + 1, MIN_LOOKED_AT);
  const found: T[] = [];
  let from = after;
  for (;;) {
    const rows = await fetch(asked, from);
    for (const row of rows) if (found.length <= limit && (sees === undefined || (await sees(row)))) found.push(row);
    const last = rows.at(-1);
    if (found.length > limit || rows.length < asked || last === undefined) return pageOf(found, limit, cursorOf);
    from = cursorOf(last);
  }
}

/** The first `limit` of `found`, for which one more was asked, and the cursor of the next page, or null at the end of the list. */
export function pageOf<T>(
  found: readonly T[],
  limit: number,
  cursorOf: (last: T) => Cursor,
): { readonly items: readonly T[]; readonly next: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  if (found.length <= limit || last === undefined) return { items, next: null };
  const { atMs, id } = cursorOf(last);
  return { items, next: `${atMs}~${id}` };
}
