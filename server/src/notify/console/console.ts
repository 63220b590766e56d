import { z } from 'zod';
import { visible } from '../brief.ts';
import type { Channel } from '../contract.ts';
import { common } from '../fields.ts';
import { channelKind } from '../kind.ts';
import { plainOf } from '../text.ts';

export const consoleKind = channelKind({
  schema: z.strictObject({ ...common, kind: z.literal('console') }),
  open: (_config, { write }) => createConsole(write),
  target: () => 'the terminal',
  onlyInFile: 'it writes to the terminal that the server was started from',
});

/** Readable text for a person at a terminal. `write` is the terminal; control characters, which could move its cursor, become pictures. */
export function createConsole(write: (text: string) => void): Channel {
  return {
    async deliver({ message, idempotencyKey, words }) {
      write(`${visible(words?.text ?? plainOf(message))}\n\n`);
      return { kind: 'delivered', receipt: idempotencyKey };
    },
  };
}
