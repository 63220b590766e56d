import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { requestOverFile } from '../../../platform/fetch/dial.ts';
import { type AttemptDeps, type AttemptRun, untilAborted } from '../../attempt.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeLength, notAsked } from '../../evaluate.ts';

/** Bytes of an answer; that about one container is some kilobytes. */
const MAX_ANSWER_BYTES = 1_048_576;

/** What we read of `GET /containers/{id}/json` (Docker Engine API 1.24 and later; Podman answers the same). */
const inspected = z.object({
  RestartCount: z.number().optional(),
  State: z.object({
    Status: z.string(),
    ExitCode: z.number().optional(),
    OOMKilled: z.boolean().optional(),
    Health: z.object({ Status: z.string() }).nullish(),
  }),
});

/** Up when the container runs and is not unhealthy. An engine that cannot be asked says nothing about the container. */
export async function askDocker(spec: SpecOf<'docker'>, run: AttemptRun, _deps: AttemptDeps): Promise<Outcome> {
  run.peer = spec.socket;
  run.enter('processing');
  const asked = inspect(spec, run.signal).catch((thrown: NodeJS.ErrnoException) => thrown);
  const answer = await untilAborted(asked, run.signal);
  run.leave();
  if (answer instanceof Error) return notAsked('engine', `the engine at ${spec.socket} cannot be asked: ${answer.code ?? answer.message}`);
  if (answer.status === 404) return down('not_found', `there is no container "${spec.container}"`);
  if (answer.status !== 200) return notAsked('engine', `the engine at ${spec.socket} answered with status ${answer.status}`);
  const parsed = inspected.safeParse(answer.body);
  if (!parsed.success) return notAsked('engine', `the engine at ${spec.socket} did not answer as Docker does`);
  return judgeContainer(parsed.data, run) ?? judgeLength(spec.degraded_after, run.durationMs());
}

function inspect(spec: SpecOf<'docker'>, signal: AbortSignal): Promise<{ readonly status: number; readonly body: unknown }> {
  return new Promise((resolve, reject) => {
    const path = `/containers/${encodeURIComponent(spec.container)}/json`;
    const outgoing = requestOverFile(spec.socket, { path, signal, headers: { host: 'docker' } }, (response) => {
      bodyOf(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    outgoing.once('error', reject).end();
  });
}

/** Undefined when it is no JSON. */
async function bodyOf(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`answered with more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Undefined when all is well. */
function judgeContainer({ State: state, RestartCount: restarts }: z.output<typeof inspected>, run: AttemptRun): Outcome | undefined {
  run.figures.push({ name: 'probe_docker_running', value: state.Status === 'running' ? 1 : 0 });
  if (restarts !== undefined) run.figures.push({ name: 'probe_docker_restarts', value: restarts });
  if (state.Status !== 'running') {
    const why = state.OOMKilled === true ? ', out of memory' : state.Status === 'exited' ? ` with code ${state.ExitCode ?? '?'}` : '';
    return down('state', `the container is ${state.Status}${why}`);
  }
  switch (state.Health?.Status) {
    case 'unhealthy':
      return down('unhealthy', "the container's own health check fails");
    case 'starting':
      return { kind: 'degraded', code: 'starting', detail: "the container's own health check has not decided yet" };
    default:
      return undefined;
  }
}
