/**
 * The selection after one more choice. Without an anchor the row is toggled; with one, every row between the two is
 * chosen. An anchor that left the list counts as none.
 */
export function toggleSelection(
  ids: readonly string[],
  chosen: ReadonlySet<string>,
  choice: { readonly id: string; readonly anchor: string | null },
): ReadonlySet<string> {
  const next = new Set(ids.filter((id) => chosen.has(id)));
  const from = choice.anchor === null ? -1 : ids.indexOf(choice.anchor);
  const to = ids.indexOf(choice.id);
  if (from >= 0 && to >= 0) {
    for (const id of ids.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(id);
  } else if (!next.delete(choice.id)) {
    next.add(choice.id);
  }
  return next;
}
