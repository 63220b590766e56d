/** The pages of the navigation. */
import type { AreaName } from '../api/wire.ts';
import type { IconName } from './icons.tsx';

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
  { to: '/', word: 'Overview', icon: 'overview' },
  { to: '/services', word: 'Services', icon: 'services', area: 'services' },
  { to: '/slas', word: 'SLAs', icon: 'slas', area: 'slas' },
  { to: '/alerts-dashboard', word: 'Alerts', icon: 'alerts', area: 'alerts' },
];
export const REST: readonly Place[] = [
  { to: '/dashboards', word: 'Dashboards', icon: 'dashboards', area: 'dashboards' },
  { to: '/analytics', word: 'Analytics', icon: 'analytics', area: 'analytics' },
  { to: '/explore', word: 'Explore', icon: 'explore', area: 'metrics' },
  { to: '/incidents', word: 'Incidents', icon: 'incidents', area: 'incidents' },
  { to: '/checks', word: 'Checks', icon: 'checks', area: 'checks' },
  { to: '/agents', word: 'Agents', icon: 'agents', area: 'agents' },
  { to: '/targets', word: 'Targets', icon: 'targets', area: 'metrics' },
  { to: '/health', word: 'Health', icon: 'health', area: 'system' },
  { to: '/rules', word: 'Rules', icon: 'rules', area: 'alerts' },
  { to: '/notifications', word: 'Notifications', icon: 'notifications', area: 'notifications' },
  { to: '/on-call', word: 'On call', icon: 'oncall', area: 'oncall' },
  { to: '/silences', word: 'Silences', icon: 'silences', area: 'alerts' },
  { to: '/maintenance', word: 'Maintenance', icon: 'maintenance', area: 'maintenance' },
  { to: '/routes', word: 'Routes', icon: 'routes', area: 'notifications' },
  { to: '/escalation', word: 'Escalation', icon: 'escalation', area: 'oncall' },
  { to: '/status-pages', word: 'Status', icon: 'status', area: 'status_pages' },
  { to: '/reports', word: 'Reports', icon: 'reports', area: 'reports' },
  { to: '/settings', word: 'Settings', icon: 'settings' },
];
