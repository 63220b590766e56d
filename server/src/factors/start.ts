import type { PendingLogins } from '../people/contract.ts';
import type { SessionBook } from '../sessions/contract.ts';
import type { FactorDeps } from './answers.ts';
import type { PeopleBook } from './people.ts';
import { Factors } from './service.ts';
import { SignIn } from './sign-in.ts';
import { StepUp } from './step-up.ts';

export type FactorSettings = Pick<FactorDeps, 'secrets'> & {
  /** How people reach the server; passkeys are tied to it. */
  readonly baseUrl: string | undefined;
};

export type FactorParts = FactorDeps &
  FactorSettings & {
    readonly sessions: SessionBook;
    readonly pending: PendingLogins;
    readonly people: PeopleBook;
    /** As the configuration says now. */
    readonly policy: () => {
      readonly require_second_factor: readonly string[];
      readonly step_up: number;
      readonly password_login: boolean;
    };
  };

/** Second factors of people, signing in with them, and proving oneself anew. */
export function openFactors({ policy, baseUrl, ...parts }: FactorParts) {
  const host = baseUrl === undefined ? 'localhost' : new URL(baseUrl).host;
  const factors = new Factors({ ...parts, host, requiredFor: () => policy().require_second_factor });
  const signIn = new SignIn({ ...parts, answers: factors.answers, passwordLogin: () => policy().password_login });
  const stepUp = new StepUp({ ...parts, factors, maxAgeMs: () => policy().step_up });
  return { factors, signIn, stepUp, baseUrl };
}
