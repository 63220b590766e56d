import { type NotificationView, causeWithin } from './contract.ts';
import type { NotificationFilter } from './store.ts';

/** Rows that are read at a time while those inside are looked for. */
const SCANNED_AT_A_TIME = 1_000;

export type Listing = {
  readonly list: (filter: NotificationFilter) => Promise<readonly NotificationView[]>;
  /** Those of these alerts that are inside. */
  readonly seen: (alerts: readonly string[]) => Promise<ReadonlySet<string>>;
};

/** What was sent about alerts that somebody sees, at most `limit`. Whatever is about none of them, as tests of channels are, is not theirs. */
export async function listWithin(filter: NotificationFilter, { list, seen }: Listing): Promise<readonly NotificationView[]> {
  const found: NotificationView[] = [];
  for (let after = filter.after; found.length < filter.limit; ) {
    const rows = await list({ ...filter, after, limit: SCANNED_AT_A_TIME });
    const inside = await seen(rows.flatMap(({ alerts }) => alerts));
    found.push(...rows.flatMap((row) => notificationWithin(row, inside)));
    const last = rows.at(-1);
    if (last === undefined || rows.length < SCANNED_AT_A_TIME) break;
    after = { atMs: last.created_at_ms, id: last.id };
  }
  return found.slice(0, filter.limit);
}

/** A message about several alerts names those that are seen; what kept it from people may be somebody else's. */
function notificationWithin(row: NotificationView, inside: ReadonlySet<string>): readonly NotificationView[] {
  const alerts = row.alerts.filter((id) => inside.has(id));
  return alerts.length === 0 ? [] : [{ ...row, alerts, cause: causeWithin(row) }];
}
