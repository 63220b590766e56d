import { Link, createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect, useLocation } from '@tanstack/react-router';
import { ErrorNotice } from './components/notices.tsx';
import {
  alertSearch,
  apiDocsSearch,
  auditSearch,
  channelsSearch,
  escalationSearch,
  checkSearch,
  checksSearch,
  configurationSearch,
  exclusionSearch,
  incidentsSearch,
  issuedSearch,
  listSearch,
  mapSearch,
  notificationSearch,
  onCallSearch,
  reportsSearch,
  rolesSearch,
  rootSearch,
  routesSearch,
  serviceSearch,
  silenceSearch,
  slaSearch,
  statementSearch,
  rulesSearch,
  targetsSearch,
} from './shell/search.ts';
import { whatIfSearch } from './sla/what-if-search.ts';
import { analyticsSearch } from './analytics/search.ts';
import { exploreSearch } from './explore/search.ts';
import { dashboardSearch, dashboardsSearch, widgetsSearch } from './dashboards/search.ts';
import { loginSearch } from './shell/login-search.ts';
import { Shell } from './shell/shell.tsx';
import { t } from './language/t.ts';
import { useTitle } from './pages/use-title.ts';

const root = createRootRoute({ validateSearch: rootSearch });

const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell });

const overview = createRoute({
  getParentRoute: () => shell,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview.tsx'), 'OverviewPage'),
});
const services = createRoute({
  getParentRoute: () => shell,
  path: '/services',
  validateSearch: mapSearch,
  component: lazyRouteComponent(() => import('./pages/services.tsx'), 'ServicesPage'),
});
const service = createRoute({
  getParentRoute: () => shell,
  path: '/services/$id',
  validateSearch: serviceSearch,
  component: lazyRouteComponent(() => import('./pages/service.tsx'), 'ServicePage'),
});
const slas = createRoute({
  getParentRoute: () => shell,
  path: '/slas',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('./pages/slas.tsx'), 'SlasPage'),
});
const sla = createRoute({
  getParentRoute: () => shell,
  path: '/slas/$id',
  validateSearch: slaSearch,
  component: lazyRouteComponent(() => import('./pages/sla.tsx'), 'SlaPage'),
});
const slaExclusions = createRoute({
  getParentRoute: () => shell,
  path: '/slas/$id/exclusions',
  validateSearch: exclusionSearch,
  component: lazyRouteComponent(() => import('./pages/sla-exclusions.tsx'), 'SlaExclusionsPage'),
});
const slaWhatIf = createRoute({
  getParentRoute: () => shell,
  path: '/slas/$id/what-if',
  validateSearch: whatIfSearch,
  component: lazyRouteComponent(() => import('./pages/sla-what-if.tsx'), 'SlaWhatIfPage'),
});
const slaStatements = createRoute({
  getParentRoute: () => shell,
  path: '/slas/$id/statements',
  component: lazyRouteComponent(() => import('./pages/sla-statements.tsx'), 'SlaStatementsPage'),
});
const slaStatement = createRoute({
  getParentRoute: () => shell,
  path: '/slas/$id/statement',
  validateSearch: statementSearch,
  component: lazyRouteComponent(() => import('./pages/statement.tsx'), 'PeriodStatementPage'),
});
const statement = createRoute({
  getParentRoute: () => shell,
  path: '/statements/$id',
  validateSearch: issuedSearch,
  component: lazyRouteComponent(() => import('./pages/statement.tsx'), 'IssuedStatementPage'),
});
const reports = createRoute({
  getParentRoute: () => shell,
  path: '/reports',
  validateSearch: reportsSearch,
  component: lazyRouteComponent(() => import('./pages/reports.tsx'), 'ReportsPage'),
});
const checks = createRoute({
  getParentRoute: () => shell,
  path: '/checks',
  validateSearch: checksSearch,
  component: lazyRouteComponent(() => import('./pages/checks.tsx'), 'ChecksPage'),
});
const check = createRoute({
  getParentRoute: () => shell,
  path: '/checks/$id',
  validateSearch: checkSearch,
  component: lazyRouteComponent(() => import('./pages/check.tsx'), 'CheckPage'),
});
const incidents = createRoute({
  getParentRoute: () => shell,
  path: '/incidents',
  validateSearch: incidentsSearch,
  component: lazyRouteComponent(() => import('./pages/incidents.tsx'), 'IncidentsPage'),
});
const incidentRules = createRoute({
  getParentRoute: () => shell,
  path: '/incident-rules',
  component: lazyRouteComponent(() => import('./pages/incident-rules.tsx'), 'IncidentRulesPage'),
});
const incident = createRoute({
  getParentRoute: () => shell,
  path: '/incidents/$id',
  component: lazyRouteComponent(() => import('./pages/incident.tsx'), 'IncidentPage'),
});
const agents = createRoute({
  getParentRoute: () => shell,
  path: '/agents',
  component: lazyRouteComponent(() => import('./pages/agents.tsx'), 'AgentsPage'),
});
const rules = createRoute({
  getParentRoute: () => shell,
  path: '/rules',
  validateSearch: rulesSearch,
  component: lazyRouteComponent(() => import('./pages/rules.tsx'), 'RulesPage'),
});
const targets = createRoute({
  getParentRoute: () => shell,
  path: '/targets',
  validateSearch: targetsSearch,
  component: lazyRouteComponent(() => import('./pages/targets.tsx'), 'TargetsPage'),
});
const health = createRoute({
  getParentRoute: () => shell,
  path: '/health',
  component: lazyRouteComponent(() => import('./pages/health.tsx'), 'HealthPage'),
});
const alerts = createRoute({
  getParentRoute: () => shell,
  path: '/alerts-dashboard',
  validateSearch: alertSearch,
  component: lazyRouteComponent(() => import('./pages/alerts.tsx'), 'AlertsPage'),
});
const analytics = createRoute({
  getParentRoute: () => shell,
  path: '/analytics',
  validateSearch: analyticsSearch,
  component: lazyRouteComponent(() => import('./pages/analytics.tsx'), 'AnalyticsPage'),
});
const explore = createRoute({
  getParentRoute: () => shell,
  path: '/explore',
  validateSearch: exploreSearch,
  component: lazyRouteComponent(() => import('./pages/explore.tsx'), 'ExplorePage'),
});
const dashboards = createRoute({
  getParentRoute: () => shell,
  path: '/dashboards',
  validateSearch: dashboardsSearch,
  component: lazyRouteComponent(() => import('./pages/dashboards.tsx'), 'DashboardsPage'),
});
const dashboard = createRoute({
  getParentRoute: () => shell,
  path: '/dashboards/$id',
  validateSearch: dashboardSearch,
  component: lazyRouteComponent(() => import('./pages/dashboard.tsx'), 'DashboardPage'),
});
/** The performance page is the dashboard of that name. */
const performance = createRoute({
  getParentRoute: () => shell,
  path: '/performance-monitoring',
  beforeLoad: () => {
    throw redirect({ to: '/dashboards/$id', params: { id: 'performance' } });
  },
});
const notifications = createRoute({
  getParentRoute: () => shell,
  path: '/notifications',
  validateSearch: notificationSearch,
  component: lazyRouteComponent(() => import('./pages/notifications.tsx'), 'NotificationsPage'),
});
const onCall = createRoute({
  getParentRoute: () => shell,
  path: '/on-call',
  validateSearch: onCallSearch,
  component: lazyRouteComponent(() => import('./pages/on-call.tsx'), 'OnCallPage'),
});
const silences = createRoute({
  getParentRoute: () => shell,
  path: '/silences',
  validateSearch: silenceSearch,
  component: lazyRouteComponent(() => import('./pages/silences.tsx'), 'SilencesPage'),
});
const statusPages = createRoute({
  getParentRoute: () => shell,
  path: '/status-pages',
  component: lazyRouteComponent(() => import('./pages/status-pages.tsx'), 'StatusPagesPage'),
});
const maintenance = createRoute({
  getParentRoute: () => shell,
  path: '/maintenance',
  component: lazyRouteComponent(() => import('./pages/maintenance.tsx'), 'MaintenancePage'),
});
const routes = createRoute({
  getParentRoute: () => shell,
  path: '/routes',
  validateSearch: routesSearch,
  component: lazyRouteComponent(() => import('./pages/routes.tsx'), 'RoutesPage'),
});
const escalation = createRoute({
  getParentRoute: () => shell,
  path: '/escalation',
  validateSearch: escalationSearch,
  component: lazyRouteComponent(() => import('./pages/escalation.tsx'), 'EscalationPage'),
});
const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  component: lazyRouteComponent(() => import('./pages/settings.tsx'), 'SettingsPage'),
});
const audit = createRoute({
  getParentRoute: () => shell,
  path: '/settings/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./pages/audit.tsx'), 'AuditPage'),
});
const configuration = createRoute({
  getParentRoute: () => shell,
  path: '/settings/configuration',
  validateSearch: configurationSearch,
  component: lazyRouteComponent(() => import('./pages/configuration.tsx'), 'ConfigurationPage'),
});
const people = createRoute({
  getParentRoute: () => shell,
  path: '/settings/people',
  component: lazyRouteComponent(() => import('./pages/people.tsx'), 'PeoplePage'),
});
const roles = createRoute({
  getParentRoute: () => shell,
  path: '/settings/roles',
  validateSearch: rolesSearch,
  component: lazyRouteComponent(() => import('./pages/roles.tsx'), 'RolesPage'),
});
const account = createRoute({
  getParentRoute: () => shell,
  path: '/settings/account',
  component: lazyRouteComponent(() => import('./pages/account.tsx'), 'AccountPage'),
});
const tokens = createRoute({
  getParentRoute: () => shell,
  path: '/settings/tokens',
  component: lazyRouteComponent(() => import('./pages/settings-parts.tsx'), 'TokensPage'),
});
const channels = createRoute({
  getParentRoute: () => shell,
  path: '/settings/channels',
  validateSearch: channelsSearch,
  component: lazyRouteComponent(() => import('./pages/settings-parts.tsx'), 'ChannelsPage'),
});
const series = createRoute({
  getParentRoute: () => shell,
  path: '/settings/series',
  component: lazyRouteComponent(() => import('./pages/settings-parts.tsx'), 'SeriesPage'),
});
const widgets = createRoute({
  getParentRoute: () => shell,
  path: '/settings/widgets',
  validateSearch: widgetsSearch,
  component: lazyRouteComponent(() => import('./pages/widgets.tsx'), 'WidgetsPage'),
});
const apiDocs = createRoute({
  getParentRoute: () => shell,
  path: '/api/docs',
  validateSearch: apiDocsSearch,
  component: lazyRouteComponent(() => import('./pages/api-docs.tsx'), 'ApiDocsPage'),
});
const join = createRoute({
  getParentRoute: () => root,
  path: '/join',
  component: lazyRouteComponent(() => import('./pages/join.tsx'), 'JoinPage'),
});
const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: loginSearch,
  component: lazyRouteComponent(() => import('./pages/login.tsx'), 'LoginPage'),
});
const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('./pages/setup.tsx'), 'SetupPage'),
});
const home = createRoute({
  getParentRoute: () => root,
  path: '/index.html',
  beforeLoad: () => {
    throw redirect({ to: '/' });
  },
});

