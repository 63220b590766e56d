import type { Command } from 'commander';
import type { AuditVerdict } from '@nines/server/audit/contract.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';

type VerifyFlags = RemoteOptions & { readonly data?: string; readonly config?: string; readonly json?: boolean };

export function auditCommand(program: Command): void {
  program
    .command('audit')
    .description('who did what, and whether that is still what was written')
    .command('verify')
    .description(
      'examine the audit log: 0 whole, 1 with the first broken entry, 2 cannot be examined; without --data the running server does',
    )
    .option('--data <dir>', 'data directory, whether or not a server runs on it')
    .option('--config <file>', 'configuration file, when the state lies in PostgreSQL or the data are encrypted')
    .option('--json', 'print the whole verdict')
    .action(async (_flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<VerifyFlags>();
      const verdict =
        flags.data === undefined
          ? (JSON.parse(await ask(flags, '/api/audit/verify')) as AuditVerdict)
          : await examined(flags.data, flags.config);
      process.exitCode = verdict.whole ? EXIT.ok : EXIT.failed;
      writeData(flags.json === true ? JSON.stringify(verdict, null, 2) : wordsOf(verdict));
    });
}

/** SQLite and PostgreSQL both take a reader beside a running server. */
async function examined(data: string, config: string | undefined): Promise<AuditVerdict> {
  const [{ keysOf, openState }, { notADirectory }, { realClock }, { AUDIT_SEALING_KEY, readAuditKey }, { verifyAudit }] = await Promise.all(
    [
      import('../state.ts'),
      import('../examination.ts'),
      import('@nines/server/platform/clock.ts'),
      import('@nines/server/platform/signing/audit-key.ts'),
      import('@nines/server/audit/service.ts'),
    ],
  );
  notADirectory(data);
  const keys = await keysOf(data, config);
  const key = readAuditKey(data, keys?.cipher.key(AUDIT_SEALING_KEY));
  if (key === undefined)
    throw new CliFailure(
      EXIT.badInput,
      `${data} has no audit-key.json, without which nobody can tell whether its audit log is whole. Put it back from a backup.`,
    );
  const db = await openState({ data, config }, realClock.now());
  try {
    return await verifyAudit({ db, dataDir: data, key });
  } finally {
    await db.close();
  }
}

function wordsOf({ entries, from_seq, to_seq, anchors, fault }: AuditVerdict): string {
  if (fault !== null) return `broken: ${fault.detail} (${fault.problem})`;
  return entries === 0 ? 'whole: nothing was written yet' : `whole: ${entries} entries, ${from_seq} to ${to_seq}, ${anchors} anchors`;
}
