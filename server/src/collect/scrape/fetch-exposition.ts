import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';
import type { ExpositionFormat } from '@nines/model/exposition.ts';
import type { Outbound, OutboundAnswer } from '../../platform/fetch/outbound.ts';
import type { ScrapeAuth, ScrapeJob, SecretSource } from './prometheus-file.ts';
import type { Target } from './targets.ts';

/** The text of one scrape. Everything that keeps it from being had is thrown as an `Error` whose message the target's page shows. */
export type Exposed = { readonly text: string; readonly format: ExpositionFormat; readonly bodyBytes: number };

/** As many as Go's client follows. */
const MAX_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const gunzip = promisify(gunzipCallback);

export async function fetchExposition(outbound: Outbound, target: Target, signal: AbortSignal): Promise<Exposed> {
  const { job } = target;
  const answer = await follow(outbound, target, { headers: await headersOf(target), signal });
  if (answer.status !== 200) throw new Error(`server returned HTTP status ${answer.status}`);
  const format = formatOf(headerOf(answer, 'content-type'), job.fallback);
  const body = await plainBody(answer, job);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (thrown) {
    throw new Error('the answer is not UTF-8', { cause: thrown });
  }
  return { text, format, bodyBytes: body.length };
}

type Asking = { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal };

async function follow(outbound: Outbound, target: Target, { headers, signal }: Asking): Promise<OutboundAnswer> {
  const { job, timeoutMs } = target;
  let url = target.url;
  let sent = headers;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await outbound.request(url, { headers: sent, timeoutMs, maxBytes: job.limits.bodyBytes, trust: 'trusted', signal });
    const location = headerOf(answer, 'location');
    if (!job.followRedirects || !REDIRECTS.has(answer.status) || location === undefined) return answer;
    const next = new URL(location, url);
    if (next.origin !== new URL(url).origin) {
      // What proves who we are was meant for the first host only.
      const { authorization: _kept, ...others } = sent;
      sent = others;
    }
    url = next.href;
  }
  throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
}

async function headersOf({ job, timeoutMs }: Target): Promise<Readonly<Record<string, string>>> {
  const authorization = job.auth === undefined ? undefined : await authorizationOf(job.auth);
  return {
    accept: job.accept,
    'accept-encoding': job.compression ? 'gzip' : 'identity',
    'user-agent': 'Nines',
    'x-prometheus-scrape-timeout-seconds': String(timeoutMs / 1000),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

async function authorizationOf(auth: ScrapeAuth): Promise<string> {
  if (auth.kind === 'authorization') return `${auth.type} ${await secretOf(auth.credentials)}`;
  const pair = `${await secretOf(auth.username)}:${await secretOf(auth.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

async function secretOf(source: SecretSource): Promise<string> {
  if ('file' in source) return (await readFile(source.file, 'utf8')).trim();
  return typeof source.text === 'string' ? source.text : source.text.reveal();
}

function headerOf(answer: OutboundAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Prometheus 3 does not guess: an answer that does not say what it is fails, unless the configuration says it. */
export function formatOf(contentType: string | undefined, fallback: ExpositionFormat | undefined): ExpositionFormat {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'text/plain') return 'text';
  if (type === 'application/openmetrics-text') return 'openmetrics';
  if (fallback !== undefined) return fallback;
  const what = type === '' ? 'no Content-Type' : `the unsupported Content-Type "${contentType}"`;
  throw new Error(`the target sent ${what} and no fallback_scrape_protocol is configured`);
}

async function plainBody(answer: OutboundAnswer, job: ScrapeJob): Promise<Uint8Array> {
  const encoding = headerOf(answer, 'content-encoding')?.toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return answer.body;
  if (encoding !== 'gzip') throw new Error(`the target sent Content-Encoding ${encoding}, which was not asked for`);
  try {
    return await gunzip(answer.body, { maxOutputLength: job.limits.bodyBytes });
  } catch (thrown) {
    const tooLarge = (thrown as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new Error(tooLarge ? `the body is over body_size_limit ${job.limits.bodyBytes}` : 'the gzip body is broken', { cause: thrown });
  }
}