const tree = root.addChildren([
  shell.addChildren([
    overview,
    services,
    service,
    slas,
    sla,
    slaExclusions,
    slaWhatIf,
    slaStatements,
    slaStatement,
    statement,
    reports,
    checks,
    check,
    agents,
    incidents,
    incident,
    incidentRules,
    targets,
    rules,
    health,
    alerts,
    analytics,
    explore,
    dashboards,
    dashboard,
    performance,
    silences,
    maintenance,
    notifications,
    onCall,
    routes,
    escalation,
    statusPages,
    settings,
    audit,
    configuration,
    people,
    roles,
    account,
    tokens,
    channels,
    series,
    widgets,
    apiDocs,
  ]),
  join,
  login,
  setup,
  home,
]);

function NotFound() {
  useTitle(t('There is no page here'));
  const { pathname } = useLocation();
  return (
    <main className="centre">
      <div className="card-form">
        <h1>{t('There is no page here')}</h1>
        <p>{t('Nothing stands at {address}: it was removed, renamed or mistyped.', { address: pathname })}</p>
        <p className="row-wrap">
          <Link to="/">{t('Overview')}</Link>
          <Link to="/services">{t('Services')}</Link>
          <Link to="/alerts-dashboard">{t('Alerts')}</Link>
          <Link to="/slas">{t('SLAs')}</Link>
        </p>
      </div>
    </main>
  );
}

function PageError({ error, reset }: { readonly error: unknown; readonly reset: () => void }) {
  return (
    <div className="page">
      <ErrorNotice error={error} retry={reset} />
    </div>
  );
}

/** The routes of the application. Pages are loaded when they are first opened. */
export function createPages() {
  return createRouter({
    routeTree: tree,
    defaultNotFoundComponent: NotFound,
    defaultErrorComponent: PageError,
    defaultPreload: 'intent',
    scrollRestoration: true,
    // What a page does not know in an address, or cannot read, is dropped before anybody reads it.
    search: { strict: true },
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createPages>;
  }
}
