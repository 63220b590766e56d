import { STATUS_CODES } from 'node:http';
import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';
import type { ExpositionFormat } from '@nines/model/exposition.ts';
import { type HttpClient, headerOf } from '../../platform/fetch/client.ts';
import { type OutboundAnswer, OutboundError } from '../../platform/fetch/outbound.ts';
import type { ScrapeJob } from './prometheus-file.ts';
import type { Target } from './targets.ts';

/** What one scrape brought. Everything that keeps it from being had is thrown as an `Error` whose message the target's page shows. */
export type Exposed = { readonly bodyBytes: number } & (
  | { readonly format: ExpositionFormat; readonly text: string }
  | { readonly format: 'protobuf'; readonly bytes: Uint8Array }
);
export type ScrapedFormat = Exposed['format'];

/** The body, or what it unzips to, is over body_size_limit. */
export class BodyTooLarge extends Error {}

const gunzip = promisify(gunzipCallback);

export async function fetchExposition(client: HttpClient, target: Target, signal: AbortSignal): Promise<Exposed> {
  const { job, timeoutMs } = target;
  const headers = {
    accept: job.accept,
    'accept-encoding': job.compression ? 'gzip' : 'identity',
    'user-agent': 'Nines',
    'x-prometheus-scrape-timeout-seconds': String(timeoutMs / 1000),
  };
  const maxBytes = job.limits.bodyBytes;
  const answer = await client.get(target.url, { headers, timeoutMs, maxBytes, signal }).catch((thrown: unknown) => {
    throw thrown instanceof OutboundError && thrown.failure === 'too_large' ? tooLarge(job, thrown) : thrown;
  });
  if (answer.status !== 200) throw new Error(`server returned HTTP status ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`.trimEnd());
  const format = formatOf(headerOf(answer.headers, 'content-type'), job.fallback);
  const body = await plainBody(answer, job);
  if (format === 'protobuf') return { format, bytes: body, bodyBytes: body.length };
  try {
    return { format, text: new TextDecoder('utf-8', { fatal: true }).decode(body), bodyBytes: body.length };
  } catch (thrown) {
    throw new Error('the answer is not UTF-8', { cause: thrown });
  }
}

/** Prometheus 3 does not guess: an answer that does not say what it is fails, unless the configuration says it. */
export function formatOf(contentType: string | undefined, fallback: ScrapedFormat | undefined): ScrapedFormat {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'text/plain') return 'text';
  if (type === 'application/openmetrics-text') return 'openmetrics';
  if (type === 'application/vnd.google.protobuf') return 'protobuf';
  if (fallback !== undefined) return fallback;
  const what = type === '' ? 'no Content-Type' : `the unsupported Content-Type "${contentType}"`;
  throw new Error(`the target sent ${what} and no fallback_scrape_protocol is configured`);
}

async function plainBody(answer: OutboundAnswer, job: ScrapeJob): Promise<Uint8Array> {
  const encoding = headerOf(answer.headers, 'content-encoding')?.toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return answer.body;
  if (encoding !== 'gzip') throw new Error(`the target sent Content-Encoding ${encoding}, which was not asked for`);
  try {
    return await gunzip(answer.body, { maxOutputLength: job.limits.bodyBytes });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(job, thrown);
    throw new Error('the gzip body is broken', { cause: thrown });
  }
}

const tooLarge = ({ limits }: ScrapeJob, cause: unknown): BodyTooLarge =>
  new BodyTooLarge(`the body is over body_size_limit ${limits.bodyBytes}`, { cause });
