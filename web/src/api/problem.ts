import type { ProofKind } from '@nines/server/factors/contract.ts';
import { t } from '../language/t.ts';

/** The code of what was not asked for, because the reader's role does not include it. */
export const NOT_PERMITTED = 'not_permitted';
/** The server's code for what is about everything, asked by somebody who sees a part. */
export const OUTSIDE_SCOPE = 'outside_scope';

/** What went wrong with a request, from `application/problem+json`, Prometheus' error shape, or the network itself. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  /** HTTP status; 0 when the server could not be reached. */
  readonly status: number;
  readonly code: string;
  /** Method and path that failed, for the reader of the notice. */
  readonly where: string;
  /** What is wrong with what was sent, without the name of its field in the request; the message when nothing is told apart. */
  readonly reason: string;
  /** With what the person can prove who they are, where that is all that is missing. */
  readonly proofKinds: readonly ProofKind[] | undefined;

  constructor(
    message: string,
    about: {
      readonly status: number;
      readonly code: string;
      readonly where: string;
      readonly reason?: string;
      readonly proofKinds?: readonly ProofKind[] | undefined;
    },
  ) {
    super(message);
    this.reason = about.reason ?? message;
    this.proofKinds = about.proofKinds;
    this.status = about.status;
    this.code = about.code;
    this.where = about.where;
  }
}

function textField(body: unknown, field: string): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const value: unknown = Reflect.get(body, field);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The words of the first fault of the body, where the server tells them apart. */
function firstFault(body: unknown): string | undefined {
  const details: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'details') : undefined;
  return Array.isArray(details) ? textField(details[0], 'message') : undefined;
}

function proofKindsIn(code: string, body: unknown): readonly ProofKind[] | undefined {
  if (code !== 'step_up_needed') return undefined;
  const { details } = body as { readonly details?: { readonly kinds?: readonly ProofKind[] } };
  return details?.kinds ?? [];
}

/** Builds the problem from the body of a refused request, whatever shape it has. */
export function problemOf(body: unknown, about: { readonly status: number; readonly where: string }): ApiProblem {
  const message =
    textField(body, 'detail') ??
    textField(body, 'error') ??
    textField(body, 'title') ??
    t('HTTP status {status}', { status: String(about.status) });
  const code = textField(body, 'code') ?? textField(body, 'errorType') ?? String(about.status);
  return new ApiProblem(message, { ...about, code, reason: firstFault(body) ?? message, proofKinds: proofKindsIn(code, body) });
}
