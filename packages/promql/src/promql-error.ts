import type { Position } from './ast.ts';

/** The kinds of Prometheus' HTTP API. */
export type PromqlErrorType = 'bad_data' | 'execution' | 'timeout' | 'canceled';

export type PromqlError = {
  readonly type: PromqlErrorType;
  /** As Prometheus words it: `1:5: parse error: unexpected end of input`. */
  readonly message: string;
  readonly position?: { readonly line: number; readonly column: number; readonly from: number; readonly to: number };
};

/** How failures travel inside this package; the entry points turn it into a `Result`. Never leaves the package. */
export class PromqlFailure extends Error {
  readonly type: PromqlErrorType;
  readonly position: Position | undefined;
  constructor(type: PromqlErrorType, message: string, position?: Position) {
    super(message);
    this.name = 'PromqlFailure';
    this.type = type;
    this.position = position;
  }
}

const encoder = new TextEncoder();

/** One-based line and column of an offset. Columns count bytes of UTF-8, as Prometheus' do. */
function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: encoder.encode(before.slice(before.lastIndexOf('\n') + 1)).length + 1 };
}

/** `line:column` as annotations and errors print it. */
export function formatPosition(text: string, position: Position): string {
  const { line, column } = lineAndColumn(text, position.from);
  return `${line}:${column}`;
}

/** A parse or check failure with its place in `text`. */
export function syntaxError(text: string, failure: PromqlFailure): PromqlError {
  const position = failure.position ?? { from: 0, to: text.length };
  return {
    type: failure.type,
    message: `${formatPosition(text, position)}: parse error: ${failure.message}`,
    position: { ...lineAndColumn(text, position.from), ...position },
  };
}

/** A failure of evaluation; it names no place unless the failure has one. */
export function executionError(text: string, failure: PromqlFailure): PromqlError {
  const { type, message, position } = failure;
  return position === undefined ? { type, message } : { type, message, position: { ...lineAndColumn(text, position.from), ...position } };
}
