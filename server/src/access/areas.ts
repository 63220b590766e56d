import type { Topic } from '../platform/bus.ts';
import type { Area } from './contract.ts';

/**
 * Which area a route belongs to, by the longest beginning of its address. The server refuses to start with a route that needs a
 * permission and stands under none of these.
 */
export const AREA_OF: Readonly<Record<string, Area>> = {
  '/-/': 'system',
  '/api/agents': 'agents',
  '/api/alerts': 'alerts',
  '/api/analytics': 'analytics',
  '/api/announcements': 'status_pages',
  '/api/audit': 'audit',
  '/api/availability': 'services',
  '/api/backups': 'system',
  '/api/cardinality': 'metrics',
  '/api/channel-kinds': 'notifications',
  '/api/channels': 'notifications',
  '/api/check-templates': 'checks',
  '/api/checks': 'checks',
  '/api/config': 'system',
  '/api/dashboards': 'dashboards',
  '/api/declaration': 'own',
  '/api/deployments': 'services',
  '/api/doctor': 'system',
  '/api/support-bundle': 'system',
  '/api/downtime': 'services',
  '/api/escalation': 'oncall',
  '/api/export': 'metrics',
  '/api/exports/alerts': 'alerts',
  '/api/exports/check-results': 'checks',
  '/api/exports/intervals': 'services',
  '/api/exports/violations': 'slas',
  '/api/factors': 'own',
  '/api/first-run': 'system',
  '/api/health': 'system',
  '/api/heartbeat': 'checks',
  '/api/identities': 'own',
  '/api/import': 'metrics',
  '/api/incident-rules': 'incidents',
  '/api/incidents': 'incidents',
  '/api/insights': 'analytics',
  '/api/maintenance': 'maintenance',
  '/api/maintenance-occurrences': 'maintenance',
  '/api/metrics': 'metrics',
  '/api/notifications': 'notifications',
  '/api/oncall': 'oncall',
  '/api/openapi.json': 'own',
  '/api/openslo': 'slas',
  '/api/password': 'own',
  '/api/people': 'access',
  '/api/preferences': 'own',
  '/api/problems': 'alerts',
  '/api/push': 'notifications',
  '/api/recovery': 'checks',
  '/api/report-templates': 'reports',
  '/api/reports': 'reports',
  '/api/roles': 'access',
  '/api/routing': 'notifications',
  '/api/rules': 'alerts',
  '/api/series': 'metrics',
  '/api/services': 'services',
  '/api/session/proof': 'own',
  '/api/sessions': 'own',
  '/api/silences': 'alerts',
  '/api/slas': 'slas',
  '/api/sso': 'own',
  '/api/statement-keys': 'slas',
  '/api/statement-schedules': 'slas',
  '/api/statements': 'slas',
  '/api/status': 'system',
  '/api/status-pages': 'status_pages',
  '/api/stream': 'own',
  '/api/stream/queries': 'metrics',
  '/api/system': 'system',
  '/api/targets': 'metrics',
  '/api/tokens': 'access',
  '/api/used-by': 'own',
  // What Prometheus answers, at its addresses.
  '/api/v1': 'metrics',
  '/api/v1/alertmanagers': 'notifications',
  '/api/v1/alerts': 'alerts',
  '/api/v1/notifications': 'system',
  '/api/v1/rules': 'alerts',
  '/api/v1/status': 'system',
  '/api/v1/status/buildinfo': 'metrics',
  '/api/v1/status/tsdb': 'metrics',
  '/api/widget-preview': 'dashboards',
  '/api/widgets': 'dashboards',
  // What Alertmanager answers, and InfluxDB's way to write.
  '/api/v2': 'alerts',
  '/api/v2/write': 'metrics',
  '/federate': 'metrics',
  '/metrics': 'metrics',
  '/write': 'metrics',
};

/** The area of a route by its address as it was registered; undefined when none was written down. */
export function areaOfRoute(url: string): Area | undefined {
  for (let path = url; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
    const area = AREA_OF[path];
    if (area !== undefined) return area;
  }
  return url.startsWith('/-/') ? AREA_OF['/-/'] : undefined;
}

/** Who may read an area hears its facts. */
export const AREA_OF_TOPIC: Readonly<Record<Topic, Area>> = {
  metrics: 'metrics',
  checks: 'checks',
  services: 'services',
  slas: 'slas',
  alerts: 'alerts',
  problems: 'alerts',
  incidents: 'incidents',
  insights: 'analytics',
  notifications: 'notifications',
  config: 'own',
};
