import type { Kysely } from 'kysely';
import * as records from './0001-records.ts';
import * as access from './0002-access.ts';
import * as ledger from './0003-ledger.ts';
import * as sla from './0004-sla.ts';
import * as alerts from './0005-alerts.ts';
import * as pushGroups from './0006-push-groups.ts';
import * as statements from './0007-statements.ts';
import * as exemplars from './0008-exemplars.ts';
import * as metricMetadata from './0009-metric-metadata.ts';
import * as slaEvents from './0010-sla-events.ts';
import * as heartbeats from './0011-heartbeats.ts';
import * as maintenance from './0012-maintenance.ts';
import * as flapping from './0013-flapping.ts';
import * as slaLateSlices from './0014-sla-late-slices.ts';
import * as composites from './0015-composites.ts';
import * as statusPages from './0016-status-pages.ts';
import * as ledgerImports from './0017-ledger-imports.ts';
import * as statusTold from './0018-status-told.ts';
import * as downtimeParts from './0019-downtime-parts.ts';
import * as slaReports from './0020-sla-reports.ts';
import * as agents from './0021-agents.ts';
import * as channels from './0022-channels.ts';
import * as silences from './0023-silences.ts';
import * as reportTemplates from './0024-report-templates.ts';
import * as recovery from './0025-recovery.ts';
import * as receivedAlerts from './0026-received-alerts.ts';
import * as maintenanceCorrections from './0027-maintenance-corrections.ts';
import * as receivers from './0028-receivers.ts';
import * as escalation from './0032-escalation.ts';
import * as alertHistory from './0036-alert-history.ts';
import * as problems from './0038-problems.ts';
import * as oncall from './0034-oncall.ts';
import * as incidents from './0039-incidents.ts';
import * as cutOffAttempts from './0041-cut-off-attempts.ts';
import * as audit from './0042-audit.ts';
import * as factors from './0051-factors.ts';
import * as linkMakers from './0067-link-makers.ts';
import * as people from './0050-people.ts';
import * as accountability from './0049-accountability.ts';
import * as scopes from './0054-scopes.ts';
import * as sso from './0052-sso.ts';
import * as tlsAuthority from './0046-tls-authority.ts';
import * as tokenLimits from './0056-token-limits.ts';
import * as configurationTexts from './0049-configuration-texts.ts';
import * as sealedAddresses from './0068-sealed-addresses.ts';
import * as insights from './0071-insights.ts';
import * as dashboards from './0075-dashboards.ts';
import * as embeds from './0080-embeds.ts';
import * as dashboardDeliveries from './0088-dashboard-deliveries.ts';
import * as deployments from './0081-deployments.ts';
import * as loadTests from './0074-load-tests.ts';
import * as watchedSeries from './0073-watched-series.ts';
import * as home from './0083-home.ts';
import * as widgetRevisions from './0089-widget-revisions.ts';
import * as checkFailures from './0087-check-failures.ts';

/** One step of the schema. `db` is the transaction in which all outstanding steps run; a step contains SQL only. */
export type Migration = { up(db: Kysely<unknown>): Promise<void> };

/** Numbered, forward only, frozen once released; one order for SQLite and PostgreSQL. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-records': { up: records.up },
  '0002-access': { up: access.up },
  '0003-ledger': { up: ledger.up },
  '0004-sla': { up: sla.up },
  '0005-alerts': { up: alerts.up },
  '0006-push-groups': { up: pushGroups.up },
  '0007-statements': { up: statements.up },
  '0008-exemplars': { up: exemplars.up },
  '0009-metric-metadata': { up: metricMetadata.up },
  '0010-sla-events': { up: slaEvents.up },
  '0011-heartbeats': { up: heartbeats.up },
  '0012-maintenance': { up: maintenance.up },
  '0013-flapping': { up: flapping.up },
  '0014-sla-late-slices': { up: slaLateSlices.up },
  '0015-composites': { up: composites.up },
  '0016-status-pages': { up: statusPages.up },
  '0017-ledger-imports': { up: ledgerImports.up },
  '0018-status-told': { up: statusTold.up },
  '0019-downtime-parts': { up: downtimeParts.up },
  '0020-sla-reports': { up: slaReports.up },
  '0021-agents': { up: agents.up },
  '0022-channels': { up: channels.up },
  '0023-silences': { up: silences.up },
  '0024-report-templates': { up: reportTemplates.up },
  '0025-recovery': { up: recovery.up },
  '0026-received-alerts': { up: receivedAlerts.up },
  '0027-maintenance-corrections': { up: maintenanceCorrections.up },
  '0028-receivers': { up: receivers.up },
  '0032-escalation': { up: escalation.up },
  '0036-alert-history': { up: alertHistory.up },
  '0038-problems': { up: problems.up },
  '0034-oncall': { up: oncall.up },
  '0039-incidents': { up: incidents.up },
  '0041-cut-off-attempts': { up: cutOffAttempts.up },
  '0042-audit': { up: audit.up },
  '0050-people': { up: people.up },
  '0049-accountability': { up: accountability.up },
  '0054-scopes': { up: scopes.up },
  '0052-sso': { up: sso.up },
  '0046-tls-authority': { up: tlsAuthority.up },
  '0051-factors': { up: factors.up },
  '0056-token-limits': { up: tokenLimits.up },
  '0049-configuration-texts': { up: configurationTexts.up },
  '0067-link-makers': { up: linkMakers.up },
  '0068-sealed-addresses': { up: sealedAddresses.up },
  '0075-dashboards': { up: dashboards.up },
  '0081-deployments': { up: deployments.up },
  '0071-insights': { up: insights.up },
  '0073-watched-series': { up: watchedSeries.up },
  '0074-load-tests': { up: loadTests.up },
  '0083-home': { up: home.up },
  '0087-check-failures': { up: checkFailures.up },
  '0080-embeds': { up: embeds.up },
  '0088-dashboard-deliveries': { up: dashboardDeliveries.up },
  '0089-widget-revisions': { up: widgetRevisions.up },
};
