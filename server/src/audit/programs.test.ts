/** Hostile programs and arguments, and what the audit log says of them. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import { recordingLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { poll } from '../../../test/harness/poll.ts';
import { realClock } from '../platform/clock.ts';
import {
  type Cause,
  createPrograms,
  type Program,
  type ProgramEnd,
  programsConfig,
  runProgram,
  systemUser,
  whyNotRun,
} from '../platform/programs.ts';
import type { AuditEntry } from './contract.ts';
import { openPrograms, withoutSecretWords } from './programs.ts';

const ONCE: Cause = { kind: 'recovery', id: 'r1', isRoutine: false };
const SH = '/bin/sh';
const sh = (text: string, more: Partial<Program> = {}): Program => ({ argv: [SH, '-c', text], listed: [SH], cause: ONCE, ...more });
const LIMITS = { clock: realClock, signal: new AbortController().signal, timeoutMs: 60_000, maxOutputBytes: 10_000 };

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'nines-programs-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
const outputOf = (end: ProgramEnd): string => ('output' in end ? end.output : `refused: ${end.why}`);
const outcomeOf = (entry: AuditEntry | undefined): { exit?: number; runs?: number } => (entry?.after ?? {}) as { exit?: number };
const isGone = (pid: number): boolean => {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
};

test('what is not on the list by its whole path does not run, nor what anyone may replace', async (t) => {
  const own = join(folder(t), 'own');
  writeFileSync(own, '#!/bin/sh\necho ran\n');
  chmodSync(own, 0o755);
  const refused = async (argv: [string, ...string[]], listed: string[]): Promise<string> =>
    outputOf(await runProgram({ argv, listed, cause: ONCE }, LIMITS));
  assert.match(await refused([own], []), /is not on the list/);
  assert.match(await refused([join(own, '..', 'own')], [own + 'x']), /is not on the list/, 'compared as it is written');
  assert.match(await refused(['sh'], [SH]), /is not on the list/);
  assert.match(await refused([`${SH}\0x`], [`${SH}\0x`]), /character 0/);
  assert.match(await refused([SH, 'a\0b'], [SH]), /character 0/);
  assert.equal(await refused([own], [own]), 'ran\n');
  chmodSync(own, 0o777);
  assert.match(await refused([own], [own]), /anyone may write/);
  chmodSync(own, 0o644);
  assert.match(await refused([own], [own]), /cannot be executed/);
  assert.match(await refused(['/tmp'], ['/tmp']), /there is no program/);
});

test('no shell reads arguments, whatever stands in them', async (t) => {
  const dir = folder(t);
  const hostile = [
    '$(touch hit)',
    '`touch hit`',
    '; touch hit',
    '| touch hit',
    '\n touch hit',
    '&& touch hit',
    "' touch hit '",
    '-rf',
    '--',
    '*',
    '~',
    '％ｓ',
  ];
  const end = await runProgram({ argv: ['/usr/bin/printf', '[%s]', ...hostile], listed: ['/usr/bin/printf'], cause: ONCE }, LIMITS);
  assert.equal(outputOf(end), hostile.map((word) => `[${word}]`).join(''));
  assert.equal(existsSync(join(dir, 'hit')), false);
});

test('a program sees no secret of the server, works in a directory of its own, and reads nothing', async (t) => {
  process.env['NINES_TEST_SECRET'] = 'hunter2';
  t.after(() => delete process.env['NINES_TEST_SECRET']);
  const seen = await runProgram(sh('env; pwd; ls -A | wc -l; cat; touch left; pwd', { inherits: [], ownDirectory: true }), LIMITS);
  assert.doesNotMatch(outputOf(seen), /hunter2|HOME=|NINES/);
  const [, where = ''] = /^(\/.*nines-run-.*)\n\s*0\n/m.exec(outputOf(seen)) ?? [];
  assert.ok(where !== '', outputOf(seen));
  assert.equal(existsSync(where), false, 'it is gone afterwards, with what was left in it');
});

test('a program that ignores being stopped, forks and floods is ended with all it started', async (t) => {
  const pids = join(folder(t), 'pids');
  const text = `trap '' TERM INT HUP; for i in 1 2 3; do sh -c 'trap "" TERM; echo $$ >> ${pids}; sleep 1000' & done; while :; do echo flood; done`;
  const stopping = new AbortController();
  const running = runProgram(sh(text), { ...LIMITS, signal: stopping.signal, graceMs: 200, maxOutputBytes: 1_000 });
  const started = await poll('what it started', () => {
    const found = existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n').map(Number) : [];
    return found.length === 3 ? found : undefined;
  });
  stopping.abort(new Error('the time is over'));
  const end = await running;
  assert.deepEqual([end.kind, outputOf(end).length, 'cut' in end && end.cut], ['stopped', 1_000, true]);
  for (const pid of started) await poll(`the end of ${pid}`, () => isGone(pid));
});

test('endless output stops a program where that is said, and what it left behind ends with it', async (t) => {
  const pid = join(folder(t), 'pid');
  const flood = await runProgram(sh('yes'), { ...LIMITS, onMore: 'stop', maxOutputBytes: 5_000 });
  assert.ok(flood.kind === 'stopped');
  assert.match(flood.why, /wrote more than 5000 bytes/);
  const left = await runProgram(sh(`sleep 1000 & echo $! > ${pid}; exit 3`), LIMITS);
  assert.deepEqual([left.kind, left.kind === 'exited' && left.code], ['exited', 3]);
  await poll('the end of what it left', () => isGone(Number(readFileSync(pid, 'utf8'))));
});

test('only so many run at a time, the rest wait, and all end with the server', async () => {
  await using programs = createPrograms({ clock: realClock, config: programsConfig.parse({ concurrency: 2 }) });
  const ending = new AbortController();
  const slow = [1, 2].map(() => programs.run(sh('sleep 1000'), { ...LIMITS, signal: ending.signal }));
  const impatient = new AbortController();
  const third = programs.run(sh('echo third'), { ...LIMITS, signal: impatient.signal });
  impatient.abort(new Error('no more time'));
  assert.match(outputOf(await third), /2 programs run already/);
  const fourth = programs.run(sh('echo fourth'), LIMITS);
  ending.abort(new Error('enough'));
  assert.deepEqual(
    (await Promise.all(slow)).map(({ kind }) => kind),
    ['stopped', 'stopped'],
  );
  assert.equal(outputOf(await fourth), 'fourth\n');
  const last = programs.run(sh('trap "" TERM; while :; do sleep 1; done'), { ...LIMITS, graceMs: 100 });
  await programs[Symbol.asyncDispose]();
  assert.equal((await last).kind, 'stopped');
});

test('programs run as the user without rights that is named, and not at all where that cannot be', async () => {
  const other = systemUser('nobody');
  assert.ok(other !== undefined);
  await using programs = createPrograms({ clock: realClock, config: programsConfig.parse({ run_as: 'nobody' }) });
  const said = outputOf(
    await programs.run(
      sh('id -u; id -G; touch /etc/nines-was-here 2>/dev/null || echo denied; touch here && echo here', { ownDirectory: true }),
      LIMITS,
    ),
  );
  if (process.getuid?.() === 0) assert.equal(said, `${other.uid}\n${other.gid}\ndenied\nhere\n`);
  else assert.match(said, /may not run programs as "nobody": it is not root itself/);
  assert.match(whyNotRun({ argv: [SH], listed: [SH], user: 'no-such-user' }) ?? '', /no user/);
});

test('each run is an entry with who caused it; what checks run again and again is told together, hourly', async () => {
  const clock = manualClock();
  const entries: AuditEntry[] = [];
  const audit = { append: async (entry: AuditEntry) => void entries.push(entry) };
  const mixed = { ...clock, after: realClock.after };
  const programs = await openPrograms({ clock: mixed, logger: recordingLogger(), config: programsConfig.parse({}), audit });
  await programs.run({ argv: [SH, '-c', 'exit 3', '--password', 'hunter2'], listed: [SH], cause: ONCE }, LIMITS);
  const [first] = entries.splice(0);
  assert.deepEqual(
    [first?.actor, first?.action, first?.object, first?.asked],
    [
      { kind: 'system', id: 'recovery:r1', name: 'recovery r1', role: 'operator' },
      'program.run',
      { kind: 'program', id: SH },
      { arguments: ['-c', 'exit 3', '--password', '[redacted]'], user: null },
    ],
  );
  assert.equal(outcomeOf(first).exit, 3);
  const routine = (text: string): Program => sh(text, { cause: { kind: 'check', id: 'disk', isRoutine: true } });
  for (let minute = 0; minute < 10; minute++) {
    await programs.run(routine('exit 0'), LIMITS);
    await clock.advance(MINUTE_MS);
  }
  await programs.run(routine('exit 2'), LIMITS);
  assert.deepEqual(
    entries.splice(0).map((entry) => outcomeOf(entry).exit),
    [0, 2],
    'told once for each way of ending',
  );
  await clock.advance(HOUR_MS);
  await programs[Symbol.asyncDispose]();
  assert.deepEqual(
    entries.map((entry) => [entry.action, outcomeOf(entry).exit, outcomeOf(entry).runs]),
    [['program.ran_again', 0, 9]],
  );
});

test('a log that cannot be written stops no check, and says so', async () => {
  const logger = recordingLogger();
  const audit = { append: () => Promise.reject(new Error('disk full')) };
  await using programs = await openPrograms({ clock: realClock, logger, config: programsConfig.parse({}), audit });
  assert.equal(outputOf(await programs.run(sh('echo ran'), LIMITS)), 'ran\n');
  await poll('the complaint', () => logger.lines.some(({ message }) => /could not be recorded/.test(message)));
});

test('arguments are shown without secrets', () => {
  const shown = withoutSecretWords([
    '--token=abc',
    '-p',
    'hunter2',
    '--api-key',
    'k',
    'https://u:pw@h/x',
    'Authorization: Bearer x',
    'plain',
    '--port',
    '80',
  ]);
  assert.deepEqual(shown, [
    '--token=[redacted]',
    '-p',
    '[redacted]',
    '--api-key',
    '[redacted]',
    'https://[redacted]@h/x',
    'Authorization:[redacted]',
    'plain',
    '--port',
    '80',
  ]);
});
