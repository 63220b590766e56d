/**
 * What every object has in common, whatever its domain: how it stands in the configuration, and what names it. Both are read from the
 * current state when somebody asks; nothing is kept, and nobody learns of an object that they may not read where it lives.
 */
import { z } from 'zod';
import type { Area } from '../access/contract.ts';
import type { Thing } from '../platform/http/contract.ts';

/** Kinds of objects, by the path of their address in the API, as the audit log calls them. */
export const OBJECT_KINDS = [
  'agents',
  'channels',
  'checks',
  'dashboards',
  'escalation/policies',
  'inhibit-rules',
  'maintenance',
  'oncall/people',
  'oncall/schedules',
  'people',
  'recovery/actions',
  'roles',
  'routes',
  'rules',
  'services',
  'settings',
  'silences',
  'slas',
  'statement-schedules',
  'status-pages',
  'tokens',
] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];
export type ObjectRef = { readonly kind: ObjectKind; readonly id: string };
export type ObjectName = ObjectRef & { readonly name: string };

/** Who may read objects of a kind, and what a scope judges one by; `free` is what no team owns, and without either only those see it who see everything. */
export const READ_BY: Readonly<Record<ObjectKind, { readonly area: Area; readonly thing?: Thing; readonly free?: true }>> = {
  agents: { area: 'agents' },
  channels: { area: 'notifications' },
  checks: { area: 'checks', thing: 'check' },
  dashboards: { area: 'dashboards', free: true },
  'escalation/policies': { area: 'oncall' },
  'inhibit-rules': { area: 'notifications' },
  maintenance: { area: 'maintenance', thing: 'maintenance' },
  'oncall/people': { area: 'oncall' },
  'oncall/schedules': { area: 'oncall', thing: 'schedule' },
  people: { area: 'access' },
  'recovery/actions': { area: 'checks' },
  roles: { area: 'access' },
  routes: { area: 'notifications' },
  rules: { area: 'alerts' },
  services: { area: 'services', thing: 'service' },
  settings: { area: 'system' },
  silences: { area: 'alerts' },
  slas: { area: 'slas', thing: 'sla' },
  'statement-schedules': { area: 'slas' },
  'status-pages': { area: 'status_pages', thing: 'status_page' },
  tokens: { area: 'access' },
};

/** How one object names another. */
export const USES = [
  'asks_for',
  'belongs_to',
  'consists_of',
  'depends_on',
  'escalates_to',
  'falls_back_to',
  'has_as_member',
  'holds',
  'matches',
  'measures',
  'mutes',
  'reads',
  'reports_on',
  'repairs',
  'runs_at',
  'sends_to',
  'shows',
  'works_on',
] as const;
export type Use = (typeof USES)[number];

export const usedByView = z.object({
  items: z.array(z.object({ kind: z.enum(OBJECT_KINDS), id: z.string(), name: z.string(), how: z.array(z.enum(USES)) })),
});
export type UsedByView = z.output<typeof usedByView>;

/** How an object stands in the configuration. */
export const declarationView = z.object({
  /** As `nines.yml`, or the file that `file` speaks of, holds it, with what it stands under; secrets are replaced. */
  yaml: z.string(),
  /** What kind of file takes it. */
  file: z.enum(['nines.yml', 'dashboard', 'rule_file']),
  /** Where it stands, `nines.yml:12`; `ui` when it was made here, `shipped` when the product brings it. */
  origin: z.string(),
  /** Whether something in it was replaced and has to be filled in before it loads. */
  redacted: z.boolean(),
});
export type DeclarationView = z.output<typeof declarationView>;

export const OBJECT_CODES = { notFound: 'object_not_found' } as const;
