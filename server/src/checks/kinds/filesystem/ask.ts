import type { Stats } from 'node:fs';
import { opendir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDuration } from '@nines/base/duration.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { type AttemptDeps, AttemptEnded, type AttemptRun, untilAborted } from '../../attempt.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeLength, matchesPart } from '../../evaluate.ts';
import { amountOf } from './spec.ts';

/** Entries of one directory that are looked at. */
const MAX_ENTRIES = 100_000;

/**
 * Paths whose system call has not come back: a network file system whose server is gone holds it, and a thread of four, for ever. One
 * such path takes one thread, not one more at each attempt.
 */
const hanging = new Set<string>();

/** Up when the path is there and everything asked of it holds. */
export async function askFilesystem(spec: SpecOf<'filesystem'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  run.enter('processing');
  if (hanging.has(spec.path)) return down('hanging', `${spec.path} has not answered an earlier attempt yet`);
  hanging.add(spec.path);
  const looked = look(spec, run, deps.clock.now()).finally(() => hanging.delete(spec.path));
  const outcome = await untilAborted(looked, run.signal).catch((thrown: NodeJS.ErrnoException) => {
    const code = FAULTS[thrown.code ?? ''];
    if (code === undefined) throw thrown;
    return down(code[0], `${spec.path} ${code[1]}`);
  });
  run.leave();
  return outcome ?? judgeLength(spec.degraded_after, run.durationMs());
}

const FAULTS: Readonly<Record<string, readonly [code: string, words: string]>> = {
  ENOENT: ['not_found', 'is not there'],
  ENOTDIR: ['not_found', 'is no directory, or one above it is none'],
  EACCES: ['permission', 'may not be looked at by this server'],
  EPERM: ['permission', 'may not be looked at by this server'],
  EIO: ['io', 'cannot be read: input/output error'],
  ESTALE: ['io', 'is on a network file system that is gone'],
};

/** Undefined when all is as expected. */
async function look(spec: SpecOf<'filesystem'>, run: AttemptRun, nowMs: number): Promise<Outcome | undefined> {
  const found = await stat(spec.path);
  const failed = judgePermissions(spec, found) ?? (await judgeFiles(spec, run, { found, nowMs }));
  return failed ?? (await judgeSpace(spec, run));
}

function judgePermissions(spec: SpecOf<'filesystem'>, { mode, uid, gid }: Stats): Outcome | undefined {
  const octal = (bits: number): string => bits.toString(8).padStart(4, '0');
  const actual = mode & 0o7777;
  if (spec.mode !== undefined && actual !== Number.parseInt(spec.mode, 8)) {
    return down('permissions', `permissions are ${octal(actual)}, expected ${octal(Number.parseInt(spec.mode, 8))}`);
  }
  if (spec.uid !== undefined && uid !== spec.uid) return down('owner', `the owner is ${uid}, expected ${spec.uid}`);
  if (spec.gid !== undefined && gid !== spec.gid) return down('owner', `the group is ${gid}, expected ${spec.gid}`);
  return undefined;
}

type Files = { readonly count: number; readonly newestMs: number; readonly oldestMs: number };

async function judgeFiles(
  spec: SpecOf<'filesystem'>,
  run: AttemptRun,
  { found, nowMs }: { readonly found: Stats; readonly nowMs: number },
): Promise<Outcome | undefined> {
  const { min_files, newest_within, oldest_within } = spec;
  if (min_files === undefined && newest_within === undefined && oldest_within === undefined) return undefined;
  const files: Files = found.isDirectory() ? await filesIn(spec, run) : { count: 1, newestMs: found.mtimeMs, oldestMs: found.mtimeMs };
  run.figures.push({ name: 'probe_filesystem_files', value: files.count });
  if (files.count < (min_files ?? 0)) return down('files', `${files.count} files, expected at least ${min_files}`);
  if (files.count === 0) return newest_within === undefined ? undefined : down('files', 'there is no file');
  const [youngMs, oldMs] = [nowMs - files.newestMs, nowMs - files.oldestMs];
  run.figures.push({ name: 'probe_filesystem_newest_age_seconds', value: youngMs / SECOND_MS });
  run.figures.push({ name: 'probe_filesystem_oldest_age_seconds', value: oldMs / SECOND_MS });
  const aged = (ageMs: number): string => formatDuration(Math.max(0, Math.round(ageMs / SECOND_MS) * SECOND_MS));
  if (newest_within !== undefined && youngMs > newest_within) {
    return down('age', `the newest file is ${aged(youngMs)} old, expected at most ${formatDuration(newest_within)}`);
  }
  if (oldest_within !== undefined && oldMs > oldest_within) {
    return down('age', `the oldest file is ${aged(oldMs)} old, expected at most ${formatDuration(oldest_within)}`);
  }
  return undefined;
}

/** Files directly in the directory; those that go while it is read are passed over. */
async function filesIn(spec: SpecOf<'filesystem'>, run: AttemptRun): Promise<Files> {
  let [count, newestMs, oldestMs, seen] = [0, -Infinity, Infinity, 0];
  for await (const entry of await opendir(spec.path)) {
    run.signal.throwIfAborted();
    if (++seen > MAX_ENTRIES) throw new AttemptEnded(down('files', `${spec.path} holds more than ${MAX_ENTRIES} entries`));
    if (!entry.isFile() || (spec.files_match !== undefined && !matchesPart(spec.files_match, entry.name))) continue;
    // A file may go between being listed and being looked at.
    const one = await stat(join(spec.path, entry.name)).catch(() => undefined);
    if (one === undefined) continue;
    count++;
    newestMs = Math.max(newestMs, one.mtimeMs);
    oldestMs = Math.min(oldestMs, one.mtimeMs);
  }
  return { count, newestMs, oldestMs };
}

async function judgeSpace(spec: SpecOf<'filesystem'>, run: AttemptRun): Promise<Outcome | undefined> {
  if (spec.free === undefined && spec.free_warn === undefined && spec.free_inodes === undefined) return undefined;
  const { bsize, blocks, bavail, files, ffree } = await statfs(spec.path);
  const [free, total] = [bavail * bsize, blocks * bsize];
  run.figures.push({ name: 'probe_filesystem_free_bytes', value: free }, { name: 'probe_filesystem_size_bytes', value: total });
  if (files > 0) run.figures.push({ name: 'probe_filesystem_free_inodes', value: ffree });
  const shown = `${((100 * free) / total).toFixed(1)}% of ${(total / 1e9).toFixed(1)} GB free`;
  if (spec.free !== undefined && free < amountOf(spec.free, total)) return down('space', `${shown}, expected ${spec.free}`);
  // Some file systems (btrfs, vfat) make inodes as they need them and say 0.
  if (spec.free_inodes !== undefined && files > 0 && ffree < amountOf(spec.free_inodes, files)) {
    return down('inodes', `${((100 * ffree) / files).toFixed(1)}% of ${files} inodes free, expected ${spec.free_inodes}`);
  }
  if (spec.free_warn === undefined || free >= amountOf(spec.free_warn, total)) return undefined;
  return { kind: 'degraded', code: 'space', detail: `${shown}, expected ${spec.free_warn}` };
}
