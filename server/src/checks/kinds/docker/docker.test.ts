import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { attempt, figuresOf, said } from '../../../../../test/harness/checks.ts';

type Answer = { readonly status: number; readonly body: string } | 'silence';

/** Speaks the two answers of Docker's API that a check reads, on a socket of its own; a real engine needs a kernel to itself. */
async function fakeEngine(t: TestContext, answers: Readonly<Record<string, Answer>>): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'nines-docker-'));
  const socket = join(directory, 'docker.sock');
  const server = createServer((asked, answering) => {
    const name = /^\/containers\/([^/]+)\/json$/.exec(asked.url ?? '')?.[1] ?? '';
    const answer = answers[name] ?? { status: 404, body: `{"message":"No such container: ${name}"}` };
    if (answer !== 'silence') answering.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  server.listen(socket);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });
  return socket;
}

const state = (status: string, more: object = {}): Answer => ({
  status: 200,
  body: JSON.stringify({ Id: 'f00', RestartCount: 2, State: { Status: status, Running: status === 'running', ExitCode: 0, ...more } }),
});
const CONTAINERS: Readonly<Record<string, Answer>> = {
  web: state('running'),
  well: state('running', { Health: { Status: 'healthy' } }),
  ill: state('running', { Health: { Status: 'unhealthy' } }),
  young: state('running', { Health: { Status: 'starting' } }),
  ended: state('exited', { ExitCode: 3 }),
  eaten: state('exited', { ExitCode: 137, OOMKilled: true }),
  looping: state('restarting'),
  odd: { status: 500, body: '{"message":"server error"}' },
  junk: { status: 200, body: 'hello' },
  slow: 'silence',
};

test('a container that runs is up, and how it fails is said', async (t) => {
  const socket = await fakeEngine(t, CONTAINERS);
  const asked = async (container: string): Promise<string> => said(await attempt({ kind: 'docker', container, socket, timeout: '5s' }));
  const web = await attempt({ kind: 'docker', container: 'web', socket, timeout: '5s' });
  assert.deepEqual([said(web), figuresOf(web)], ['up', { probe_docker_running: 1, probe_docker_restarts: 2 }]);
  assert.equal(await asked('well'), 'up');
  assert.equal(await asked('ill'), "down unhealthy: the container's own health check fails");
  assert.match(await asked('young'), /^degraded starting: /);
  assert.equal(await asked('ended'), 'down state: the container is exited with code 3');
  assert.equal(await asked('eaten'), 'down state: the container is exited, out of memory');
  assert.equal(await asked('looping'), 'down state: the container is restarting');
  assert.equal(await asked('none'), 'down not_found: there is no container "none"');
});

test('an engine that is gone or answers strangely says nothing about the container; one that hangs is a timeout', async (t) => {
  const socket = await fakeEngine(t, CONTAINERS);
  const asked = async (container: string, timeout = '5s'): Promise<string> =>
    said(await attempt({ kind: 'docker', container, socket, timeout }));
  assert.equal(await asked('odd'), `void engine: the engine at ${socket} answered with status 500`);
  assert.equal(await asked('junk'), `void engine: the engine at ${socket} did not answer as Docker does`);
  assert.match(await asked('slow', '300ms'), /^down timeout: /);
  const gone = await attempt({ kind: 'docker', container: 'web', socket: '/no/docker.sock', timeout: '5s' });
  assert.equal(said(gone), 'void engine: the engine at /no/docker.sock cannot be asked: ENOENT');
});

test('only whoever writes the file may ask an engine', async () => {
  assert.match(said(await attempt({ kind: 'docker', container: 'web' }, 'untrusted')), /^void refused_kind: /);
});
