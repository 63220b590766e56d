import type { Channel } from '../contract.ts';
import { plainOf } from '../text.ts';

/** Control characters could move the cursor or hide text on the terminal of whoever reads; line breaks and tabs may stay. */
const isControl = (code: number): boolean => (code < 0x20 && code !== 0x0a && code !== 0x09) || (code >= 0x7f && code < 0xa0);
const withoutControl = (text: string): string =>
  Array.from(text, (char) => (isControl(char.codePointAt(0) ?? 0) ? '\ufffd' : char)).join('');

/** Readable text for a person at a terminal. `write` is the terminal. */
export function createConsole(write: (text: string) => void): Channel {
  return {
    async deliver({ message, idempotencyKey }) {
      write(`${withoutControl(plainOf(message))}\n\n`);
      return { kind: 'delivered', receipt: idempotencyKey };
    },
  };
}
