import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { ProgramEnd } from '../../platform/programs.ts';
import { cut, visible } from '../brief.ts';
import type { Attempt, Channel, Delivery } from '../contract.ts';
import { failed } from '../exchange.ts';
import { common, timeout } from '../fields.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';
import { subjectOf } from '../text.ts';

const argument = z.string().refine((text) => !text.includes('\0'), 'a NUL character cannot be passed to a program');

const schema = z.strictObject({
  ...common,
  kind: z.literal('command'),
  /** The program, by its whole path, and its arguments. They are passed as they stand: no shell reads them and nothing of an alert is put into them. */
  command: z.tuple([argument.refine(isAbsolute, 'write the whole path of the program')], argument),
  /** Variables of the program's environment; besides them it sees PATH, LANG, TZ and HOME alone. */
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), argument).default({}),
  timeout,
});
export type CommandConfig = z.output<typeof schema>;

export const commandKind = channelKind({
  schema,
  open: createCommand,
  target: ({ command }) => command[0],
  onlyInFile: 'it runs a program on this machine',
  rateLimit: { messages: 60, perMs: 60_000 },
});

/** What a program may write before it is ended. */
const MAX_OUTPUT_BYTES = 64 * 1024;
const MAX_SAID_CHARS = 300;
/** Faults that another try does not mend: of usage, data, configuration (sysexits.h, without EX_UNAVAILABLE, EX_OSERR, EX_IOERR, EX_TEMPFAIL), and a program that cannot be run. */
const FINAL_CODES = new Set([64, 65, 66, 67, 68, 70, 72, 73, 76, 77, 78, 126, 127]);
const FINAL_FAULTS = new Set(['ENOENT', 'EACCES', 'ENOEXEC', 'ENOTDIR']);

/** Runs a program with the message as JSON on its standard input. Exit 0 is delivered; each attempt has the same `NINES_KEY`. */
export function createCommand(config: CommandConfig, { clock, run }: Pick<ChannelDeps, 'clock' | 'run'>): Channel {
  const { id, command, timeout: timeoutMs } = config;
  return {
    async deliver(attempt) {
      const end = await run(
        {
          argv: command,
          // Channels are declared in the configuration file only, which is the list of what they may run.
          listed: [command[0]],
          cause: { kind: 'channel', id, isRoutine: false },
          env: environmentOf(config, attempt),
          input: JSON.stringify(attempt.message),
          ownDirectory: true,
        },
        { clock, signal: attempt.signal, timeoutMs, maxOutputBytes: MAX_OUTPUT_BYTES, onMore: 'stop' },
      );
      return verdictOf(command[0], end);
    },
  };
}

function verdictOf(program: string, end: ProgramEnd): Delivery {
  switch (end.kind) {
    case 'refused':
      // What the system refuses for want of processes or memory may go another time.
      return failed(`${program}: ${end.why}`, end.code !== undefined && !FINAL_FAULTS.has(end.code));
    case 'stopped':
      return failed(`${program}: ${end.why}`, true);
    case 'exited': {
      const { code, signal, output } = end;
      const words = cut(visible(output.trim()), MAX_SAID_CHARS);
      if (code === 0) return { kind: 'delivered', receipt: words === '' ? 'exit 0' : words };
      const how = code === null ? `ended by ${signal}` : `exit ${code}`;
      return failed(`${program}: ${how}${words === '' ? '' : `: ${words}`}`, code === null || !FINAL_CODES.has(code));
    }
  }
}

const environmentOf = (config: CommandConfig, { message, idempotencyKey, reason }: Attempt): Record<string, string> => ({
  ...config.env,
  NINES_KEY: idempotencyKey,
  NINES_REASON: reason,
  NINES_STATUS: message.status,
  NINES_TITLE: cut(visible(subjectOf(message)), 1_000),
});
