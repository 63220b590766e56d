import type { Logger } from '@nines/base/logger.ts';

export type LogLine = {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

/** A logger that keeps its lines for assertions. */
export function recordingLogger(lines: LogLine[] = [], fields: Record<string, unknown> = {}): Logger & { readonly lines: LogLine[] } {
  const at =
    (level: LogLine['level']) =>
    (message: string, more: Record<string, unknown> = {}): void =>
      void lines.push({ level, message, fields: { ...fields, ...more } });
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => recordingLogger(lines, { ...fields, ...more }),
  };
}

/** Says nothing and keeps nothing, for tests that do not look at the log. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLogger };
