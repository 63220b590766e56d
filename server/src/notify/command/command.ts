import { spawn } from 'node:child_process';
import { isAbsolute } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
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
  rateLimit: { messages: 60, perMs: 60_000 },
});

const INHERITED = ['PATH', 'LANG', 'TZ', 'HOME'];
/** What a program may write before it is ended. */
const MAX_OUTPUT_BYTES = 64 * 1024;
const MAX_SAID_CHARS = 300;
/** Between the request to end and the end. */
const GRACE_MS = 2 * SECOND_MS;
/** Faults that another try does not mend: of usage, data, configuration (sysexits.h, without EX_UNAVAILABLE, EX_OSERR, EX_IOERR, EX_TEMPFAIL), and a program that cannot be run. */
const FINAL_CODES = new Set([64, 65, 66, 67, 68, 70, 72, 73, 76, 77, 78, 126, 127]);
const FINAL_FAULTS = new Set(['ENOENT', 'EACCES', 'ENOEXEC', 'ENOTDIR']);

/** Runs a program with the message as JSON on its standard input. Exit 0 is delivered; each attempt has the same `NINES_KEY`. */
export function createCommand(config: CommandConfig, { clock }: Pick<ChannelDeps, 'clock'>): Channel {
  return {
    deliver: (attempt) => {
      const ended = Promise.withResolvers<Delivery>();
      const [program, ...args] = config.command;
      // A group of its own, so that what the program started ends with it.
      const child = spawn(program, args, {
        shell: false,
        detached: true,
        cwd: '/',
        env: environmentOf(config, attempt),
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const signalGroup = (signal: NodeJS.Signals): void => {
        try {
          if (child.pid !== undefined) process.kill(-child.pid, signal);
        } catch {
          // It is gone already.
        }
      };
      let said = '';
      let bytes = 0;
      let stopped: string | undefined;
      let killing: Disposable | undefined;
      const stop = (why: string): void => {
        if (stopped !== undefined) return;
        stopped = why;
        signalGroup('SIGTERM');
        killing = clock.after(GRACE_MS, () => signalGroup('SIGKILL'));
      };
      const onOutput = (chunk: Buffer): void => {
        bytes += chunk.length;
        if (bytes > MAX_OUTPUT_BYTES) stop(`it wrote more than ${MAX_OUTPUT_BYTES} bytes`);
        else said += chunk.toString('utf8');
      };
      const timer = clock.after(config.timeout, () => stop(`it did not end within ${config.timeout} ms`));
      const onAbort = (): void => stop('it was stopped');
      attempt.signal.addEventListener('abort', onAbort, { once: true });
      const end = (delivery: Delivery): void => {
        timer[Symbol.dispose]();
        killing?.[Symbol.dispose]();
        attempt.signal.removeEventListener('abort', onAbort);
        // What it left behind in its group ends too.
        signalGroup('SIGKILL');
        child.stdout.destroy();
        child.stderr.destroy();
        ended.resolve(delivery);
      };
      child.stdout.on('data', onOutput);
      child.stderr.on('data', onOutput);
      child.on('error', (fault: NodeJS.ErrnoException) =>
        end(failed(`${program}: ${messageOf(fault)}`, !FINAL_FAULTS.has(fault.code ?? ''))),
      );
      // `exit`, not `close`: a grandchild may hold the pipes open for ever.
      child.on('exit', (code, signal) => end(verdictOf({ program, code, signal, stopped, said })));
      // A program that reads nothing closes its end; that is its right.
      child.stdin.on('error', () => undefined);
      child.stdin.end(JSON.stringify(attempt.message));
      return ended.promise;
    },
  };
}

type Ended = {
  readonly program: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly stopped: string | undefined;
  readonly said: string;
};

function verdictOf({ program, code, signal, stopped, said }: Ended): Delivery {
  const words = cut(visible(said.trim()), MAX_SAID_CHARS);
  if (stopped !== undefined) return failed(`${program}: ${stopped}`, true);
  if (code === 0) return { kind: 'delivered', receipt: words === '' ? 'exit 0' : words };
  const how = code === null ? `ended by ${signal}` : `exit ${code}`;
  return failed(`${program}: ${how}${words === '' ? '' : `: ${words}`}`, code === null || !FINAL_CODES.has(code));
}

function environmentOf(config: CommandConfig, { message, idempotencyKey, reason }: Attempt): NodeJS.ProcessEnv {
  const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  const about = {
    NINES_KEY: idempotencyKey,
    NINES_REASON: reason,
    NINES_STATUS: message.status,
    NINES_TITLE: cut(visible(subjectOf(message)), 1_000),
  };
  return { ...Object.fromEntries(inherited), ...config.env, ...about };
}
