import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { RecordAudit } from './audit/contract.ts';
import type { SecondFactors } from './people/contract.ts';
import { PendingSignIns } from './people/pending.ts';
import { People } from './people/service.ts';
import type { Db } from './platform/db/open.ts';
import { createThrottle } from './platform/throttle.ts';
import { sessionCookie } from './sessions/cookie.ts';
import { Sessions } from './sessions/service.ts';
import { Tokens } from './tokens/service.ts';
import { Access, Remembered } from './access/service.ts';

export type EntryOptions = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  /** --insecure-no-auth */
  readonly open: boolean;
  /** Requests arrive over TLS. */
  readonly secure: boolean;
  readonly factors?: SecondFactors;
};

const NO_FACTORS: SecondFactors = { required: async () => [], forget: async () => {} };

export type Entry = ReturnType<typeof openEntry>;

/** Who may come in: people with sessions, programs with tokens, and the gate that knows both. */
export function openEntry({ db, clock, ids, record, open, secure, factors = NO_FACTORS }: EntryOptions) {
  const cookie = sessionCookie({ secure });
  const remembered = new Remembered();
  const forget = (): void => remembered.clear();
  const sessions = new Sessions({ db, clock, ids, record, onEnded: forget });
  const tokens = new Tokens({ db, clock, ids, record, onRevoked: forget });
  const throttle = createThrottle();
  const pending = new PendingSignIns({ db, clock, ids, record, sessions, passwords: throttle });
  const people = new People({ db, clock, ids, record, sessions, factors, pending, throttle });
  const access = new Access({ clock, sessions, tokens, sessionOf: (request) => cookie.read(request), open }, remembered);
  return { access, people, pending, sessions, tokens, cookie };
}
