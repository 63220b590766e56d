import type { UsedByView } from '../api/objects.ts';
import { t } from '../language/t.ts';

type One = UsedByView['items'][number];

const KINDS: Readonly<Record<One['kind'], string>> = {
  agents: t('Agent'),
  channels: t('Channel'),
  checks: t('Check'),
  dashboards: t('Dashboard'),
  'escalation/policies': t('Escalation policy'),
  'inhibit-rules': t('Inhibit rule'),
  maintenance: t('Maintenance'),
  'oncall/people': t('Person on call'),
  'oncall/schedules': t('Schedule'),
  people: t('Person'),
  'recovery/actions': t('Recovery action'),
  roles: t('Role'),
  routes: t('Route'),
  rules: t('Rule'),
  services: t('Service'),
  settings: t('Setting'),
  silences: t('Silence'),
  slas: t('SLA'),
  'statement-schedules': t('Statement schedule'),
  'status-pages': t('Status page'),
  tokens: t('Token'),
};
const USES: Readonly<Record<One['how'][number], string>> = {
  asks_for: t('is watched by it'),
  belongs_to: t('belongs to it'),
  consists_of: t('consists of it'),
  depends_on: t('depends on it'),
  escalates_to: t('escalates to it'),
  falls_back_to: t('hands over to it outside of its hours'),
  has_as_member: t('has it as a member'),
  holds: t('holds it'),
  matches: t('routes its alerts'),
  measures: t('measures it'),
  mutes: t('mutes its alerts'),
  reads: t('reads its series'),
  reports_on: t('reports on it'),
  repairs: t('acts when it is down'),
  runs_at: t('asks from there'),
  sends_to: t('sends to it'),
  shows: t('shows it'),
  works_on: t('announces work on it'),
};

export const kindWord = (kind: One['kind']): string => KINDS[kind];
export const usesText = (how: One['how']): string => how.map((one) => USES[one]).join(', ');
