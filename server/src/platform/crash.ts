import { messageOf } from '@nines/base/errors.ts';

/** Of a chain of causes, and of errors that happened together, as many are told. */
const MAX_ERRORS = 8;

export type CrashReport = {
  readonly version: string;
  readonly exitCode: number;
  /** Takes a text to people, without secrets. */
  readonly complain: (text: string) => void;
};

/** What nobody catches ends the process as it always would, but says what it was and where, without secrets. */
export function onCrash({ version, exitCode, complain }: CrashReport): Disposable {
  // Node hands over rejections that nobody handles here as well.
  const die = (thrown: unknown, origin: NodeJS.UncaughtExceptionOrigin): void => {
    try {
      const what =
        origin === 'unhandledRejection' ? 'a promise was rejected and nobody minded' : 'an error was thrown and nobody caught it';
      complain(`nines ${version} ended by a fault of its own; ${what}: ${told(thrown).join('\ncaused by: ')}`);
    } finally {
      process.exit(exitCode);
    }
  };
  process.on('uncaughtException', die);
  return { [Symbol.dispose]: () => void process.off('uncaughtException', die) };
}

/** Each with where it came from, the outermost first. */
function told(thrown: unknown): readonly string[] {
  const texts: string[] = [];
  const next: unknown[] = [thrown];
  for (let one = next.shift(); one !== undefined && texts.length < MAX_ERRORS; one = next.shift()) {
    texts.push(one instanceof Error ? (one.stack ?? one.message) : messageOf(one));
    if (one instanceof Error && one.cause !== undefined) next.push(one.cause);
    if (one instanceof AggregateError) next.push(...(one.errors as unknown[]));
  }
  return texts.length === 0 ? [String(thrown)] : texts;
}
