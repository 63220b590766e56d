import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { EpochMs } from '@nines/base/units.ts';
import { headersSeen, joined } from '../../answer-headers.ts';
import { type AttemptDeps, AttemptEnded, type AttemptRun, untilAborted } from '../../attempt.ts';
import { requestOver } from '../../../platform/fetch/dial.ts';
import { connectTo } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, notAsked } from '../../evaluate.ts';
import { shakeHands } from '../../tls.ts';
import { CHECK_LIMITS } from '../../written.ts';
import { type HttpAnswer, judgeHttp } from './judge.ts';
import { type Asked, connectThrough, credentialsOf, type HttpProxy } from './proxy.ts';
import { scrubbedStart } from '../../../platform/scrub.ts';

/** Bytes of a body that are read and searched. Health pages are small; a larger one is judged by its beginning. */
export const MAX_BODY_BYTES = 1_048_576;
/** Characters of an answer kept with a failure. */
const MAX_EXCERPT_CHARS = 1_024;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What is sent on one hop. */
export type Hop = {
  readonly url: URL;
  readonly method: string;
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
};

/** One exchange, and as many more as it is redirected; then the judgement. Each hop is a new connection: keep-alive hides faults. */
export async function askHttp(spec: SpecOf<'http'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const headers: Record<string, string> = Object.fromEntries(Object.entries(spec.headers).map(([name, value]) => [name, value.reveal()]));
  if (spec.auth !== undefined) headers['authorization'] = authorizationOf(spec.auth);
  let hop: Hop = { url: new URL(spec.url), method: spec.method, body: spec.body, headers };
  for (let redirects = 0; ; redirects++) {
    const { answer, location } = await exchange(spec, { run, hop, deps });
    run.seen = {
      statusCode: answer.statusCode,
      redirects,
      tls: hop.url.protocol === 'https:',
      ...(answer.certificateExpiresAtMs === undefined ? {} : { certificateExpiresAtMs: answer.certificateExpiresAtMs }),
    };
    const next = spec.follow_redirects && REDIRECTS.has(answer.statusCode) ? location : undefined;
    if (next === undefined) {
      const outcome = judgeHttp(spec, answer, { nowMs: deps.clock.now(), durationMs: run.durationMs() });
      if (outcome.kind !== 'up') run.seen = { ...run.seen, headers: headersSeen(answer.headers) };
      if (outcome.kind === 'down') run.seen = { ...run.seen, excerpt: scrubbedStart(answer.body, MAX_EXCERPT_CHARS) };
      return outcome;
    }
    const refuse = (detail: string): Outcome => {
      run.seen = { ...run.seen, headers: headersSeen(answer.headers) };
      return down('redirects', detail);
    };
    if (redirects >= CHECK_LIMITS.maxRedirects) return refuse(`more than ${CHECK_LIMITS.maxRedirects} redirects`);
    const followed = follow(hop, { statusCode: answer.statusCode, location: next });
    if (followed === undefined) return refuse(`redirected to "${next.slice(0, 200)}", which is not an http address`);
    if (followed.body !== undefined && followed.url.hostname !== hop.url.hostname)
      return refuse(`redirected to ${followed.url.host}, which is another host: it is not sent the body`);
    hop = followed;
  }
}

function authorizationOf({ basic, bearer }: NonNullable<SpecOf<'http'>['auth']>): string {
  if (basic === undefined) return `Bearer ${bearer?.reveal() ?? ''}`;
  return `Basic ${Buffer.from(`${basic.username}:${basic.password.reveal()}`).toString('base64')}`;
}

/** Headers that hold no secret, whatever is written into them. */
const HARMLESS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-type',
  'user-agent',
]);

/** Method and body survive 307 and 308 only; headers that may say who asks survive the same origin only (RFC 9110, 15.4). */
function follow(hop: Hop, to: { readonly statusCode: number; readonly location: string }): Hop | undefined {
  if (!URL.canParse(to.location, hop.url.href)) return undefined;
  const url = new URL(to.location, hop.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const keeps = to.statusCode === 307 || to.statusCode === 308 || hop.method === 'HEAD';
  const same = url.origin === hop.url.origin;
  const headers = same ? hop.headers : Object.fromEntries(Object.entries(hop.headers).filter(([name]) => HARMLESS.has(name.toLowerCase())));
  return { url, headers, method: keeps ? hop.method : 'GET', body: keeps ? hop.body : undefined };
}

type Exchanged = { readonly answer: HttpAnswer; readonly location: string | undefined };

/** One request and its answer, on a connection of its own. */
export async function exchange(
  asked: Asked,
  { run, hop, deps }: { readonly run: AttemptRun; readonly hop: Hop; readonly deps: AttemptDeps },
): Promise<Exchanged> {
  const { url } = hop;
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  const { proxy } = asked;
  const plain = await (proxy === undefined
    ? connectTo(run, { spec: asked, host, port }, deps)
    : connectThrough({ ...asked, proxy }, { run, host, port, tunnel: secure }, deps));
  let socket = plain;
  try {
    let certificateExpiresAtMs: EpochMs | undefined;
    if (secure) {
      const handshake = await shakeHands(run, { socket: plain, host, tls: asked.tls, protocols: ['http/1.1'] });
      socket = handshake.socket;
      certificateExpiresAtMs = handshake.certificateExpiresAtMs;
    }
    run.enter('processing');
    const response = await untilAborted(send(hop, { socket, relay: secure ? undefined : proxy }), run.signal);
    if (proxy !== undefined && response.statusCode === 407) {
      throw new AttemptEnded(notAsked('proxy', `the proxy ${run.peer} asks for other credentials`));
    }
    run.enter('transfer');
    const { body, bodyCut } = await untilAborted(readBody(response), run.signal);
    run.leave();
    const answer = { statusCode: response.statusCode ?? 0, headers: joined(response), body, bodyCut, certificateExpiresAtMs };
    return { answer, location: response.headers.location };
  } finally {
    socket.destroy();
    plain.destroy();
  }
}

/** `relay` is the proxy that is asked for the page, where there is no tunnel to it. */
function send(hop: Hop, { socket, relay }: { readonly socket: Socket; readonly relay: HttpProxy | undefined }): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = requestOver(socket, {
      method: hop.method,
      path: (relay === undefined ? '' : hop.url.origin) + hop.url.pathname + hop.url.search,
      host: hop.url.hostname,
      setDefaultHeaders: false,
      headers: { ...headersOf(hop), ...(relay === undefined ? {} : credentialsOf(relay)) },
    });
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
    outgoing.end(hop.body);
  });
}

/** The check's own headers win over ours. */
function headersOf(hop: Hop): Record<string, string> {
  const headers = new Map<string, string>([
    ['host', hop.url.host],
    ['user-agent', 'Nines (availability check)'],
    ['accept', '*/*'],
    ['connection', 'close'],
  ]);
  if (hop.body !== undefined) headers.set('content-length', String(Buffer.byteLength(hop.body)));
  for (const [name, value] of Object.entries(hop.headers)) headers.set(name.toLowerCase(), value);
  return Object.fromEntries(headers);
}

async function readBody(response: IncomingMessage): Promise<{ readonly body: string; readonly bodyCut: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_BODY_BYTES) break;
  }
  const bytes = Buffer.concat(chunks, size).subarray(0, MAX_BODY_BYTES);
  return { body: bytes.toString('utf8'), bodyCut: size >= MAX_BODY_BYTES };
}
