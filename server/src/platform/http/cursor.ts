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
