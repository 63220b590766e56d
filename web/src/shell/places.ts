/** The pages of the navigation. */
import type { AreaName } from '../api/wire.ts';
import type { IconName } from './icons.tsx';
import { t } from '../language/t.ts';

/** A page of the navigation. */
export type Place = {
  readonly to:
    | '/'
    | '/services'
    | '/slas'
    | '/checks'
    | '/agents'
    | '/targets'
    | '/rules'
    | '/health'
    | '/alerts-dashboard'
    | '/dashboards'
    | '/analytics'
    | '/explore'
    | '/incidents'
    | '/notifications'
    | '/on-call'
    | '/silences'
    | '/maintenance'
    | '/routes'
    | '/escalation'
    | '/status-pages'
    | '/reports'
    | '/settings';
  readonly word: string;
  readonly icon: IconName;
  /** Who may read this sees the page; absent: everybody. */
  readonly area?: AreaName;
};
/** On a phone these four are always at hand, the others one step away. */
export const FIRST: readonly Place[] = [
  { to: '/', word: t('Overview'), icon: 'overview' },
  { to: '/services', word: t('Services'), icon: 'services', area: 'services' },
  { to: '/slas', word: t('SLAs'), icon: 'slas', area: 'slas' },
  { to: '/alerts-dashboard', word: t('Alerts'), icon: 'alerts', area: 'alerts' },
];
export const REST: readonly Place[] = [
  { to: '/dashboards', word: t('Dashboards'), icon: 'dashboards', area: 'dashboards' },
  { to: '/analytics', word: t('Analytics'), icon: 'analytics', area: 'analytics' },
  { to: '/explore', word: t('Explore'), icon: 'explore', area: 'metrics' },
  { to: '/incidents', word: t('Incidents'), icon: 'incidents', area: 'incidents' },
  { to: '/checks', word: t('Checks'), icon: 'checks', area: 'checks' },
  { to: '/agents', word: t('Agents'), icon: 'agents', area: 'agents' },
  { to: '/targets', word: t('Targets'), icon: 'targets', area: 'metrics' },
  { to: '/health', word: t('Health'), icon: 'health', area: 'system' },
  { to: '/rules', word: t('Rules'), icon: 'rules', area: 'alerts' },
  { to: '/notifications', word: t('Notifications'), icon: 'notifications', area: 'notifications' },
  { to: '/on-call', word: t('On call'), icon: 'oncall', area: 'oncall' },
  { to: '/silences', word: t('Silences'), icon: 'silences', area: 'alerts' },
  { to: '/maintenance', word: t('Maintenance'), icon: 'maintenance', area: 'maintenance' },
  { to: '/routes', word: t('Routes'), icon: 'routes', area: 'notifications' },
  { to: '/escalation', word: t('Escalation'), icon: 'escalation', area: 'oncall' },
  { to: '/status-pages', word: t('Status||navigation'), icon: 'status', area: 'status_pages' },
  { to: '/reports', word: t('Reports'), icon: 'reports', area: 'reports' },
  { to: '/settings', word: t('Settings'), icon: 'settings' },
];
