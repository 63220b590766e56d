import { silentLogger } from '../../../test/harness/logs.ts';
import { accessConfig } from '../access/config.ts';
import { type EntryOptions, openEntry } from '../entry.ts';

type Needed = Pick<EntryOptions, 'db' | 'clock' | 'ids'>;

/** The entry as an empty configuration has it, without TLS and without a log of changes; `overrides` say what differs. */
export function openEntryForTest({ db, clock, ids, ...overrides }: Needed & Partial<EntryOptions>) {
  const settings = accessConfig.parse(undefined);
  return openEntry({
    logger: silentLogger,
    record: async () => 0,
    outbound: { request: () => Promise.reject(new Error('nothing goes out here')) },
    baseUrl: 'http://127.0.0.1:7070',
    settings: () => settings,
    open: false,
    secure: false,
    ...overrides,
    db,
    clock,
    ids,
  });
}
