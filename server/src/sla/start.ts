import type { Span } from '@nines/maths/slo/types.ts';
import type { Queryable } from '@nines/model/storage.ts';
import type { Engine } from '@nines/promql/engine.ts';
import { startLoop } from '../platform/loop.ts';
import { SigningKeys } from '../platform/signing/signing-keys.ts';
import { SLA_STEP_MS } from './config.ts';
import { SlaContracts, type SlaContractsDeps } from './contracts.ts';
import { createSampleReader } from './samples.ts';
import { SlaService, type SlaServiceDeps } from './service.ts';
import { Reports } from './reports/service.ts';
import { ReportTemplates } from './reports/templates.ts';
import { Exclusions } from './statements/exclusion-service.ts';
import { SENDER_STEP_MS, type SenderDeps, StatementSender } from './statements/sender.ts';
import { STATEMENT_STEP_MS, type StatementDeps, Statements } from './statements/service.ts';

export type SlaDeps = Omit<SlaServiceDeps, 'readSamples'> &
  Pick<StatementDeps, 'ids' | 'bus' | 'ledger'> &
  Pick<SlaContractsDeps, 'services'> &
  Pick<SenderDeps, 'outbox' | 'mailer' | 'serviceName'> & {
    readonly engine: Engine;
    readonly queryable: Queryable;
    /** Where the statements' keys are kept, and what they are sealed with where the data directory is encrypted. */
    readonly dataDir: string;
    readonly sealing: Parameters<typeof SigningKeys.open>[1];
  };

/** SLAs with all that is said about them: contracts, verdicts, exclusions, statements and who they are sent to. */
export async function openSlas(deps: SlaDeps) {
  const { clock, logger, dataDir } = deps;
  const slas = new SlaService({
    ...deps,
    readSamples: createSampleReader(deps),
    onLate: (sla, span) => statements.recheck([sla], span),
  });
  const keys = await SigningKeys.open(dataDir, deps.sealing, clock.now());
  const book = slas.book;
  const statements = new Statements({ ...deps, book, signer: () => keys.signer });
  const exclusions = new Exclusions({ ...deps, book, onChange: (sla, span) => statements.recheck([sla], span) });
  const reports = new Reports({ ...deps, book, statements, signer: () => keys.signer });
  const templates = new ReportTemplates(deps);
  await templates.load();
  const sender = new StatementSender({ ...deps, book, statements, reports, templates });
  const contracts = new SlaContracts({ ...deps, book, onChange: () => slas.wake() });
  await exclusions.load();
  await slas.load();

  /** The past of a service is not what it was: verdicts and statements are looked at again. */
  const recheck = (service: string, span: Span): Promise<void> => {
    slas.wake(service);
    return statements.recheckService(service, span);
  };

  /** Looks at the objectives and the statements from now on. */
  const run = (): AsyncDisposable => {
    const loops = new AsyncDisposableStack();
    const loop = { clock, logger };
    loops.use(startLoop({ ...loop, name: 'sla', everyMs: SLA_STEP_MS, step: (nowMs, signal) => slas.worker.step(nowMs, signal) }));
    loops.use(startLoop({ ...loop, name: 'scheduled statements', everyMs: SENDER_STEP_MS, step: (nowMs) => sender.step(nowMs) }));
    loops.use(startLoop({ ...loop, name: 'statements', everyMs: STATEMENT_STEP_MS, step: (nowMs) => statements.step(nowMs) }));
    return loops;
  };
  return { slas, contracts, statements, reports, templates, exclusions, sender, keys, recheck, run };
}
