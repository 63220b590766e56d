import { type Result, err } from '@nines/base/result.ts';

/** Why no figure is given: a word for programs and a sentence for people, which says what would help. */
export type Refusal = { readonly reason: string; readonly message: string };

export type Answer<T> = Result<T, Refusal>;

export const refuse = (reason: string, message: string): { readonly ok: false; readonly error: Refusal } => err({ reason, message });
