import { type FSWatcher, globSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import type { Result } from '@nines/base/result.ts';
import { readTextFile } from '../platform/config/read-text.ts';
import { parseYaml } from '../platform/config/source.ts';
import { startLoop } from '../platform/loop.ts';
import type { FileDiscovery, TargetGroup } from './contract.ts';
import { readGroups } from './read-groups.ts';
import type { Sink, SourceDeps } from './source.ts';

/** About 200,000 targets. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/**
 * Lists in files, read when their folder changes and every `refreshMs`, because not every file system tells. A file that cannot
 * be read keeps its last groups; one that is gone has none.
 */
export function startFileSource(config: FileDiscovery, deps: SourceDeps, sink: Sink): AsyncDisposable {
  const known = new Map<string, readonly TargetGroup[]>();
  const refresh = (): void => {
    const faults: string[] = [];
    const paths = new Set(config.patterns.flatMap((pattern) => globSync(pattern)).sort());
    for (const path of known.keys()) if (!paths.has(path)) known.delete(path);
    for (const path of paths) {
      const read = readFile(path);
      if (typeof read === 'string') faults.push(`${path}: ${read}`);
      else known.set(path, read);
    }
    sink.groups([...known.values()].flat(), faults.join('; '));
  };
  const loop = startLoop({
    clock: deps.clock,
    logger: deps.logger,
    name: 'file discovery',
    everyMs: config.refreshMs,
    step: async () => refresh(),
  });
  const watchers = watchFolders(config.patterns, () => loop.poke(), deps);
  return {
    [Symbol.asyncDispose]: async () => {
      for (const one of watchers) one.close();
      await loop[Symbol.asyncDispose]();
    },
  };
}

/** The groups, or why there are none. */
function readFile(path: string): readonly TargetGroup[] | string {
  try {
    const text = readTextFile(path, MAX_FILE_BYTES);
    const about = { origin: path, meta: { __meta_filepath: path } };
    if (path.toLowerCase().endsWith('.json')) return either(readGroups(JSON.parse(text), about));
    const { problems, value } = parseYaml(path, text);
    const [problem] = problems;
    return problem === undefined ? either(readGroups(value, about)) : `line ${problem.line}: ${problem.message}`;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

const either = <T, E>(read: Result<T, E>): T | E => (read.ok ? read.value : read.error);

/** Folders, not files: editors and config maps replace a file by another, whose changes a watch of the old one never sees. */
function watchFolders(patterns: readonly string[], onChange: () => void, { logger }: SourceDeps): readonly FSWatcher[] {
  return [...new Set(patterns.map((pattern) => dirname(pattern)))].flatMap((folder) => {
    try {
      const watcher = watch(folder, { persistent: false }, onChange);
      watcher.on('error', (error) => logger.warn('a folder of target lists is not watched any more', { folder, error: messageOf(error) }));
      return [watcher];
    } catch (thrown) {
      logger.warn('a folder of target lists cannot be watched; it is read at every refresh', { folder, error: messageOf(thrown) });
      return [];
    }
  });
}
