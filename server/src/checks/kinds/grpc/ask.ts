import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { messageOf } from '@nines/base/errors.ts';
import { http2Over } from '../../../platform/fetch/dial.ts';
import { type AttemptDeps, AttemptEnded, type AttemptRun, judgeRest, untilAborted } from '../../attempt.ts';
import { connectTo, partsOf } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down } from '../../evaluate.ts';
import { shakeHands } from '../../tls.ts';
import { decodeResponse, encodeRequest, SERVING_STATUSES, type ServingStatus } from './health.ts';

const CHECK_PATH = '/grpc.health.v1.Health/Check';
/** The answer has about seven bytes. */
const MAX_ANSWER_BYTES = 65_536;
const UNIMPLEMENTED = 12;
const NOT_FOUND = 5;

type Answer = { readonly httpStatus: number; readonly grpcStatus: number; readonly message: string; readonly body: Buffer };

/** Up when the health service says SERVING. */
export async function askGrpc(spec: SpecOf<'grpc'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const address = partsOf(spec.address);
  const plain = await connectTo(run, { spec, ...address }, deps);
  let session: ClientHttp2Session | undefined;
  try {
    const secure = spec.encryption === 'tls';
    const socket = secure ? await overTls(spec, { plain, host: address.host }, run) : plain;
    run.enter('processing');
    session = http2Over(socket, `${secure ? 'https' : 'http'}://${spec.address}`);
    const answer = await untilAborted(call(session, spec), run.signal);
    run.leave();
    run.seen = { ...run.seen, statusCode: answer.httpStatus, tls: secure };
    return judgeAnswer(spec, answer, run) ?? judgeRest(spec, run, deps);
  } finally {
    session?.destroy();
    plain.destroy();
  }
}

async function overTls(
  spec: SpecOf<'grpc'>,
  { plain, host }: { readonly plain: Socket; readonly host: string },
  run: AttemptRun,
): Promise<Socket> {
  const { socket } = await shakeHands(run, { socket: plain, host, tls: spec.tls, protocols: ['h2'] });
  if (socket.alpnProtocol !== 'h2') throw new AttemptEnded(down('bad_answer', `${run.peer} does not agree to speak HTTP/2`));
  return socket;
}

function call(session: ClientHttp2Session, spec: SpecOf<'grpc'>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': CHECK_PATH,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      'grpc-timeout': `${spec.timeoutMs}m`,
      'user-agent': 'Nines (availability check)',
    });
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('error', reject);
    stream.on('response', (headers) => void (head = headers));
    stream.on('trailers', (headers) => void (trailers = headers));
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) reject(new AttemptEnded(down('bad_answer', `the answer has more than ${MAX_ANSWER_BYTES} bytes`)));
    });
    stream.on('close', () => {
      const statusText = trailers['grpc-status'] ?? head['grpc-status'];
      const message = trailers['grpc-message'] ?? head['grpc-message'];
      resolve({
        httpStatus: Number(head[':status'] ?? 0),
        grpcStatus: statusText === undefined ? -1 : Number(statusText),
        message: message === undefined ? '' : percentDecoded(String(message)),
        body: Buffer.concat(chunks),
      });
    });
    stream.end(encodeRequest(spec.grpc_service));
  });
}

/** Why the answer is not that of a server that serves; undefined when it is. */
function judgeAnswer(spec: SpecOf<'grpc'>, answer: Answer, run: AttemptRun): Outcome | undefined {
  if (answer.httpStatus === 0) return down('connection_closed', `${run.peer} ended the call without an answer`);
  run.figures.push({ name: 'probe_grpc_status_code', value: answer.grpcStatus });
  if (answer.httpStatus !== 200) return down('status', `HTTP status ${answer.httpStatus}, expected 200`);
  const about = spec.grpc_service === '' ? 'the server' : spec.grpc_service;
  if (answer.grpcStatus === UNIMPLEMENTED) return down('no_health_service', `${run.peer} has no grpc.health.v1.Health service`);
  if (answer.grpcStatus === NOT_FOUND) return down('service_unknown', `${run.peer} knows no service ${about}`);
  if (answer.grpcStatus !== 0) return down('grpc_status', `gRPC status ${answer.grpcStatus}: ${answer.message.slice(0, 200)}`);
  let serving: ServingStatus;
  try {
    serving = decodeResponse(answer.body);
  } catch (thrown) {
    return down('bad_answer', `the answer of ${run.peer} cannot be read: ${messageOf(thrown)}`);
  }
  for (const status of SERVING_STATUSES) {
    run.figures.push({ name: 'probe_grpc_healthcheck_response', value: status === serving ? 1 : 0, labels: { serving_status: status } });
  }
  return serving === 'SERVING' ? undefined : down('not_serving', `${about} is ${serving}`);
}

/** Messages are percent-encoded; one that is not is shown as it came. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
