import { messageOf } from '@nines/base/errors.ts';
import { createHttpClient, headerOf } from '../platform/fetch/client.ts';
import { startLoop } from '../platform/loop.ts';
import type { HttpDiscovery, TargetGroup } from './contract.ts';
import { readGroups } from './read-groups.ts';
import type { Sink, SourceDeps } from './source.ts';

/** About 200,000 targets. */
const MAX_LIST_BYTES = 32 * 1024 * 1024;

/** A list behind an address, asked for every `refreshMs`. Source: prometheus.io/docs/prometheus/latest/http_sd. */
export function startHttpSource(config: HttpDiscovery, deps: SourceDeps, sink: Sink): AsyncDisposable {
  const client = createHttpClient(config.client, deps);
  const ask = async (signal: AbortSignal): Promise<readonly TargetGroup[]> => {
    const headers = {
      accept: 'application/json',
      'user-agent': 'Nines',
      'x-prometheus-refresh-interval-seconds': String(config.refreshMs / 1000),
    };
    const answer = await client.get(config.url, { headers, timeoutMs: config.refreshMs, maxBytes: MAX_LIST_BYTES, signal });
    if (answer.status !== 200) throw new Error(`server returned HTTP status ${answer.status}`);
    const type = headerOf(answer.headers, 'content-type') ?? '';
    if (!/^application\/json(;\s*charset=("utf-8"|utf-8))?$/i.test(type.trim())) throw new Error(`unsupported content type "${type}"`);
    const read = readGroups(JSON.parse(answer.body.toString('utf8')), { origin: config.url, meta: { __meta_url: config.url } });
    if (!read.ok) throw new Error(read.error);
    return read.value;
  };
  return startLoop({
    clock: deps.clock,
    logger: deps.logger,
    name: 'http discovery',
    everyMs: config.refreshMs,
    step: async (_nowMs, signal) => {
      try {
        sink.groups(await ask(signal));
      } catch (thrown) {
        if (!signal.aborted) sink.failed(`${config.url}: ${messageOf(thrown)}`);
      }
    },
  });
}
