import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { InfluxPrecision } from '@nines/model/influx-lines.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Http } from '../platform/http/contract.ts';
import { textBody } from './bodies.ts';
import type { Ingest, SelfMetrics } from './contract.ts';
import { writeInflux } from './influx.ts';
import { ingestWithin } from './scoped-ingest.ts';

/** A body, compressed and decoded alike; InfluxDB itself advises 5,000 lines at a time. */
const MAX_INFLUX_BYTES = 25 * 1024 * 1024;
/** As versions 1 and 2 name them. */
const PRECISIONS: ReadonlyMap<string, InfluxPrecision> = new Map([
  ['', 'ns'],
  ['n', 'ns'],
  ['ns', 'ns'],
  ['u', 'us'],
  ['us', 'us'],
  ['µ', 'us'],
  ['ms', 'ms'],
  ['s', 's'],
  ['m', 'm'],
  ['h', 'h'],
]);

export type InfluxDeps = { readonly clock: Pick<Clock, 'now'>; readonly ingest: Ingest; readonly self: SelfMetrics };

/** `/write` of InfluxDB 1 and `/api/v2/write` of InfluxDB 2. Answers as those give them: 204, or 400 with the lines at fault. */
export function influxRoutes(http: Http, deps: InfluxDeps): void {
  const strings = deps.self.counter('nines_influx_strings_total', 'Text fields of line protocol, which are no samples and were left out.');
  http.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_INFLUX_BYTES }, (_request, body, done) => done(null, body));
    for (const [url, version] of [['/write', 1] as const, ['/api/v2/write', 2] as const]) {
      scope.post(
        url,
        {
          config: { permission: 'ingest', scoped: 'handler' },
          bodyLimit: MAX_INFLUX_BYTES,
          schema: { summary: `InfluxDB ${version} line protocol`, tags: ['ingest'] },
        },
        async (request: FastifyRequest, reply: FastifyReply) => {
          const mark = request.url.indexOf('?');
          const params = new URLSearchParams(mark < 0 ? '' : request.url.slice(mark + 1));
          const precision = PRECISIONS.get(params.get('precision') ?? '');
          if (precision === undefined) return answer(reply, version, `invalid precision ${params.get('precision')}; use ns, us, ms or s`);
          const text = await textBody(request.body, request.headers['content-encoding'], MAX_INFLUX_BYTES);
          const db = params.get(version === 1 ? 'db' : 'bucket') ?? '';
          const ingest = ingestWithin(deps.ingest, request.actor.scope);
          const outcome = await writeInflux({ text, precision, db, nowMs: deps.clock.now() }, ingest).catch(unavailable);
          if (outcome.strings > 0) strings.add(outcome.strings);
          if (outcome.refused === 0) return reply.code(204).send();
          const { refused, stored, faults } = outcome;
          return answer(
            reply,
            version,
            `partial write: ${stored} samples are stored, ${refused} lines or samples were refused: ${faults.join('; ')}`,
          );
        },
      );
    }
  });
}

function answer(reply: FastifyReply, version: 1 | 2, message: string): FastifyReply {
  const body = version === 1 ? { error: message } : { code: 'invalid', message };
  return reply.code(400).type('application/json; charset=utf-8').serializer(String).send(JSON.stringify(body));
}

function unavailable(thrown: unknown): never {
  if (thrown instanceof StoreUnavailable)
    throw new AppError('unavailable', 'store_unavailable', thrown.message, { cause: thrown, retryAfterMs: 5_000 });
  throw thrown;
}
