import type { IncomingMessage } from 'node:http';
import { redactHeader } from '../platform/config/redact.ts';
import { type AnswerHeader, HEADER_LIMITS } from './contract.ts';

/** Lower-case names; repeated headers joined with a comma. */
export const joined = ({ headers }: Pick<IncomingMessage, 'headers'>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));

/** The headers of an answer as evidence: in their order, cut to the limits, without what lets somebody in. */
export function headersSeen(headers: Readonly<Record<string, string>>): readonly AnswerHeader[] {
  const { headers: most, nameChars, valueChars } = HEADER_LIMITS;
  return Object.entries(headers)
    .slice(0, most)
    .map(([name, value]) => ({ name: name.slice(0, nameChars), value: redactHeader(name, value).slice(0, valueChars) }));
}
