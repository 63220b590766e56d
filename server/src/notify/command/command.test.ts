import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, it } from 'node:test';
import { poll } from '../../../../test/harness/poll.ts';
import { channelsConfig } from '../config.ts';
import { HOSTILE, attemptOf, failureOf, openOne } from '../testing/provider.ts';

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'nines-command-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
const shell = (script: string, ...args: string[]) => ({
  kind: 'command',
  command: ['/bin/sh', '-c', script, 'sh', ...args],
  timeout: '30s',
});

it('command: the message comes on standard input, nothing of it reaches arguments or a shell', async (t) => {
  const file = join(folder(t), 'got');
  const channel = openOne(t, {
    ...shell('cat > "$1"; echo "$NINES_STATUS $NINES_REASON $MINE ${SECRET-none}"', file),
    env: { MINE: 'own' },
  });
  process.env['SECRET'] = 'of the server';
  t.after(() => delete process.env['SECRET']);
  assert.deepEqual(await channel.deliver(attemptOf([HOSTILE])), { kind: 'delivered', receipt: 'firing fired own none' });
  assert.equal((JSON.parse(readFileSync(file, 'utf8')) as { alerts: unknown[] }).alerts.length, 1);
});

it('command: says how it failed and whether another try may help', async (t) => {
  const said = async (fields: Record<string, unknown>) => {
    const { error, retryable } = failureOf(await openOne(t, fields).deliver(attemptOf()));
    return [error, retryable];
  };
  assert.deepEqual(await said(shell('echo no room >&2; exit 75')), ['/bin/sh: exit 75: no room', true]);
  assert.deepEqual(await said(shell('exit 64')), ['/bin/sh: exit 64', false]);
  assert.deepEqual(await said(shell('kill -9 $$')), ['/bin/sh: ended by SIGKILL', true]);
  assert.deepEqual((await said({ kind: 'command', command: ['/nonexistent/program'] }))[1], false);
  assert.deepEqual(await said(shell('yes')), ['/bin/sh: it wrote more than 65536 bytes', true]);
});

it('command: one that hangs is ended with all it started', async (t) => {
  const file = join(folder(t), 'pid');
  const channel = openOne(t, { ...shell('trap "" TERM; sleep 1000 & echo $! > "$1"; wait; sleep 1000', file), timeout: '1s' });
  assert.match(failureOf(await channel.deliver(attemptOf())).error, /did not end within 1s/);
  const pid = Number(readFileSync(file, 'utf8'));
  await poll('the end of what it started', () => {
    try {
      // A zombie that nobody has reaped yet has ended too.
      return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
    } catch {
      return true;
    }
  });
});

it('command: a program is named by its whole path', () => {
  for (const command of [[], ['sh'], ['./run'], 'sh -c x', ['/bin/sh', 'a\0b']])
    assert.equal(channelsConfig.safeParse([{ id: 'c', kind: 'command', command }]).success, false, JSON.stringify(command));
});
