import { join, resolve } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import { startLoop } from '../loop.ts';
import type { Sql } from '../records/contract.ts';
import type { Secrets } from '../secrets/contract.ts';
import { AUTHORITY_FILE, ownNames, TlsAuthority } from './authority.ts';
import type { TlsConfig } from './config.ts';
import { ServerTls, TLS_STEP_MS, type TlsDeps } from './server-tls.ts';

export type StartTls = {
  readonly config: TlsConfig;
  readonly host: string;
  readonly baseUrl: string | undefined;
  /** What relative paths start at. */
  readonly baseDir: string;
  readonly dataDir: string;
  readonly sql: Sql;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: { watch(name: string, help: string, read: () => number, type?: 'gauge' | 'counter'): void };
};

/** The certificate that the listener shows, kept up to date from now on. `AppError` `bad_certificate` when there is none that can be used. */
export async function startTls(options: StartTls): Promise<{ readonly tls: ServerTls } & AsyncDisposable> {
  const { clock, logger, metrics, config } = options;
  const tls = new ServerTls({ clock, logger, minVersion: config.min_version, source: await sourceOf(options) });
  metrics.watch(
    'nines_tls_certificate_expires_seconds',
    'When the certificate of the listener ends, in Unix seconds.',
    () => tls.untilMs / 1000,
  );
  metrics.watch('nines_tls_reload_failures_total', 'Certificates that could not be taken over.', () => tls.failures, 'counter');
  const loop = startLoop({
    clock,
    logger,
    name: 'certificate',
    everyMs: TLS_STEP_MS,
    firstAfterMs: TLS_STEP_MS,
    step: async () => tls.step(),
  });
  return { tls, [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose]() };
}

async function sourceOf({ config, sql, secrets, dataDir, clock, logger, host, baseUrl, baseDir }: StartTls): Promise<TlsDeps['source']> {
  const { cert_file: cert, key_file: key, names } = config;
  if (cert !== undefined && key !== undefined) return { kind: 'files', cert: resolve(baseDir, cert), key: resolve(baseDir, key) };
  const authority = await TlsAuthority.open({ sql, secrets, dataDir }, clock.now());
  const hosts = ownNames({ host, baseUrl, names });
  logger.info('the certificate is our own; trust its authority where this server is called', {
    authority: join(dataDir, AUTHORITY_FILE),
    names: hosts,
  });
  return { kind: 'own', issue: (nowMs) => authority.issue(hosts, nowMs) };
}
