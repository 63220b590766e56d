import { validateHeaderName, validateHeaderValue } from 'node:http';
import { inspect } from 'node:util';
import { parseRatio, type Decimal } from '@nines/base/decimal.ts';
import { parseDuration } from '@nines/base/duration.ts';
import type { Ms } from '@nines/base/units.ts';
import { z } from 'zod';
import { HIDDEN, knowAddress, knowSecret } from '../scrub.ts';

/** A length of time as Prometheus writes it (`500ms`, `1h30m`), within `[minMs, maxMs]`. */
export function duration(limits: { readonly minMs?: number; readonly maxMs?: number } = {}): z.ZodType<Ms, string> {
  return z.string().transform((text, context): Ms => {
    const parsed = parseDuration(text);
    if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error });
    else if (parsed.value < (limits.minMs ?? 0) || parsed.value > (limits.maxMs ?? Number.MAX_SAFE_INTEGER)) {
      context.addIssue({ code: 'custom', message: `${text} is out of range` });
    } else return parsed.value;
    return z.NEVER;
  });
}

/** A ratio from 0 to 1, written `99.9%` or `0.999`, kept exactly. */
export const percent: z.ZodType<Decimal, string | number> = z.union([z.string(), z.number()]).transform((written, context): Decimal => {
  const parsed = parseRatio(String(written));
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

/** The stable id of a declared object. */
export const slug = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/, 'write letters, digits, "_", "." or "-", starting with a letter or digit');

/** A text of people that every database keeps as it is: whole characters, without the character 0. */
export const plainText = z
  .string()
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'holds the character 0 or half a character, which cannot be kept');

/** An address that HTTP is spoken to. */
export const httpUrl = z.url({ protocol: /^https?$/, error: 'write an http:// or https:// address' });

/** One that is posted to and often holds its own secret, as those of chat services do. */
export const hookUrl = httpUrl.refine((url) => {
  knowAddress(url);
  return true;
});

/** For `superRefine` of a list: complains about each id that stood before. `noun` names what has the id. */
export const uniqueIds =
  (noun: string) =>
  (items: readonly { readonly id: string }[], context: z.core.$RefinementCtx): void => {
    const seen = new Set<string>();
    items.forEach(({ id }, index) => {
      if (seen.has(id)) context.addIssue({ code: 'custom', message: `the ${noun} id "${id}" is used twice`, path: [index, 'id'] });
      seen.add(id);
    });
  };

/** `host:port`; the host may be an IPv6 address in brackets. Port 0 lets the system choose. */
export const hostAndPort = z.string().transform((text, context): { readonly host: string; readonly port: number } => {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (parts !== null && port <= 65_535) return { host: parts[1] ?? parts[2] ?? '', port };
  context.addIssue({ code: 'custom', message: `not an address: "${text}" (write for example 127.0.0.1:7070 or [::1]:7070)` });
  return z.NEVER;
});

/** A value that prints as `[redacted]` wherever it is printed, and is scrubbed from logs and errors; `reveal` is the only way to it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    knowSecret(value);
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

/** Set by the client that sends the request; written by hand they would contradict its body. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'keep-alive',
]);

/** Headers of a request that we send. The values are secrets: most carry one. */
export const requestHeaders = z
  .record(z.string(), z.string().min(1))
  .transform((written, context): Readonly<Record<string, Secret>> => {
    const headers: [name: string, value: Secret][] = [];
    for (const [name, value] of Object.entries(written)) {
      const fault = headerFault(name, value);
      if (fault === undefined) headers.push([name, new Secret(value)]);
      else context.addIssue({ code: 'custom', message: fault, path: [name] });
    }
    return Object.fromEntries(headers);
  })
  .prefault({});

/** What is wrong with a header, without its value. */
function headerFault(name: string, value: string): string | undefined {
  if (OWN_HEADERS.has(name.toLowerCase())) return 'this header is set by the request itself';
  try {
    validateHeaderName(name);
  } catch {
    return `not a header name: ${JSON.stringify(name)}`;
  }
  try {
    validateHeaderValue(name, value);
  } catch {
    return 'a header value is one line without control characters';
  }
  return undefined;
}

export const secret: z.ZodType<Secret, string> = z
  .string()
  .min(1)
  .transform((text) => new Secret(text));
