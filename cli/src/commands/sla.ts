import { realClock } from '@nines/server/platform/clock.ts';
import { FORMS, type Form } from '@nines/server/sla/statements/forms.ts';
import type { SlaView } from '@nines/server/sla/contract.ts';
import type { PublicKey } from '@nines/server/platform/signing/signer.ts';
import { type Command, Option } from 'commander';
import { FORMATS, type Format, formatted, writeBytes, writeData } from '../output.ts';
import { type RemoteOptions, ask, askBytes } from '../remote.ts';
import { instantOption, toSeconds } from '../times.ts';
import { definitionCommands } from './sla-definitions.ts';
import { slaTable } from './sla-table.ts';
import { type VerifyOptions, publishedKeys, verifyStatement } from './verify.ts';

type ReportOptions = RemoteOptions & {
  readonly from?: string;
  readonly to?: string;
  readonly period?: string;
  readonly zone?: string;
  readonly customer?: string;
  readonly knownAt?: string;
  readonly revision?: string;
  readonly format: Form;
  readonly output?: string;
};
type CombinedOptions = Omit<ReportOptions, 'knownAt' | 'revision'> & {
  readonly service?: readonly string[];
  readonly title?: string;
};

export function slaCommand(program: Command): void {
  const sla = program.command('sla').description('status and statements of SLAs');
  sla
    .command('list')
    .description('every SLA with its status and budget')
    .addOption(new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table'))
    .action(async (_options: unknown, command: Command) => {
      await list(command.optsWithGlobals<RemoteOptions & { readonly format: Format }>());
    });
  sla
    .command('report <id>')
    .alias('statement')
    .description('the signed statement of a period; without one, of the window that ends now')
    .option('--from <time>', 'start: RFC 3339, Unix seconds, now-24h')
    .option('--to <time>', 'end, not included')
    .option('--period <name>', 'instead of --from and --to: 2026-11, 2026-W47, 2026-Q4, 2026')
    .option('--zone <zone>', 'time zone of the period, for example Europe/Berlin (default: UTC)')
    .option('--customer <id>', 'one of the customers of the contract')
    .option('--known-at <time>', 'what was known then')
    .option('--revision <number>', 'a revision that was issued')
    .addOption(new Option('--format <format>', 'form of the statement').choices([...FORMS]).default('json'))
    .option('--output <file>', 'write to a file instead of standard output')
    .action(async (id: string, _options: unknown, command: Command) => {
      await report(id, command.optsWithGlobals<ReportOptions>(), realClock.now());
    });
  sla
    .command('reports [ids...]')
    .description('the signed report of a period over several contracts: those named, or all of the customer and the services')
    .option('--customer <id>', 'contracts that name this customer, with what it is owed')
    .option('--service <id...>', 'contracts about these services')
    .option('--title <text>', 'what stands above it')
    .option('--from <time>', 'start: RFC 3339, Unix seconds, now-24h')
    .option('--to <time>', 'end, not included')
    .option('--period <name>', 'instead of --from and --to: 2026-11, 2026-W47, 2026-Q4, 2026')
    .option('--zone <zone>', 'time zone of the period, for example Europe/Berlin (default: UTC)')
    .addOption(new Option('--format <format>', 'form of the report').choices([...FORMS]).default('json'))
    .option('--output <file>', 'write to a file instead of standard output')
    .action(async (ids: readonly string[], _options: unknown, command: Command) => {
      await combined(ids, command.optsWithGlobals<CombinedOptions>(), realClock.now());
    });
  keyCommands(sla);
  definitionCommands(sla);
}

function keyCommands(sla: Command): void {
  sla
    .command('verify <file>')
    .description('whether a statement in JSON is what was signed, and by whom; ends with 1 when it is not')
    .option('--server <url>', 'compare the key with those of this server; --url does the same')
    .option('--key <key>', 'the public key that must have signed it')
    .action(async (file: string, _options: unknown, command: Command) => {
      await verifyStatement(file, command.optsWithGlobals<VerifyOptions>());
    });
  sla
    .command('keys')
    .description('the public keys that statements are and were signed with')
    .addOption(new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table'))
    .action(async (_options: unknown, command: Command) => {
      await listKeys(command.optsWithGlobals<RemoteOptions & { readonly format: Format }>());
    });
  sla
    .command('rotate-key')
    .description('sign statements with another key from now on; what was signed before still verifies')
    .action(async (_options: unknown, command: Command) => {
      const made = JSON.parse(
        await ask(command.optsWithGlobals<RemoteOptions>(), '/api/statement-keys/rotate', { method: 'POST' }),
      ) as PublicKey;
      writeData(made.public_key);
    });
}

async function listKeys(options: RemoteOptions & { readonly format: Format }): Promise<void> {
  const items = await publishedKeys(options);
  const rows = items.map(({ key_id, public_key, created_at_ms, retired_at_ms }) => [
    key_id,
    public_key,
    new Date(created_at_ms).toISOString(),
    retired_at_ms === null ? '' : new Date(retired_at_ms).toISOString(),
  ]);
  writeData(formatted(options.format, { columns: ['key_id', 'public_key', 'created', 'retired'], rows }, items));
}

async function list(options: RemoteOptions & { readonly format: Format }): Promise<void> {
  const { items } = JSON.parse(await ask(options, '/api/slas')) as { readonly items: readonly SlaView[] };
  writeData(formatted(options.format, slaTable(items, options.format), items));
}

async function report(id: string, options: ReportOptions, nowMs: number): Promise<void> {
  const params = new URLSearchParams({ format: options.format });
  if (options.from !== undefined) params.set('from', toSeconds(instantOption(options.from, 'from', nowMs)));
  if (options.to !== undefined) params.set('to', toSeconds(instantOption(options.to, 'to', nowMs)));
  if (options.knownAt !== undefined) params.set('known_at', toSeconds(instantOption(options.knownAt, 'known-at', nowMs)));
  for (const name of ['period', 'zone', 'customer', 'revision'] as const) {
    const value = options[name];
    if (value !== undefined) params.set(name, value);
  }
  const path = `/api/slas/${encodeURIComponent(id)}/report?${params.toString()}`;
  await write(options, path);
}

async function combined(ids: readonly string[], options: CombinedOptions, nowMs: number): Promise<void> {
  const params = new URLSearchParams({ format: options.format });
  for (const id of ids) params.append('sla', id);
  for (const id of options.service ?? []) params.append('service', id);
  if (options.from !== undefined) params.set('from', toSeconds(instantOption(options.from, 'from', nowMs)));
  if (options.to !== undefined) params.set('to', toSeconds(instantOption(options.to, 'to', nowMs)));
  for (const name of ['period', 'zone', 'customer', 'title'] as const) {
    const value = options[name];
    if (value !== undefined) params.set(name, value);
  }
  await write(options, `/api/reports/contracts?${params.toString()}`);
}

async function write(options: RemoteOptions & Pick<ReportOptions, 'format' | 'output'>, path: string): Promise<void> {
  if (options.format === 'pdf') writeBytes(await askBytes(options, path), options.output);
  else writeData(await ask(options, path), options.output);
}
