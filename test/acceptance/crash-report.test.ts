/** A server whose own code fails where nobody catches it: what it says when it dies. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NINES } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';

const SECRET = 'hunter2-and-much-longer';
const CONFIG = `channels: [{ id: hook, kind: webhook, url: "http://127.0.0.1:9/", secret: ${SECRET} }]\n`;

/** Code that runs inside of the server when it gets SIGUSR2. */
const FAULTS = {
  'an error is thrown': {
    code: `throw new Error('sending failed with ${SECRET}', { cause: new TypeError('Authorization: Bearer abcdefghijklmnop was refused') })`,
    said: [
      /an error was thrown and nobody caught it: Error: sending failed with \[redacted\]/,
      /caused by: TypeError: Authorization: Bearer \[redacted\]/,
    ],
  },
  'a promise is rejected': {
    code: `void Promise.reject(new AggregateError([new Error('first ${SECRET}'), new Error('then https://anne:${SECRET}@host/')], 'both failed'))`,
    said: [
      /a promise was rejected and nobody minded: AggregateError: both failed/,
      /caused by: Error: first \[redacted\]/,
      /https:\/\/\[redacted\]@host/,
    ],
  },
} as const;

for (const [what, { code, said }] of Object.entries(FAULTS)) {
  test(`${what} where nobody catches it: the server ends, and says what and where without secrets`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nines-crash-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'nines.yml'), CONFIG);
    writeFileSync(join(folder, 'fault.mjs'), `process.on('SIGUSR2', function somewhereWithin() { ${code}; });\n`);
    const args = [
      'serve',
      '--data',
      join(folder, 'data'),
      '--listen',
      '127.0.0.1:0',
      '--config',
      join(folder, 'nines.yml'),
      '--insecure-no-auth',
    ];
    const child = spawn(NINES, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: `--import ${join(folder, 'fault.mjs')}` },
    });
    t.after(() => child.kill('SIGKILL'));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
    const ended = once(child, 'close');
    await poll('the server', async () => {
      assert.equal(child.exitCode, null, output);
      return output.includes('is ready at');
    });
    child.kill('SIGUSR2');
    const [exitCode] = (await ended) as [number | null];
    assert.equal(exitCode, 70, output);
    assert.match(output, /^nines \S+ ended by a fault of its own; /m);
    for (const one of said) assert.match(output, one);
    assert.match(output, /at .*somewhereWithin .*fault\.mjs:1:\d+/);
    assert.ok(!output.includes(SECRET), output);
    assert.ok(!output.includes('abcdefghijklmnop'), output);
  });
}
