import { AppError } from '@nines/base/errors.ts';
import { printValue } from '@nines/model/exposition-print.ts';
import { METRIC_NAME, labelPairs } from '@nines/model/labels.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Http } from '../../platform/http/contract.ts';
import { bodyBytes, textBody } from '../bodies.ts';
import { type PushBody, type PushGroup, type PushedSample, groupingOf } from './evaluate.ts';
import { groupingWithin, isOwn } from './within.ts';
import type { PushGateway } from './service.ts';

/** A push of 50 000 samples with a few labels each fits. */
const MAX_GROUP_BYTES = 16 * 1024 * 1024;
const PREFIX = '/metrics/';

/** Pushgateway's paths: `/metrics/job/…` and the listing of groups. Refusals are plain text, as Pushgateway's clients print them. */
export function pushGatewayRoutes(http: Http, gateway: PushGateway): void {
  http.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_GROUP_BYTES }, (_request, body, done) => done(null, body));
    for (const prefix of ['job', 'job@base64']) {
      scope.route({
        method: ['PUT', 'POST', 'DELETE'],
        url: `${PREFIX}${prefix}/*`,
        config: { permission: 'ingest', scoped: 'handler' },
        bodyLimit: MAX_GROUP_BYTES,
        schema: { summary: "Replaces or deletes a group of metrics, as Pushgateway's clients do", tags: ['ingest'] },
        handler: (request: FastifyRequest, reply: FastifyReply) => change(gateway, request, reply),
      });
    }
  });
  http.get(
    '/api/v1/metrics',
    {
      config: { permission: 'read', errors: 'prometheus', scoped: 'handler' },
      schema: { summary: 'Pushed groups, as Pushgateway lists them', tags: ['prometheus'] },
    },
    ({ actor }) => ({ status: 'success', data: [...gateway.groups()].filter((group) => isOwn(actor.scope, group)).map(listed) }),
  );
}

async function change(gateway: PushGateway, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = (request.url.split('?', 1)[0] ?? '').slice(PREFIX.length);
  const named = groupingOf(path);
  if (!named.ok) return plain(reply, 400, named.error);
  const { scope } = request.actor;
  const grouping = groupingWithin(scope, named.value);
  if (!grouping.ok) {
    gateway.noteOutside();
    return plain(reply, 400, grouping.error);
  }
  try {
    if (request.method === 'DELETE') {
      await gateway.remove(grouping.value, scope);
      return await reply.code(202).send();
    }
    const body = await readBody(request);
    if (body === undefined) return await plain(reply, 415, `push text, or ${PROTOBUF_TYPE}`);
    const taken = await gateway.push({ grouping: grouping.value, body, replaceAll: request.method === 'PUT', scope });
    if (taken.ok) return await reply.code(200).send();
    const { kind, reason } = taken.error;
    return await plain(
      reply,
      400,
      kind !== 'inconsistent' ? reason : `pushed metrics are invalid or inconsistent with existing metrics: ${reason}`,
    );
  } catch (thrown) {
    if (thrown instanceof StoreUnavailable)
      throw new AppError('unavailable', 'store_unavailable', thrown.message, { cause: thrown, retryAfterMs: 5_000 });
    throw thrown;
  }
}

const PROTOBUF_TYPE = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

/** Undefined for protobuf of another kind. */
async function readBody(request: FastifyRequest): Promise<PushBody | undefined> {
  const { 'content-type': contentType = '', 'content-encoding': encoding } = request.headers;
  const [type, ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  if (type === 'application/vnd.google.protobuf') {
    if (!parameters.includes('encoding=delimited')) return undefined;
    return { format: 'protobuf', bytes: await bodyBytes(request.body, encoding, MAX_GROUP_BYTES) };
  }
  const text = await textBody(request.body, encoding, MAX_GROUP_BYTES);
  return { format: type === 'application/openmetrics-text' ? 'openmetrics' : 'text', text };
}

const plain = (reply: FastifyReply, status: number, text: string): FastifyReply =>
  reply.code(status).type('text/plain; charset=utf-8').serializer(String).send(`${text}\n`);

const TYPE_NAMES: Readonly<Record<string, string>> = { unknown: 'UNTYPED' };

/** Series by series: unlike Pushgateway the buckets and quantiles of a family are not nested. */
function listed(group: PushGroup): Record<string, unknown> {
  const { pushedAtMs, failedAtMs } = group;
  const time_stamp = new Date(pushedAtMs).toISOString();
  const entry: Record<string, unknown> = Object.create(null);
  for (const [name, { metadata, samples }] of group.families) {
    const type = TYPE_NAMES[metadata.type] ?? metadata.type.toUpperCase();
    entry[name] = { time_stamp, type, ...(metadata.help === '' ? {} : { help: metadata.help }), metrics: samples.map(metric) };
  }
  entry['labels'] = Object.fromEntries(labelPairs(group.grouping));
  entry['last_push_successful'] = pushedAtMs >= failedAtMs;
  const instant = (atMs: number): unknown => ({
    time_stamp,
    type: 'GAUGE',
    metrics: [{ labels: entry['labels'], value: printValue(atMs / 1000) }],
  });
  entry['push_time_seconds'] = instant(pushedAtMs);
  entry['push_failure_time_seconds'] = instant(failedAtMs);
  return entry;
}

function metric({ labels, value, histogram }: PushedSample): unknown {
  const shown = Object.fromEntries([...labelPairs(labels)].filter(([name]) => name !== METRIC_NAME));
  if (histogram === undefined) return { labels: shown, value: printValue(value) };
  return { labels: shown, count: printValue(histogram.count), sum: printValue(histogram.sum), schema: histogram.schema };
}
