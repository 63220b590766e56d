import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { AttemptEnded, type AttemptRun, untilAborted } from './attempt.ts';
import { down } from './evaluate.ts';
import type { TlsOptions } from './written.ts';

/** `host` is what was asked for; `protocols` are offered by ALPN. */
export type Handshake = {
  readonly socket: Socket;
  readonly host: string;
  readonly tls: TlsOptions;
  readonly protocols?: readonly string[];
};

/** Verification is done after the handshake, so that an expired certificate's date is seen even when it is refused. */
export async function shakeHands(
  run: AttemptRun,
  { socket, host, tls, protocols }: Handshake,
): Promise<{ readonly socket: Socket; readonly certificateExpiresAtMs: EpochMs | undefined }> {
  run.enter('tls');
  const servername = tls.server_name ?? (isIP(host) === 0 ? host : '');
  const secure = connectTls({
    socket,
    // Without a name the certificate is still held against what was asked for.
    host: tls.server_name ?? host,
    ...(servername === '' ? {} : { servername }),
    ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
    rejectUnauthorized: false,
  });
  secure.on('error', () => {});
  await untilAborted(once(secure, 'secureConnect'), run.signal);
  run.leave();
  const untilMs = Date.parse(secure.getPeerCertificate().valid_to);
  const certificateExpiresAtMs = Number.isNaN(untilMs) ? undefined : epochMs(untilMs);
  run.seen = { ...run.seen, tls: true, ...(certificateExpiresAtMs === undefined ? {} : { certificateExpiresAtMs }) };
  if (tls.verify && !secure.authorized) {
    throw new AttemptEnded(down('certificate', `the certificate of ${host} is not valid: ${wordsOf(secure.authorizationError)}`));
  }
  return { socket: secure, certificateExpiresAtMs };
}

/** Node gives the code alone, as an error or as text depending on what failed. */
const wordsOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault)).toLowerCase().replaceAll('_', ' ');
