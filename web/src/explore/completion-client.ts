import type { QueryClient } from '@tanstack/react-query';
import { metadataQuery, metricNamesQuery } from '../api/analytics.ts';
import { request, withQuery } from '../api/client.ts';

type Matcher = { readonly name: string; readonly value: string; matchesEmpty(): boolean; readonly type: unknown };
type Listed<Data> = { readonly data: Data };

/** Names and values change slowly; while somebody types they are asked once. */
const KEPT_MS = 60_000;
/** As many as a reader scrolls through. */
const MOST = 2_000;

/** What completion asks, through the page's own client: what is not permitted is not asked, and what is known is not asked again. */
export function completionClient(client: QueryClient) {
  const list = (path: string): Promise<string[]> =>
    quietly(
      client.fetchQuery({
        queryKey: ['explore', 'complete', path],
        queryFn: async () => [...(await request<Listed<readonly string[]>>(path)).data],
        staleTime: KEPT_MS,
        retry: false,
      }),
      [],
    );
  const of = (metric: string | undefined): string | undefined =>
    metric === undefined || metric === '' ? undefined : `{__name__=${JSON.stringify(metric)}}`;
  return {
    labelNames: (metric?: string) => list(withQuery('/api/v1/labels', { 'match[]': of(metric), limit: MOST })),
    labelValues: (label: string, metric?: string, _matchers?: readonly Matcher[]) =>
      list(withQuery(`/api/v1/label/${encodeURIComponent(label)}/values`, { 'match[]': of(metric), limit: MOST })),
    metricMetadata: async () => {
      const families = await quietly(client.fetchQuery(metadataQuery()), {});
      return Object.fromEntries(Object.entries(families).map(([name, told]) => [name, told.map(({ type, help }) => ({ type, help }))]));
    },
    series: async (metric: string) =>
      quietly(
        request<Listed<Map<string, string>[]>>(withQuery('/api/v1/series', { 'match[]': of(metric), limit: MOST })).then(
          ({ data }) => data,
        ),
        [],
      ),
    metricNames: async () => [...(await quietly(client.fetchQuery(metricNamesQuery()), []))],
    flags: () => Promise.resolve({}),
  };
}

/** Without an answer there is nothing to complete; the query itself says what is wrong. */
async function quietly<Answer>(asked: Promise<Answer>, instead: Answer): Promise<Answer> {
  try {
    return await asked;
  } catch {
    return instead;
  }
}
