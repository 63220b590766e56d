import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { openSocket, requestOver } from '../../../platform/fetch/dial.ts';
import type { AttemptDeps } from '../../attempt.ts';
import { peerOf } from '../../connect.ts';
import type { CheckSpec, Outcome } from '../../contract.ts';
import { faultOutcome, notAsked } from '../../evaluate.ts';

/** Bytes that all answers of one journey may have together; a page that loads more is cut off. */
const MAX_JOURNEY_BYTES = 67_108_864;
/** Connections of one journey at once. */
const MAX_CONNECTIONS = 64;

export type GateDeps = Pick<AttemptDeps, 'resolve' | 'judge'>;
type Asked = Pick<CheckSpec, 'trust'> & { readonly ip_version?: 4 | 6 | undefined };

/**
 * The only way out of one journey's browser: a proxy on the loopback interface that resolves, judges and connects as every other kind
 * of check does, redirects, scripts, workers and WebSockets included. What the browser itself would resolve or connect to is never reached.
 * It holds what went wrong by host, because the browser is told no more than that a connection failed.
 */
export class Gate implements AsyncDisposable {
  readonly #server: Server;
  readonly #asked: Asked;
  readonly #deps: GateDeps;
  readonly #sockets = new Set<Duplex>();
  readonly #faults = new Map<string, Outcome>();
  readonly #ending = new AbortController();
  #bytes = 0;

  private constructor(asked: Asked, deps: GateDeps) {
    this.#asked = asked;
    this.#deps = deps;
    this.#server = createServer((incoming, answer) => void this.#plain(incoming, answer));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('connect', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void this.#tunnel(incoming, socket, head));
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
  }

  static async open(asked: Asked, deps: GateDeps): Promise<Gate> {
    const gate = new Gate(asked, deps);
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    return gate;
  }

  /** Where the browser sends everything. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Why the last connection to the host failed; undefined when it did not. */
  faultOf(host: string): Outcome | undefined {
    return this.#faults.get(host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error('the journey is over'));
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  #keep<S extends Duplex>(socket: S): S {
    this.#sockets.add(socket);
    // Errors of a connection that nobody waits for any more have nobody to tell.
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  async #tunnel(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const to = URL.canParse(`http://${incoming.url}`) ? new URL(`http://${incoming.url}`) : undefined;
    this.#keep(socket);
    const upstream = to === undefined ? undefined : await this.#reach(to, 443);
    if (upstream === undefined) {
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    upstream.write(head);
    upstream.pipe(socket);
    socket.pipe(upstream);
  }

  async #plain(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = URL.canParse(incoming.url ?? '') ? new URL(incoming.url ?? '') : undefined;
    const upstream = url?.protocol === 'http:' ? await this.#reach(url, 80) : undefined;
    if (url === undefined || upstream === undefined) {
      // An answer of ours would be taken for the site's.
      incoming.socket.destroy();
      return;
    }
    const outgoing = requestOver(upstream, {
      method: incoming.method,
      path: url.pathname + url.search,
      headers: ownHeaders(incoming.headers, url.host),
      setDefaultHeaders: false,
    });
    const fail = (fault: unknown): void => {
      this.#faults.set(hostOf(url), faultOutcome(partsOf(fault), url.host));
      upstream.destroy();
      incoming.socket.destroy();
    };
    outgoing.on('error', fail);
    outgoing.once('upgrade', () => fail(new Error('it changed to another protocol, which nobody asked for')));
    outgoing.once('response', (response) => {
      try {
        answer.writeHead(response.statusCode ?? 502, response.rawHeaders);
      } catch (thrown) {
        // A site may answer what no server may say, a status of 000 for example.
        fail(thrown);
        return;
      }
      response.pipe(answer);
    });
    incoming.pipe(outgoing);
  }

  /** One judged connection; undefined when there is none, and then why is known. */
  async #reach(to: URL, defaultPort: number): Promise<Socket | undefined> {
    const host = hostOf(to);
    const port = to.port === '' ? defaultPort : Number(to.port);
    let peer = peerOf(host, port);
    try {
      const { signal } = this.#ending;
      const address = isIP(host) === 0 ? await this.#deps.resolve(host, { ipVersion: this.#asked.ip_version, signal }) : host;
      const judgement = this.#deps.judge(address, this.#asked.trust, host);
      if (!judgement.allowed) {
        this.#faults.set(host, notAsked('refused_address', judgement.reason));
        return undefined;
      }
      peer = peerOf(address, port);
      const socket = this.#keep(openSocket({ address: judgement.address, port }));
      await once(socket, 'connect', { signal });
      socket.on('data', (chunk: Buffer) => this.#count(chunk.length));
      this.#faults.delete(host);
      return socket;
    } catch (thrown) {
      this.#faults.set(host, faultOutcome(partsOf(thrown), peer));
      return undefined;
    }
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MAX_JOURNEY_BYTES) for (const socket of this.#sockets) socket.destroy();
  }
}

export const hostOf = (url: string | URL): string => (URL.canParse(String(url)) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '');

function partsOf(thrown: unknown): { readonly code?: string; readonly message: string } {
  const { code, message } = thrown as NodeJS.ErrnoException;
  return { ...(typeof code === 'string' ? { code } : {}), message };
}

/** What goes on to the site: everything but what is between the browser and us. */
function ownHeaders(headers: IncomingHttpHeaders, host: string): IncomingHttpHeaders {
  const { 'proxy-connection': _connection, 'proxy-authorization': _authorization, ...rest } = headers;
  return { ...rest, host, connection: 'close' };
}
