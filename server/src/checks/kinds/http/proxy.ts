import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { type AttemptDeps, AttemptEnded, type AttemptRun } from '../../attempt.ts';
import { connectTo } from '../../connect.ts';
import type { SpecOf } from '../../contract.ts';
import { down, notAsked } from '../../evaluate.ts';
import { Wire } from '../../wire.ts';
import { scrubbedStart } from '../../../platform/scrub.ts';

export type HttpProxy = NonNullable<SpecOf<'http'>['proxy']>;
/** Who asks, and through whom. */
export type Asked = Pick<SpecOf<'http'>, 'trust' | 'ip_version' | 'tls'> & { readonly proxy?: HttpProxy | undefined };

/** Lines of a proxy's answer to CONNECT that are read; a real one has a handful. */
const MAX_HEAD_LINES = 100;

export function credentialsOf({ username, password }: HttpProxy): Readonly<Record<string, string>> {
  if (username === undefined) return {};
  return { 'proxy-authorization': `Basic ${Buffer.from(`${username}:${password?.reveal() ?? ''}`).toString('base64')}` };
}

/**
 * A connection to the proxy, and through it to the target where `tunnel` asks for one. The proxy resolves the target's name, so only a
 * target that is written as an address can be judged besides. A proxy that is not there or lets nobody in says nothing about the service.
 */
export async function connectThrough(
  asked: Asked & { readonly proxy: HttpProxy },
  to: { readonly run: AttemptRun; readonly host: string; readonly port: number; readonly tunnel: boolean },
  deps: AttemptDeps,
): Promise<Socket> {
  const { run, host, port, tunnel } = to;
  const judgement = isIP(host) === 0 ? undefined : deps.judge(host, asked.trust);
  if (judgement?.allowed === false) throw new AttemptEnded(notAsked('refused_address', judgement.reason));
  const url = new URL(asked.proxy.url);
  const proxy = { spec: asked, host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 80 : Number(url.port) };
  const socket = await connectTo(run, proxy, deps).catch((thrown: unknown) => {
    if (run.signal.aborted || thrown instanceof AttemptEnded) throw thrown;
    throw new AttemptEnded(notAsked('proxy', `the proxy ${run.peer} cannot be reached: ${(thrown as Error).message}`));
  });
  if (!tunnel) return socket;
  try {
    run.enter('connect');
    await askForTunnel(new Wire(run, socket), {
      run,
      proxy: asked.proxy,
      target: isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`,
    });
    run.leave();
    return socket;
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
}

/** CONNECT (RFC 9110, 9.3.6). Ends the attempt unless the answer is 2xx. */
async function askForTunnel(
  wire: Wire,
  { run, proxy, target }: { readonly run: AttemptRun; readonly proxy: HttpProxy; readonly target: string },
): Promise<void> {
  const headers = Object.entries({ host: target, ...credentialsOf(proxy) }).map(([name, value]) => `${name}: ${value}\r\n`);
  wire.write(`CONNECT ${target} HTTP/1.1\r\n${headers.join('')}\r\n`);
  const first = await wire.line();
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? Number.NaN);
  for (let lines = 0; (await wire.line()) !== ''; lines++) {
    if (lines >= MAX_HEAD_LINES)
      throw new AttemptEnded(notAsked('proxy', `the proxy ${run.peer} answers with more than ${MAX_HEAD_LINES} headers`));
  }
  if (status >= 200 && status < 300) return;
  throw new AttemptEnded(
    status >= 500
      ? down('proxy', `the proxy ${run.peer} cannot reach ${target}: ${scrubbedStart(first, 100)}`)
      : notAsked('proxy', `the proxy ${run.peer} lets nobody through to ${target}: ${scrubbedStart(first, 100)}`),
  );
}
