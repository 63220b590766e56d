import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { ErasePerson, RecordAudit } from './audit/contract.ts';
import type { Db } from './platform/db/open.ts';
import { Roles } from './roles/service.ts';
import { Sessions } from './sessions/service.ts';
import { Directory } from './people/directory.ts';
import { PasswordRules } from './people/password-rules.ts';
import { PersonLinks } from './people/links.ts';

export type OpenDirectory = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  readonly url: string;
  /** Of the configuration. */
  readonly roles: Parameters<Roles['declare']>[0];
};

/** The directory beside a running server, for the command line, which removes nobody. A server forgets ended sessions within seconds. */
export async function openDirectory({ url, roles: declared, ...shared }: OpenDirectory): Promise<Directory> {
  const sessions = new Sessions({ ...shared, onEnded: () => {} });
  const rules = new PasswordRules(new URL(url).hostname);
  const links = new PersonLinks({ ...shared, sessions, rules, passwordLogin: () => true });
  const roles = new Roles({ ...shared, holders: async () => [] });
  await roles.declare(declared);
  const erase: ErasePerson = () => Promise.reject(new Error('BUG: the command line removes nobody'));
  const factors = { forget: async (): Promise<void> => {} };
  return new Directory({ ...shared, erase, sessions, links, factors, permitsOf: (role) => roles.permitsOf(role) });
}
