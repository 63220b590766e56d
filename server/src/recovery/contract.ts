/**
 * Recovery: what is done about a check that is down, before or beside telling people. Each action belongs to one check and is declared in
 * the configuration file only. An action helped when its post-condition holds and the check, asked again, is no longer down; anything
 * else is said to people. Nothing is done while the check flaps or is unknown, nor during maintenance, and nothing is done twice blindly:
 * a run that a crash cut short counts as a try.
 */
import { compileRegex } from '@nines/base/regex.ts';
import { DAY_MS, type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration, slug, uniqueIds } from '../platform/config/fields.ts';
import { command, programList, programPath } from '../platform/programs.ts';

export const RECOVERY_CODES = {
  notFound: 'recovery_action_not_found',
  runNotFound: 'recovery_run_not_found',
  held: 'recovery_held',
} as const;

/** The rule of the alert that says that nothing helped; a user's rule of this id replaces it. */
export const RECOVERY_RULE_ID = 'recovery_failed';

const MAX_ACTIONS = 200;
const MAX_OUTPUT_BYTES = 1_048_576;
const SYSTEMCTL = '/usr/bin/systemctl';

const absolute = z.string().max(1_000).regex(/^\//, 'write an absolute path');

/** RE2 syntax. */
const pattern = z
  .string()
  .min(1)
  .superRefine((source, context) => {
    const compiled = compileRegex(source);
    if (!compiled.ok) context.addIssue({ code: 'custom', message: compiled.error });
  });

/** Letters that systemd takes in the name of a unit (systemd.unit(5)); never an option. */
const unit = z.string().regex(/^[A-Za-z0-9_:.\\@][A-Za-z0-9_:.\\@-]{0,254}$/, 'write the name of a systemd unit, such as nginx.service');

/** Which processes are meant: all that is written must fit. */
const processSpec = z
  .strictObject({
    /** The file of the program without its path, or what the kernel calls the process. */
    name: z.string().min(1).max(255).optional(),
    /** Some part of the command line, its words joined by spaces, must match. */
    command_matches: pattern.optional(),
  })
  .refine(({ name, command_matches: matches }) => name !== undefined || matches !== undefined, {
    message: 'write what to look for: name or command_matches',
    path: ['name'],
  });
export type ProcessSpec = z.output<typeof processSpec>;

const expectation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('service'), unit, systemctl: programPath.default(SYSTEMCTL) }),
  z
    .strictObject({ kind: z.literal('process'), ...processSpec.shape })
    .refine((one) => one.name !== undefined || one.command_matches !== undefined, {
      message: 'write what to look for: name or command_matches',
      path: ['name'],
    }),
  /** So many bytes were freed by this run. */
  z.strictObject({ kind: z.literal('freed'), bytes: z.number().int().min(1) }),
  z.strictObject({ kind: z.literal('free_space'), path: absolute, bytes: z.number().int().min(1) }),
  z.strictObject({ kind: z.literal('check'), check: slug }),
]);
export type Expectation = z.output<typeof expectation>;

const common = {
  id: slug,
  /** The check that is down. */
  check: slug,
  /** The outage of the check, which is confirmed by then, must have lasted for so long. */
  after: duration({ maxMs: DAY_MS }).prefault('0s'),
  /** From the end of one run to the beginning of the next. */
  cooldown: duration({ minMs: 10 * SECOND_MS, maxMs: 7 * DAY_MS }).prefault('5m'),
  /** Runs in one outage. */
  max_tries: z.number().int().min(1).max(10).default(2),
  /** How long the action itself may take. */
  timeout: duration({ minMs: SECOND_MS, maxMs: HOUR_MS }).prefault('1m'),
  /** How long the post-conditions and the check have afterwards. */
  within: duration({ minMs: SECOND_MS, maxMs: HOUR_MS }).prefault('1m'),
  /** Says what it would do, and does nothing. */
  dry_run: z.boolean().default(false),
  /** `false`: runs only when a person asks for it. */
  automatic: z.boolean().default(true),
  /** Of the alert that says that it did not help. */
  severity: z.enum(['info', 'warning', 'critical', 'emergency']).default('critical'),
  /** What must hold afterwards, before the check is asked again. Default: what the kind is about. */
  expect: z.array(expectation).max(5).optional(),
};

/** Of kinds that run a program. */
const running = {
  user: z.string().min(1).max(64).optional(),
  max_output: z.number().int().min(0).max(MAX_OUTPUT_BYTES).default(65_536),
};

/** Folders that hold a system, not temporary files: those themselves, and whatever lies in the first ones. */
const SYSTEM_TREES = ['/bin', '/boot', '/dev', '/etc', '/lib', '/lib32', '/lib64', '/proc', '/sbin', '/sys', '/usr'];
const SYSTEM_FOLDERS = ['/', '/home', '/mnt', '/media', '/opt', '/root', '/run', '/srv', '/var', '/var/lib', '/var/log', '/var/run'];

