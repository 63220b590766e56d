import { AppError } from '@nines/base/errors.ts';
import type { FastifySchemaCompiler } from 'fastify';
import { z } from 'zod';

/** Where in a request a part came from, in the words of messages. */
const PART_NAMES: Readonly<Record<string, string>> = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' };

/** Problems named in one answer. A form shows each at its field; more than these help nobody. */
const MAX_PROBLEMS = 20;

/** Fastify's validator over zod: the parsed value (with defaults and conversions) replaces the raw one. */
export const zodValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  return (input) => {
    // Fastify gives a missing body as null; zod's optional schemas expect undefined.
    const parsed = schema.safeParse(input ?? undefined);
    if (parsed.success) return { value: parsed.data };
    return { error: requestError(parsed.error, PART_NAMES[httpPart ?? ''] ?? 'request') };
  };
};

/** Answers are typed at compile time; serialising them is plain JSON. */
export const zodSerializer = (): ((data: unknown) => string) => (data) => JSON.stringify(data);

/** The refusal of a request whose `part` does not fit its schema. Names the first field, lists all in `details`. */
export function requestError(error: z.ZodError, part: string): AppError {
  const problems = error.issues.slice(0, MAX_PROBLEMS).map((issue) => ({ field: fieldPath(issue.path), message: issue.message }));
  const first = problems[0];
  const field = first === undefined || first.field === '' ? part : first.field;
  return new AppError('bad_input', 'invalid_request', `${part}: ${field === part ? '' : `${field}: `}${first?.message ?? 'invalid'}`, {
    field,
    details: problems,
  });
}

/** `metrics[2].value`. */
export function fieldPath(path: readonly PropertyKey[]): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`)).join('');
}
