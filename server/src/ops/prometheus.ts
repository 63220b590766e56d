/** What Prometheus' `/api/v1/status/*` and its like say of a server, said of this one. Source: prometheus web/api/v1/api.go. */
import { availableParallelism, hostname } from 'node:os';
import type { Clock } from '@nines/base/clock.ts';
import { formatDuration } from '@nines/base/duration.ts';
import { stringify } from 'yaml';
import { redactContacts } from '../platform/config/redact.ts';
import type { Http } from '../platform/http/contract.ts';
import type { Health } from './contract.ts';

export type PrometheusStatusDeps = {
  readonly clock: Pick<Clock, 'now'>;
  readonly startedAtMs: number;
  readonly health: Health;
  readonly config: () => PrometheusSettings;
  /** When the configuration in force was read, and whether the last attempt to read one succeeded. */
  readonly configRead: () => { readonly atMs: number; readonly ok: boolean };
  /** Frames and pages that could not be read. */
  readonly damage: () => { readonly corruptFrames: number; readonly corruptPages: number };
};
/** The part of the configuration that Prometheus has flags for. */
type PrometheusSettings = {
  readonly server: { readonly listen: { readonly host: string; readonly port: number }; readonly base_url?: string | undefined };
  readonly promql: {
    readonly experimental: boolean;
    readonly delayed_name_removal: boolean;
    readonly lookback: number;
    readonly max_samples: number;
  };
  readonly retention: { readonly samples: number };
};

export function prometheusStatusRoutes(http: Http, deps: PrometheusStatusDeps): void {
  const get = (path: string, summary: string, data: () => unknown, audit: 'read' | 'none' = 'none'): void => {
    http.get(
      `/api/v1/${path}`,
      { config: { permission: 'read', errors: 'prometheus', audit }, schema: { summary, tags: ['prometheus'] } },
      async () => ({ status: 'success', data: await data() }),
    );
  };
  get('status/config', 'The configuration in force, secrets redacted', () => ({ yaml: stringify(redactContacts(deps.config())) }), 'read');
  get('status/flags', "Settings by the names of Prometheus' flags", () => flagsOf(deps.config()));
  get('status/runtimeinfo', 'How this process runs', () => runtimeInfo(deps));
  get('status/tsdb/blocks', "Blocks in Prometheus' sense: none, samples lie on pages of up to two hours", () => ({ blocks: [] }));
  // The log is replayed before the first request is taken.
  get('status/walreplay', 'How far the log is replayed', () => ({ min: 0, max: 0, current: 0 }));
  get('features', 'What can be switched on, and is', () => featuresOf(deps.config()));
  get('notifications', 'Parts that are not well', () => notifications(deps));
}

function flagsOf({ server, promql, retention }: PrometheusSettings): Readonly<Record<string, string>> {
  const { host, port } = server.listen;
  const features = [
    ...(promql.experimental ? ['promql-experimental-functions'] : []),
    ...(promql.delayed_name_removal ? ['promql-delayed-name-removal'] : []),
  ];
  return {
    'enable-feature': features.join(','),
    'query.lookback-delta': formatDuration(promql.lookback),
    'query.max-samples': String(promql.max_samples),
    'storage.tsdb.retention.time': formatDuration(retention.samples),
    'web.enable-admin-api': 'true',
    'web.enable-lifecycle': 'true',
    'web.enable-remote-write-receiver': 'true',
    'web.external-url': server.base_url ?? '',
    'web.listen-address': host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
  };
}

const featuresOf = ({ promql }: PrometheusSettings): Readonly<Record<string, Readonly<Record<string, boolean>>>> => ({
  promql: { experimental_functions: promql.experimental, delayed_name_removal: promql.delayed_name_removal, duration_expressions: true },
  api: { admin: true, remote_write_receiver: true, query_stats: true },
  rules: { keep_firing_for: true, query_offset: true },
});

/** What only a program in Go has is 0 or empty. */
function runtimeInfo(deps: PrometheusStatusDeps): Readonly<Record<string, unknown>> {
  const { atMs, ok } = deps.configRead();
  const damage = deps.damage();
  const textOf = (instantMs: number): string => new Date(instantMs).toISOString();
  return {
    startTime: textOf(deps.startedAtMs),
    CWD: process.cwd(),
    hostname: hostname(),
    serverTime: textOf(deps.clock.now()),
    reloadConfigSuccess: ok,
    lastConfigTime: textOf(atMs),
    corruptionCount: damage.corruptFrames + damage.corruptPages,
    goroutineCount: 0,
    GOMAXPROCS: availableParallelism(),
    GOMEMLIMIT: 0,
    GOGC: '',
    GODEBUG: '',
    storageRetention: formatDuration(deps.config().retention.samples),
  };
}

async function notifications({ health, clock }: PrometheusStatusDeps): Promise<readonly unknown[]> {
  const { components } = await health.report();
  return components
    .filter(({ status }) => status !== 'ok')
    .map(({ name, status, detail }) => ({
      text: `${name} is ${status}: ${detail}`,
      date: new Date(clock.now()).toISOString(),
      active: true,
    }));
}
