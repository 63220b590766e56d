import type { Logger } from '@nines/base/logger.ts';
import { HIDDEN, scrub } from './scrub.ts';
import { destination, type DestinationStream, type Logger as Pino, pino } from 'pino';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Field names whose values never reach a line, at the top and one level down; deeper secrets are `Secret` values, whose texts are scrubbed from the whole line. */
const SECRET_FIELDS = ['password', 'token', 'secret', 'authorization', 'cookie', 'credentials', 'api_key'] as const;

export type LogOptions = {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Where lines go; standard error by default, because standard output belongs to data. */
  readonly to?: DestinationStream;
};

/** One line per event on standard error: JSON for machines, plain text for a terminal. Time comes from the wall clock of the line. */
export function createLogger(options: LogOptions): Logger & { setLevel(level: LogLevel): void } {
  const to = scrubbing(options.to ?? destination({ fd: 2, sync: true }));
  const root = pino(
    {
      level: options.level,
      base: null,
      redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]), censor: HIDDEN },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
    },
    options.format === 'json' ? to : textLines(to),
  );
  return { ...wrap(root), setLevel: (level) => void (root.level = level) };
}

const scrubbing = (to: DestinationStream): DestinationStream => ({ write: (line) => to.write(scrub(line)) });

function wrap(to: Pino): Logger {
  return {
    debug: (message, fields) => to.debug(plain(fields), message),
    info: (message, fields) => to.info(plain(fields), message),
    warn: (message, fields) => to.warn(plain(fields), message),
    error: (message, fields) => to.error(plain(fields), message),
    child: (fields) => wrap(to.child(plain(fields))),
  };
}

/** Errors print as `{}` in JSON; their message and stack are what a reader needs. */
function plain(fields: Record<string, unknown> | undefined): Record<string, unknown> {
  if (fields === undefined) return {};
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? (value.stack ?? value.message) : value]),
  );
}

/** What others sent, such as the answer of a receiver, must not move the cursor of whoever reads; nor pass for a line of ours; stacks keep their lines, indented. */
const harmless = (text: string): string =>
  text.replace(/[^\P{Cc}\n\t]/gu, (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`).replaceAll('\n', '\n  ');

/** `12:00:01.123 warn  message  name=value`, made from pino's JSON so that redaction happens in one place. */
function textLines(to: DestinationStream): DestinationStream {
  return {
    write(line) {
      const { level, time, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const rest = Object.entries(fields).map(
        ([name, value]) => `${name}=${typeof value === 'string' ? harmless(value) : JSON.stringify(value)}`,
      );
      to.write(
        `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${harmless(String(message))}${rest.map((text) => `  ${text}`).join('')}\n`,
      );
    },
  };
}
