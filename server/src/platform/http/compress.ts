import { Readable, pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGzip, gzip as gzipCallback } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Http } from './contract.ts';

/** Shorter answers gain nothing. */
const MIN_BYTES = 1_024;
/** Labels and numbers shrink to a tenth at the fastest level; the higher ones cost several times as much for a few percent. */
const OPTIONS = { level: constants.Z_BEST_SPEED };
/** Answers that are read as they come: what is held back for compression would be late. */
const LIVE = 'text/event-stream';
const COMPRESSIBLE = /^(?:text\/|application\/(?:json|problem\+json|x-ndjson|stream\+json|openmetrics-text))/;

const gzip = promisify(gzipCallback);

/** Answers text with gzip to whoever takes it, off the event loop. What a route compressed itself stays as it is. */
export function compressAnswers(http: Http): void {
  // Hooks of a route run after all others, which see and count what was said and not what it was compressed to.
  http.addHook('onRoute', (route) => {
    route.onSend = [
      ...[route.onSend ?? []].flat(),
      async (request: FastifyRequest, reply: unknown, payload: unknown) => compressed(request, reply as FastifyReply, payload),
    ];
  });
}

async function compressed(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const type = String(reply.getHeader('content-type') ?? '');
  if (!COMPRESSIBLE.test(type) || type.startsWith(LIVE) || reply.hasHeader('content-encoding')) return payload;
  const short = (typeof payload === 'string' || payload instanceof Uint8Array) && payload.length < MIN_BYTES;
  if (short || !(typeof payload === 'string' || payload instanceof Uint8Array || payload instanceof Readable)) return payload;
  if (!reply.hasHeader('vary')) reply.header('vary', 'accept-encoding');
  if (!takesGzip(request.headers['accept-encoding']) || request.method === 'HEAD') return payload;
  reply.header('content-encoding', 'gzip').removeHeader('content-length');
  if (!(payload instanceof Readable)) return gzip(payload, OPTIONS);
  // An error on the way destroys both ends: the client sees a broken answer, never a whole-looking one.
  return pipeline(payload, createGzip(OPTIONS), () => undefined);
}

/** Whether the header `Accept-Encoding` names gzip and does not refuse it with `q=0`. */
export function takesGzip(header: string | readonly string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((each) => {
      const [coding = '', ...parameters] = each.split(';').map((part) => part.trim().toLowerCase());
      return (coding === 'gzip' || coding === 'x-gzip') && !parameters.some((one) => /^q=0(?:\.0*)?$/.test(one));
    });
}