/** Why nothing is cleaned there; undefined when it may be. */
export function refusedFolder(folder: string): string | undefined {
  if (folder.includes('\0')) return 'a path cannot hold the character 0';
  const parts = folder.split('/').slice(1);
  if (folder !== '/' && parts.some((part) => part === '' || part === '.' || part === '..')) {
    return 'write the folder without "..", "." and doubled or trailing slashes';
  }
  const tree = SYSTEM_TREES.find((root) => folder === root || folder.startsWith(`${root}/`));
  if (tree !== undefined || SYSTEM_FOLDERS.includes(folder))
    return `${folder} belongs to the system; name the folder of the temporary files`;
  return undefined;
}

const cleanedFolder = absolute.superRefine((folder, context) => {
  const refusal = refusedFolder(folder);
  if (refusal !== undefined) context.addIssue({ code: 'custom', message: refusal });
});

const actionSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ ...common, ...running, kind: z.literal('restart_service'), unit, systemctl: programPath.default(SYSTEMCTL) }),
    z.strictObject({
      ...common,
      ...running,
      kind: z.literal('restart_network'),
      unit: unit.default('systemd-networkd.service'),
      systemctl: programPath.default(SYSTEMCTL),
    }),
    z.strictObject({
      ...common,
      user: running.user,
      kind: z.literal('restart_process'),
      process: processSpec,
      /** More than these are not ended: the description is too wide. */
      max_processes: z.number().int().min(1).max(100).default(1),
      signal: z.enum(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']).default('SIGTERM'),
      /** After this those that are still there are killed. */
      grace: duration({ minMs: SECOND_MS, maxMs: 10 * MINUTE_MS }).prefault('10s'),
      /** Starts it again, in the background. Without it something else does (a supervisor). */
      start: command.optional(),
    }),
    z.strictObject({
      ...common,
      ...running,
      kind: z.literal('clear_caches'),
      /** The kernel's: of file contents, of names and inodes, or both. Only root may. */
      memory: z.enum(['pages', 'objects', 'all']).optional(),
      /** Those of a program. */
      command: command.optional(),
    }),
    z.strictObject({
      ...common,
      kind: z.literal('clean_files'),
      folder: cleanedFolder,
      /** Of names: `*` is any text, `?` one character. */
      pattern: z
        .string()
        .min(1)
        .max(200)
        .refine((text) => !text.includes('/') && !text.includes('\0'), 'a pattern is of the names in the folder: no "/"')
        .default('*'),
      /** Last changed before this. */
      older_than: duration({ minMs: MINUTE_MS }),
      /** Folders in it, so many levels deep. */
      depth: z.number().int().min(0).max(10).default(0),
      max_files: z.number().int().min(1).max(1_000_000).default(10_000),
    }),
    z.strictObject({ ...common, ...running, kind: z.literal('command'), command }),
  ])
  .superRefine((action, context) => {
    if (action.kind === 'clear_caches' && (action.memory === undefined) === (action.command === undefined)) {
      context.addIssue({ code: 'custom', path: ['memory'], message: 'write which caches: either memory or command' });
    }
    if (action.kind !== 'clean_files') {
      const at = action.expect?.findIndex(({ kind }) => kind === 'freed') ?? -1;
      if (at >= 0) context.addIssue({ code: 'custom', path: ['expect', at], message: 'only clean_files knows how much it freed' });
    }
  });
export type RecoveryAction = z.output<typeof actionSchema>;
export type RecoveryKind = RecoveryAction['kind'];
export type ActionOf<K extends RecoveryKind> = Extract<RecoveryAction, { readonly kind: K }>;

/** The section `recovery`. */
export const recoveryConfig = z
  .strictObject({
    /** Programs that actions may run, by absolute path. Nothing else runs. */
    commands: programList,
    actions: z.array(actionSchema).max(MAX_ACTIONS).superRefine(uniqueIds('recovery action')).default([]),
  })
  .prefault({});
export type RecoveryConfig = z.output<typeof recoveryConfig>;

/** What must hold after an action when it does not say so itself. */
export function expectationsOf(action: RecoveryAction): readonly Expectation[] {
  if (action.expect !== undefined) return action.expect;
  switch (action.kind) {
    case 'restart_service':
    case 'restart_network':
      return [{ kind: 'service', unit: action.unit, systemctl: action.systemctl }];
    case 'restart_process':
      return [{ kind: 'process', ...action.process }];
    case 'clean_files':
      return [{ kind: 'freed', bytes: 1 }];
    case 'clear_caches':
    case 'command':
      return [];
  }
}

/** The programs that an action runs itself, with the field that names each. */
function programsOf(action: RecoveryAction): readonly { readonly path: readonly (string | number)[]; readonly program: string }[] {
  const expected = (action.expect ?? []).flatMap((one, index) =>
    one.kind === 'service' ? [{ path: ['expect', index, 'systemctl'], program: one.systemctl }] : [],
  );
  switch (action.kind) {
    case 'restart_service':
    case 'restart_network':
      return [{ path: ['systemctl'], program: action.systemctl }, ...expected];
    case 'restart_process':
      return [...(action.start === undefined ? [] : [{ path: ['start'], program: action.start[0] }]), ...expected];
    case 'clear_caches':
    case 'command':
      return [...(action.command === undefined ? [] : [{ path: ['command'], program: action.command[0] }]), ...expected];
    case 'clean_files':
      return expected;
  }
}

