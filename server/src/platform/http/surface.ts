import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { z } from 'zod';
import { type Breath, createBreath } from '../breath.ts';
import type { Sql } from '../records/contract.ts';
import type { Secrets } from '../secrets/contract.ts';
import type { ServerTls } from '../tls/server-tls.ts';
import { startTls, type StartTls } from '../tls/start.ts';
import { clientAddresses } from './client-address.ts';
import { Rates } from './rates.ts';
import type { serverConfig } from './server-config.ts';
import type { HttpOptions } from './server.ts';

type Counter = { add(amount?: number, labels?: Readonly<Record<string, string>>): void };

export type SurfaceDeps = {
  readonly config: z.output<typeof serverConfig>;
  /** Everyone is an administrator, on loopback: nothing is limited, and nothing is off. */
  readonly open: boolean;
  readonly baseDir: string;
  readonly dataDir: string;
  readonly sql: Sql;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: StartTls['metrics'] & { counter(name: string, help: string): Counter };
};

export type Surface = Pick<HttpOptions, 'tls' | 'rates' | 'clientAddress' | 'adminApi' | 'onDenied'> & {
  readonly ingestTurn: Breath;
  readonly tls: ServerTls | undefined;
  /** Browsers reach the server over TLS, its own or that of a proxy in front. */
  readonly secure: boolean;
} & AsyncDisposable;

/** What stands between the socket and a route, as the configuration has it. */
export async function openSurface(deps: SurfaceDeps): Promise<Surface> {
  const { config, open, clock, metrics } = deps;
  const { base_url: baseUrl, tls: tlsConfig } = config;
  const started = tlsConfig === undefined ? undefined : await startTls({ ...deps, config: tlsConfig, host: config.listen.host, baseUrl });
  const limited = metrics.counter('nines_http_rate_limited_total', 'Requests that were refused because there were too many, by class.');
  const denied = metrics.counter('nines_http_denied_total', 'Requests that were refused before their route, by the code of the answer.');
  return {
    tls: started?.tls,
    secure: started !== undefined || (baseUrl?.startsWith('https:') ?? false),
    rates: open
      ? undefined
      : new Rates({ clock, limits: config.rate_limits, onLimited: (rateClass) => limited.add(1, { class: rateClass }) }),
    clientAddress: clientAddresses({ proxies: config.trusted_proxies, header: config.forwarded_header }),
    adminApi: open || config.admin_api,
    ingestTurn: createBreath(clock),
    onDenied: (code) => denied.add(1, { code }),
    [Symbol.asyncDispose]: async () => started?.[Symbol.asyncDispose](),
  };
}
