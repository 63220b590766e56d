import { Readable } from 'node:stream';
import { ByteBuffer } from '@nines/model/byte-buffer.ts';
import { CONTENT_TYPES } from '@nines/model/exposition-print.ts';
import { SAMPLES_TYPE, STREAMED_CONTENT_TYPE, decodeReadRequest } from '@nines/model/prometheus/remote-read-server.ts';
import { decodeSnappy } from '@nines/model/snappy.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Http } from '../platform/http/contract.ts';
import { negotiateExposition } from '../platform/http/exposition.ts';
import type { QueryDeps } from './contract.ts';
import { federationText } from './federate.ts';
import { askingOf } from './asking.ts';
import { paramsOf } from './params.ts';
import { MAX_READ_REQUEST_BYTES } from './remote-read.ts';
import { type QueryError, type QueryService, parseSelectors } from './service.ts';

/** What other Prometheus servers take from us: `/federate` by scraping, `/api/v1/read` by remote read. Refusals are plain text, as theirs. */
export function peerRoutes(http: Http, service: QueryService, deps: QueryDeps): void {
  const config = { permission: 'read', errors: 'prometheus', scoped: 'handler' } as const;
  http.get(
    '/federate',
    { config, schema: { summary: 'Newest samples of selected series, for scraping', tags: ['prometheus'] } },
    (request, reply) => federate(service, deps, { request, reply: reply as unknown as FastifyReply }),
  );
  http.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_READ_REQUEST_BYTES }, (_request, body, done) => done(null, body));
    scope.post(
      '/api/v1/read',
      { config, bodyLimit: MAX_READ_REQUEST_BYTES, schema: { summary: 'Remote read of raw samples', tags: ['prometheus'] } },
      (request: FastifyRequest, reply: FastifyReply) => remoteRead(service, deps, { request, reply }),
    );
  });
}

type Call = { readonly request: FastifyRequest; readonly reply: FastifyReply };

async function federate(service: QueryService, deps: QueryDeps, { request, reply }: Call): Promise<FastifyReply> {
  const mark = request.url.indexOf('?');
  const selectors = parseSelectors(paramsOf(mark < 0 ? '' : request.url.slice(mark + 1), '').all('match[]'));
  if (!selectors.ok) return plain(reply, 400, selectors.error);
  const ask = { selectors: selectors.value, atMs: deps.clock.now(), lookbackMs: deps.lookbackMs };
  const found = await service.newest(ask, askingOf(request, reply));
  if (!found.ok) return refuse(reply, found.error);
  const format = negotiateExposition(request.headers.accept);
  if (found.value.length === 0 && format === 'text') return reply.type(CONTENT_TYPES.text).serializer(String).send('');
  return reply
    .type(CONTENT_TYPES[format])
    .send(Readable.from(federationText(found.value, format, deps.externalLabels()), { objectMode: false }));
}

async function remoteRead(service: QueryService, deps: QueryDeps, { request, reply }: Call): Promise<FastifyReply> {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'snappy';
  if (encoding !== 'snappy') return plain(reply, 415, `Content-Encoding ${encoding} is not supported; send snappy (block format)`);
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
  const decoded = decodeSnappy(body, new ByteBuffer(), MAX_READ_REQUEST_BYTES);
  if (!decoded.ok) return plain(reply, 400, decoded.error.message);
  const asked = decodeReadRequest(decoded.value);
  if (!asked.ok) return plain(reply, 400, asked.error);
  const found = await service.read({ ...asked.value, externalLabels: deps.externalLabels() }, askingOf(request, reply));
  if (!found.ok) return refuse(reply, found.error);
  const { form, pieces } = found.value;
  if (form === 'streamed') return reply.type(STREAMED_CONTENT_TYPE).send(Readable.from(pieces, { objectMode: false }));
  return reply.type(SAMPLES_TYPE).header('content-encoding', 'snappy').send(pieces[0]);
}

const STATUS: Readonly<Partial<Record<QueryError['type'], number>>> = {
  bad_data: 400,
  execution: 422,
  timeout: 503,
  unavailable: 503,
  canceled: 499,
};

const refuse = (reply: FastifyReply, error: QueryError): FastifyReply => plain(reply, STATUS[error.type] ?? 500, error.message);

const plain = (reply: FastifyReply, status: number, text: string): FastifyReply =>
  reply.code(status).type('text/plain; charset=utf-8').serializer(String).send(`${text}\n`);