export type RecoveryKnown = {
  readonly checks: ReadonlySet<string>;
  /** Whether a folder holds, is, or lies in what Nines keeps. */
  readonly isOurs: (folder: string) => boolean;
  readonly isUser: (name: string) => boolean;
};

/** What an action names and nobody declares, and programs that are not on the list. Paths are within the section `recovery`. */
export function unknownToRecovery(
  { commands, actions }: RecoveryConfig,
  known: RecoveryKnown,
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  return actions.flatMap((action, index) => {
    const found: { path: readonly (string | number)[]; message: string }[] = [];
    const refuse = (path: readonly (string | number)[], message: string): void =>
      void found.push({ path: ['actions', index, ...path], message });
    const noCheck = (id: string): string => `the recovery action "${action.id}" names the check "${id}", which is not declared`;
    if (!known.checks.has(action.check)) refuse(['check'], noCheck(action.check));
    action.expect?.forEach((one, at) => {
      if (one.kind === 'check' && !known.checks.has(one.check)) refuse(['expect', at, 'check'], noCheck(one.check));
    });
    for (const { path, program } of programsOf(action)) {
      if (!commands.includes(program)) refuse(path, `${program} is not listed under recovery.commands`);
    }
    if (action.kind === 'clean_files') {
      if (known.isOurs(action.folder)) refuse(['folder'], `${action.folder} overlaps the data directory`);
    } else if (action.user !== undefined && !known.isUser(action.user)) {
      refuse(['user'], `there is no user "${action.user}" on this machine`);
    }
    return found;
  });
}

export const RUN_STATUSES = ['running', 'helped', 'not_helped', 'failed', 'dry_run', 'interrupted'] as const;
/**
 * `helped`: the post-conditions held and the check is no longer down (or was not). `not_helped`: the action was done and one of the two
 * is not so. `failed`: the action itself did not succeed. `interrupted`: the server ended meanwhile, so nobody knows.
 */
export type RunStatus = (typeof RUN_STATUSES)[number];

/** One run of an action, kept as evidence of what was done, why, by whom and what came of it. */
export type RecoveryRun = {
  readonly id: string;
  readonly action: string;
  readonly kind: RecoveryKind;
  readonly check: string;
  readonly service: string;
  /** The outage of the check that it belongs to; null when a person ran it while the check was not down. */
  readonly outage: string | null;
  /** Its number among the runs of the action in the outage, from 1. */
  readonly tryNumber: number;
  readonly status: RunStatus;
  readonly dryRun: boolean;
  /** Who asked for it; `''`: nobody, it ran because the check was down. */
  readonly by: string;
  readonly why: string;
  readonly startedAtMs: EpochMs;
  readonly endedAtMs: EpochMs | null;
  /** What was done and what came of it, in a sentence. */
  readonly detail: string;
  readonly output: string;
  readonly outputCut: boolean;
};

/** `POST /api/recovery/actions/{id}/run`. */
export const runRequest = z.strictObject({
  dry_run: z.boolean().default(false),
  /** Why, for the record. */
  reason: z.string().max(1_000).default(''),
});

export const runView = z.object({
  id: z.string(),
  action: z.string(),
  kind: z.string(),
  check: z.string(),
  service: z.string(),
  try: z.number(),
  status: z.enum(RUN_STATUSES),
  dry_run: z.boolean(),
  /** Null: nobody asked, the check was down. */
  by: z.string().nullable(),
  why: z.string(),
  started_at_ms: z.number(),
  ended_at_ms: z.number().nullable(),
  detail: z.string(),
  output: z.string(),
  output_cut: z.boolean(),
});
export type RecoveryRunView = z.infer<typeof runView>;

export const runToWire = (run: RecoveryRun): RecoveryRunView => ({
  id: run.id,
  action: run.action,
  kind: run.kind,
  check: run.check,
  service: run.service,
  try: run.tryNumber,
  status: run.status,
  dry_run: run.dryRun,
  by: run.by === '' ? null : run.by,
  why: run.why,
  started_at_ms: run.startedAtMs,
  ended_at_ms: run.endedAtMs,
  detail: run.detail,
  output: run.output,
  output_cut: run.outputCut,
});

export const HOLD_REASONS = [
  'running',
  'busy',
  'unknown',
  'not_down',
  'flapping',
  'maintenance',
  'manual_only',
  'not_yet',
  'tries_used_up',
  'cooling_down',
] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

/** The shape of `GET /api/recovery/actions` items. */
export const actionView = z.object({
  id: z.string(),
  kind: z.string(),
  check: z.string(),
  service: z.string().nullable(),
  /** What it does, in words. */
  does: z.string(),
  dry_run: z.boolean(),
  automatic: z.boolean(),
  /** What would be decided now, and why. */
  decision: z.object({
    kind: z.enum(['run', 'hold']),
    reason: z.enum([...HOLD_REASONS, 'down', 'dry_run']),
    detail: z.string(),
    until_ms: z.number().nullable(),
  }),
  last: runView.nullable(),
});
export type RecoveryActionView = z.infer<typeof actionView>;
