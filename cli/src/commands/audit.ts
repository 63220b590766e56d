import type { Command } from 'commander';
import type { AuditVerdict } from '@nines/server/audit/contract.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';
import { CONFIG_FLAG, type StateFlags, onState } from '../state-flags.ts';

type VerifyFlags = RemoteOptions & { readonly data?: string; readonly config?: string; readonly json?: boolean };

export function auditCommand(program: Command): void {
  const audit = program.command('audit').description('who did what, and whether that is still what was written');
  onState(
    audit,
    'rotate-key',
    'go on with a new key, whether or not a server runs; entries of before stay genuine by the key that they were made with',
  ).action(({ data, config }: StateFlags) => rotate(data, config));
  audit
    .command('verify')
    .description(
      'examine the audit log: 0 whole, 1 with the first broken entry, 2 cannot be examined; without --data the running server does',
    )
    .option('--data <dir>', 'data directory, whether or not a server runs on it')
    .option(...CONFIG_FLAG)
    .option('--json', 'print the whole verdict')
    .action(async (_flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<VerifyFlags>();
      const { data, config } = flags;
      const { examining } = await import('../examination.ts');
      const verdict = await examining(async () =>
        data === undefined ? (JSON.parse(await ask(flags, '/api/audit/verify')) as AuditVerdict) : examined(data, config),
      );
      process.exitCode = verdict.whole ? EXIT.ok : EXIT.failed;
      writeData(flags.json === true ? JSON.stringify(verdict, null, 2) : wordsOf(verdict));
    });
}

async function rotate(data: string, config: string | undefined): Promise<void> {
  const [
    { keysOf, openState },
    { notADirectory },
    { realClock },
    { AUDIT_SEALING_KEY },
    { openAuditLog },
    { COMMAND_LINE },
    { createLogger },
  ] = await Promise.all([
    import('../state.ts'),
    import('../examination.ts'),
    import('@nines/server/platform/clock.ts'),
    import('@nines/server/platform/signing/audit-key.ts'),
    import('@nines/server/audit/start.ts'),
    import('@nines/server/access/contract.ts'),
    import('@nines/server/platform/log.ts'),
  ]);
  notADirectory(data);
  const sealing = (await keysOf(data, config))?.cipher.key(AUDIT_SEALING_KEY);
  const db = await openState({ data, config }, realClock.now());
  try {
    const logger = createLogger({ level: 'error', format: 'text' });
    const audit = await openAuditLog({ db, clock: realClock, logger, dataDir: data, keptMs: Infinity, sealing });
    writeData(`the audit log goes on with the key ${await audit.rotateKey(COMMAND_LINE)}`);
    process.stderr.write(
      'Other instances on the same database need this audit-key.json now. Make a backup: those of before lack the new key.\n',
    );
  } finally {
    await db.close();
  }
}

/** SQLite and PostgreSQL both take a reader beside a running server. */
async function examined(data: string, config: string | undefined): Promise<AuditVerdict> {
  const [{ keysOf, openState }, { notADirectory }, { realClock }, { AUDIT_SEALING_KEY, readAuditKeys }, { verifyAudit }] =
    await Promise.all([
      import('../state.ts'),
      import('../examination.ts'),
      import('@nines/server/platform/clock.ts'),
      import('@nines/server/platform/signing/audit-key.ts'),
      import('@nines/server/audit/service.ts'),
    ]);
  notADirectory(data);
  const keys = await keysOf(data, config);
  const ring = readAuditKeys(data, keys?.cipher.key(AUDIT_SEALING_KEY));
  if (ring === undefined)
    throw new CliFailure(
      EXIT.badInput,
      `${data} has no audit-key.json, without which nobody can tell whether its audit log is whole. Put it back from a backup.`,
    );
  const db = await openState({ data, config }, realClock.now());
  try {
    return await verifyAudit({ db, dataDir: data, keys: ring });
  } finally {
    await db.close();
  }
}

function wordsOf({ entries, from_seq, to_seq, anchors, fault }: AuditVerdict): string {
  if (fault !== null) return `broken: ${fault.detail} (${fault.problem})`;
  return entries === 0 ? 'whole: nothing was written yet' : `whole: ${entries} entries, ${from_seq} to ${to_seq}, ${anchors} anchors`;
}
