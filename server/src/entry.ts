import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { FastifyRequest } from 'fastify';
import type { ErasePerson, RecordAudit } from './audit/contract.ts';
import type { SecondFactors } from './people/contract.ts';
import { type FactorSettings, openFactors } from './factors/start.ts';
import { examiner } from './people/examine.ts';
import { Directory } from './people/directory.ts';
import { PasswordRules } from './people/password-rules.ts';
import { PersonLinks } from './people/links.ts';
import { PendingSignIns } from './people/pending.ts';
import { People } from './people/service.ts';
import type { Holder } from './roles/contract.ts';
import type { Db } from './platform/db/open.ts';
import type { Actor, Role } from './platform/http/contract.ts';
import { createThrottle } from './platform/throttle.ts';
import type { Logger } from '@nines/base/logger.ts';
import { createProvidedPeople } from './people/provided.ts';
import type { Outbound } from './platform/fetch/outbound.ts';
import type { z } from 'zod';
import type { accessConfig } from './access/config.ts';
import { sessionCookie } from './sessions/cookie.ts';
import { Sessions } from './sessions/service.ts';
import { attemptCookie } from './sso/cookie.ts';
import { SingleSignOn } from './sso/service.ts';
import type { TokenRefusal } from './tokens/judge.ts';
import { Tokens } from './tokens/service.ts';
import { Roles } from './roles/service.ts';
import { OPEN_ACTOR } from './access/contract.ts';
import { Access, Remembered } from './access/service.ts';

export type AccessSettings = z.output<typeof accessConfig>;

export type EntryOptions = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly record: RecordAudit;
  readonly outbound: Pick<Outbound, 'request'>;
  /** How people reach this server. */
  readonly baseUrl: string;
  /** `access:` of the configuration as it is now. */
  readonly settings: () => AccessSettings;
  /** --insecure-no-auth */
  readonly open: boolean;
  /** Requests arrive over TLS. */
  readonly secure: boolean;
  /** Without it nobody has a second factor, unless `factors` says so. */
  readonly second?: FactorSettings;
  readonly factors?: SecondFactors;
  /** A token was shown that opens nothing. */
  readonly onRefused?: (reason: TokenRefusal) => void;
  /** Absent: there is no audit log that names anybody. */
  readonly erase?: ErasePerson;
  /** The page somebody chose to begin with. */
  readonly landingOf?: (personId: string) => Promise<string | null>;
  /** Sessions or tokens have ended: what is open because of them is to be examined again. */
  readonly onEnded?: () => void;
};

const NOBODY_ERASED: ErasePerson = async () => {};

const NO_FACTORS: SecondFactors = { required: async () => [], forget: async () => {} };

export type Entry = ReturnType<typeof openEntry>;

/** Who may come in: people with sessions, programs with tokens, and the gate that knows both. */
export function openEntry({ settings, open, secure, second: opened, factors: given = NO_FACTORS, ...options }: EntryOptions) {
  const { erase = NOBODY_ERASED, onEnded = () => {}, ...shared } = options;
  const cookie = sessionCookie({ secure });
  const remembered = new Remembered();
  const ended = (): void => {
    remembered.clear();
    onEnded();
  };
  const sessions = new Sessions({ ...shared, onEnded: ended });
  const tokens = new Tokens({
    ...shared,
    onChanged: ended,
    judgeRole: (by, role) => roles.judgeGift(by, role),
    permitsOfRole: (role) => roles.permitsOf(role),
    limits: () => ({ maxLifeMs: settings().tokens.max_life }),
  });
  const throttle = createThrottle();
  const pending = new PendingSignIns({ ...shared, sessions, passwords: throttle });
  const passwordLogin = (): boolean => settings().password_login;
  const examining = examiner({ ...shared, throttle });
  const parts = { ...shared, sessions, pending, people: examining, policy: settings };
  const second = opened === undefined ? undefined : openFactors({ ...parts, ...opened });
  const factors = second?.factors ?? given;
  const rules = new PasswordRules(new URL(shared.baseUrl).hostname);
  const links = new PersonLinks({ ...shared, sessions, rules, passwordLogin });
  const people = new People({ ...shared, sessions, rules, links, factors, pending, throttle, passwordLogin });
  const holders = async (): Promise<readonly Holder[]> => {
    const [users, programs] = await Promise.all([people.holders(), tokens.list()]);
    return [
      ...users.map(({ name, role }) => ({ kind: 'user' as const, name, role })),
      ...programs.map(({ name, role }) => ({ kind: 'token' as const, name, role })),
    ];
  };
  const roles = new Roles({ ...shared, holders });
  const sessionOf = (request: FastifyRequest) => cookie.read(request);
  const standing = second === undefined ? {} : { standing: second.stepUp };
  const access = new Access({ ...shared, sessions, tokens, roles, sessionOf, open, ...standing }, remembered);
  const permitsOf = (role: Role) => roles.find(role)?.permits ?? {};
  const directory = new Directory({ ...shared, erase, sessions, links, factors, permitsOf, boundsOf: (by) => tokens.boundsOf(by) });
  const sso = new SingleSignOn({ ...shared, sessions, people: createProvidedPeople({ ...shared, sessions }) });
  const take = (): void => sso.take(settings().oidc);
  take();
  const attempt = attemptCookie({ secure });
  /** Somebody as they are now, without a credential of theirs; undefined when they may not come in any more. */
  const actorNow = async ({ kind, id }: { readonly kind: string; readonly id: string }): Promise<Actor | undefined> => {
    if (open) return OPEN_ACTOR;
    await roles.refresh();
    const found = kind === 'user' ? await people.actorOf(id) : kind === 'token' ? await tokens.actorById(id) : undefined;
    return found === undefined ? undefined : access.within(found);
  };
  return {
    access,
    actorNow,
    gate: access,
    people,
    directory,
    links,
    pending,
    roles,
    sessions,
    tokens,
    cookie,
    sso,
    attempt,
    passwordLogin,
    second,
    /** Call it after a reload. */ take,
  };
}
