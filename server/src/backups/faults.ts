import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { type Inspection, type StoreFault, inspectStore } from '@nines/tsdb/inspect.ts';
import { damagedWal, orphanedWal } from '@nines/tsdb/sqlite-wal.ts';
import { openPageStoreToRead } from '@nines/tsdb/page-store.ts';
import { openSealedPages } from '@nines/tsdb/pages/sealed-pages.ts';
import type { DataKeys } from '../platform/encryption/keys.ts';
import { stateIntegrity } from '../platform/db/integrity.ts';
import type { ExaminationView, Finding } from './contract.ts';

/** What stands in a data directory or in a backup, looked at down to the last value and put into words. */

export type Contents = { readonly findings: readonly Finding[]; readonly store: Inspection | undefined; readonly encrypted: boolean };
export type ContentsOptions = {
  readonly isServed: boolean;
  /** Without them what is encrypted is not opened. */
  readonly keys: DataKeys | undefined;
  readonly onProgress?: (done: number, of: number) => void;
};

const STATE_ADVICE = 'Restore a backup; the samples are not affected.';

export async function inspectContents(dir: string, options: ContentsOptions): Promise<Contents> {
  const encrypted = existsSync(join(dir, 'keys.json'));
  if (encrypted && options.keys === undefined) return { findings: [], store: undefined, encrypted };
  const state = join(dir, 'state', 'nines.db');
  const orphaned = orphanedWal(state);
  const problems = orphaned !== undefined ? [orphaned] : existsSync(state) ? stateIntegrity(state, options.keys?.stateKey) : [];
  // A file that is being written would look damaged where it is only being written.
  const waiting = options.isServed ? [] : ['state/nines.db', 'tsdb/pages.db'].flatMap((name) => waitingFaults(dir, name));
  const found = await inspectSamples(join(dir, 'tsdb'), options);
  return {
    findings: [
      ...found.findings,
      ...problems.map((problem): Finding => ({ severity: 'damage', place: 'state/nines.db', problem, advice: STATE_ADVICE })),
      ...waiting,
    ],
    store: found.store,
    encrypted,
  };
}

function waitingFaults(dir: string, name: string): readonly Finding[] {
  const problem = damagedWal(join(dir, name));
  if (problem === undefined) return [];
  const advice = 'They were committed and will be missing. Restore a backup, or start the server to go on without them.';
  return [{ severity: 'damage', place: `${name}-wal`, problem, advice }];
}

async function inspectSamples(
  dir: string,
  { isServed, keys, onProgress }: ContentsOptions,
): Promise<{ readonly findings: readonly Finding[]; readonly store: Inspection | undefined }> {
  if (!existsSync(dir)) return { findings: [], store: undefined };
  const disk = openDisk(dir);
  const cipher = keys?.cipher;
  try {
    const rows = openPageStoreToRead(dir);
    const pageStore = rows !== undefined && cipher !== undefined ? openSealedPages(rows, cipher) : rows;
    try {
      const store = await inspectStore({ disk, pageStore, cipher, isServed, ...(onProgress === undefined ? {} : { onProgress }) });
      const structure = (rows?.integrity() ?? []).map(
        (problem): Finding => ({
          severity: 'damage',
          place: 'tsdb/pages.db',
          problem,
          advice: 'Restore a backup when one is at hand; what can be read is served.',
        }),
      );
      return { findings: [...store.faults.map(inWords), ...structure], store };
    } finally {
      pageStore?.close();
    }
  } catch (thrown) {
    if (!(thrown instanceof StoreUnavailable)) throw thrown;
    return { findings: [{ severity: 'damage', place: 'tsdb', problem: messageOf(thrown), advice: 'Restore a backup.' }], store: undefined };
  } finally {
    disk.close();
  }
}

const GONE = 'The rest is served. Restore a backup if you need what is lost; senders that keep a queue may send it again.';

/** A fault with its place, what it costs, and what to do. */
export function inWords(fault: StoreFault): Finding {
  const { problem } = fault;
  switch (fault.kind) {
    case 'log':
      return { severity: 'damage', place: `tsdb/${fault.file}:${fault.fromByte}-${fault.toByte}`, problem, advice: GONE };
    case 'torn_tail':
      return {
        severity: 'info',
        place: `tsdb/${fault.file}:${fault.fromByte}-${fault.toByte}`,
        problem,
        advice: 'Nothing: it was never acknowledged.',
      };
    case 'labels':
      return { severity: 'damage', place: `tsdb/pages.db labels ${fault.id}`, problem, advice: GONE };
    case 'page': {
      const kind = fault.resolutionMs === 0 ? '' : ` (rollup of ${fault.resolutionMs / 60_000} min)`;
      const metrics = fault.metricFrom === fault.metricTo ? fault.metricFrom : `${fault.metricFrom} to ${fault.metricTo}`;
      const what = `${fault.samples} samples of ${metrics} from ${new Date(fault.windowMs).toISOString()}${kind}`;
      return { severity: 'damage', place: `tsdb/pages.db page ${fault.id}`, problem: `${problem}: ${what}`, advice: GONE };
    }
    case 'rows':
      return { severity: 'damage', place: `tsdb/pages.db pages ${fault.fromId} to ${fault.toId}`, problem, advice: GONE };
    case 'orphans':
      return { severity: 'damage', place: `tsdb/${fault.place}`, problem, advice: GONE };
    case 'lost':
      return {
        severity: 'damage',
        place: 'tsdb/pages.db',
        problem,
        advice: 'Put the right file back, or restore a backup. A server refuses to start on it.',
      };
  }
}

/** The answer to `verify` and `doctor`. */
export function examinationOf(dir: string, findings: readonly Finding[], { store, encrypted }: Contents): ExaminationView {
  return {
    dir,
    sound: findings.every(({ severity }) => severity !== 'damage'),
    encrypted,
    series: store?.series ?? 0,
    pages: store?.pages ?? 0,
    samples: (store?.pageSamples ?? 0) + (store?.logSamples ?? 0),
    findings: [...findings],
  };
}
