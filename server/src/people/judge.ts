/**
 * Whether a password is good enough: length, and nothing that guessers try first. No rules of composition, any Unicode, nothing cut off.
 * Sources: OWASP ASVS 5.0, 6.2; NIST SP 800-63B-4, 3.1.1.2.
 */
import { type Result, err, ok } from '@nines/base/result.ts';
import { GOOD_PASSWORD_CHARS, MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, normalPassword } from './contract.ts';

/** What a guesser knows of the place and the person; their words are as good as a list. */
export type PasswordContext = { readonly name: string; readonly email?: string | null; readonly host?: string | undefined };

/** Words of every installation. */
const PRODUCT_WORDS = ['nines', 'monitoring', 'monitor', 'administrator', 'password'];
/** Shorter words stand in too many good passwords. */
const MIN_WORD_CHARS = 3;
/** A word that is known counts as the whole password when so few characters stand around it. */
const FEW_CHARS_AROUND = 4;

/** Letters that are written as digits and signs, all forms as one; applied to both sides of a comparison. */
const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '!': 'i',
  l: 'i',
  '|': 'i',
  '3': 'e',
  '4': 'a',
  '@': 'a',
  '5': 's',
  $: 's',
  '7': 't',
  '+': 't',
  '8': 'b',
};

/** As passwords are compared with known ones: small letters, and `p4$$w0rd` is `password`. */
export const foldPassword = (text: string): string =>
  normalPassword(text)
    .toLowerCase()
    .replace(/[01!l|34@5$7+8]/g, (character) => LEET[character] ?? character);

/** The reason is a sentence for the person. `isCommon` is asked about folded passwords. */
export function judgePassword(password: string, context: PasswordContext, isCommon: (folded: string) => boolean): Result<string, string> {
  const normal = normalPassword(password);
  const chars = Array.from(normal).length;
  if (chars < MIN_PASSWORD_CHARS) return err(`a password needs at least ${MIN_PASSWORD_CHARS} characters, this one has ${chars}`);
  if (chars > MAX_PASSWORD_CHARS) return err(`a password has at most ${MAX_PASSWORD_CHARS} characters, this one has ${chars}`);
  if (isPattern(normal)) return err('a password that repeats or counts is among the first that are tried; choose another');
  const folded = foldPassword(password);
  const bare = foldPassword(normal.replace(/^[^\p{Letter}]+|[^\p{Letter}]+$/gu, ''));
  const around = chars - Array.from(bare).length;
  if (isCommon(folded) || (around <= FEW_CHARS_AROUND && bare.length > FEW_CHARS_AROUND && isCommon(bare))) {
    return err('this password is among the first that are tried; choose another');
  }
  if (isMostly(folded, wordsOf(context))) return err('this password is little more than names that are known here; choose another');
  return ok(password);
}

/** What would make a good password better; undefined when nothing would. */
export const adviceOn = (password: string): string | undefined =>
  Array.from(normalPassword(password)).length < GOOD_PASSWORD_CHARS
    ? `${GOOD_PASSWORD_CHARS} characters or more resist guessing best: a few words do.`
    : undefined;

/** The same few characters again and again, or characters that count up or down. */
function isPattern(text: string): boolean {
  if (/^(.{1,4})\1+$/su.test(text)) return true;
  const codes = Array.from(text.toLowerCase(), (character) => character.codePointAt(0) ?? 0);
  const steps = new Set(codes.slice(1).map((code, i) => code - (codes[i] ?? 0)));
  return steps.size === 1 && (steps.has(1) || steps.has(-1));
}

/** The longest first, so that a short one does not cut a long one in pieces. */
function wordsOf({ name, email, host }: PasswordContext): readonly string[] {
  const parts = [name, ...name.split(/[\s._-]+/u), ...(email ?? '').split(/[@._+-]+/u), ...(host ?? '').split(/[.:-]+/u), ...PRODUCT_WORDS];
  const words = [...new Set(parts.map(foldPassword))].filter((word) => Array.from(word).length >= MIN_WORD_CHARS);
  return words.sort((a, b) => b.length - a.length);
}

/** Whether nothing but known words and a few characters around them is there. */
function isMostly(folded: string, words: readonly string[]): boolean {
  const left = words.reduce((text, word) => text.replaceAll(word, ''), folded);
  return left !== folded && Array.from(left).length <= FEW_CHARS_AROUND;
}
