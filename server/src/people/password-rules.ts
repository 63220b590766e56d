import { AppError } from '@nines/base/errors.ts';
import { isCommon } from './common-passwords.ts';
import { PEOPLE_CODES, type PasswordJudgement } from './contract.ts';
import { type PasswordContext, adviceOn, judgePassword } from './judge.ts';

/** Of whom a password is. */
export type Whose = Omit<PasswordContext, 'host'>;

/** What this installation takes as a password. */
export class PasswordRules {
  readonly #host: string | undefined;

  /** `host` is this server's name, which guessers know. */
  constructor(host: string | undefined) {
    this.#host = host;
  }

  /** For the pages, while somebody types. */
  judge(password: string, whose: Whose): PasswordJudgement {
    const judged = judgePassword(password, { ...whose, host: this.#host }, isCommon);
    return { acceptable: judged.ok, reason: judged.ok ? null : judged.error, advice: judged.ok ? (adviceOn(password) ?? null) : null };
  }

  /** `AppError` `password_refused`. */
  require(password: string, whose: Whose, field = 'password'): void {
    const { reason } = this.judge(password, whose);
    if (reason !== null) throw new AppError('bad_input', PEOPLE_CODES.passwordRefused, reason, { field });
  }
}
