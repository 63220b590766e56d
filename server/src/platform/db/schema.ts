import type { AgentTables } from './migrations/0021-agents.ts';
import type { AlertHistoryTables } from './migrations/0036-alert-history.ts';
import type { AlertTables } from './migrations/0005-alerts.ts';
import type { LedgerImportTables } from './migrations/0017-ledger-imports.ts';
import type { AccountabilityTables } from './migrations/0049-accountability.ts';
import type { ConfigurationTextTables } from './migrations/0049-configuration-texts.ts';
import type { AuditTables } from './migrations/0042-audit.ts';
import type { TlsTables } from './migrations/0046-tls-authority.ts';
import type { CompositeTables } from './migrations/0015-composites.ts';
import type { ChannelTables } from './migrations/0022-channels.ts';
import type { AccessTables } from './migrations/0002-access.ts';
import type { LoadTestTables } from './migrations/0074-load-tests.ts';
import type { CheckFailureTables } from './migrations/0087-check-failures.ts';
import type { HomeTables } from './migrations/0083-home.ts';
import type { DashboardTables } from './migrations/0075-dashboards.ts';
import type { EmbedTables } from './migrations/0080-embeds.ts';
import type { DashboardDeliveryTables } from './migrations/0088-dashboard-deliveries.ts';
import type { WidgetTables } from './migrations/0089-widget-revisions.ts';
import type { DeploymentTables } from './migrations/0081-deployments.ts';
import type { EscalationTables } from './migrations/0032-escalation.ts';
import type { ExemplarTables } from './migrations/0008-exemplars.ts';
import type { FactorTables } from './migrations/0051-factors.ts';
import type { InsightTables } from './migrations/0071-insights.ts';
import type { WatchedSeriesTables } from './migrations/0073-watched-series.ts';
import type { IncidentTables } from './migrations/0039-incidents.ts';
import type { LedgerTables } from './migrations/0003-ledger.ts';
import type { HeartbeatTables } from './migrations/0011-heartbeats.ts';
import type { MaintenanceCorrectionTables } from './migrations/0027-maintenance-corrections.ts';
import type { MaintenanceTables } from './migrations/0012-maintenance.ts';
import type { PeopleTables } from './migrations/0050-people.ts';
import type { ProblemTables } from './migrations/0038-problems.ts';
import type { OncallTables } from './migrations/0034-oncall.ts';
import type { PushGroupTables } from './migrations/0006-push-groups.ts';
import type { MetricMetadataTables } from './migrations/0009-metric-metadata.ts';
import type { RecoveryTables } from './migrations/0025-recovery.ts';
import type { RecordTables } from './migrations/0001-records.ts';
import type { ReceivedAlertTables } from './migrations/0026-received-alerts.ts';
import type { SilenceTables } from './migrations/0023-silences.ts';
import type { SlaTables } from './migrations/0004-sla.ts';
import type { SlaLateTables } from './migrations/0014-sla-late-slices.ts';
import type { StatusToldTables } from './migrations/0018-status-told.ts';
import type { ReportTemplateTables } from './migrations/0024-report-templates.ts';
import type { SlaReportTables } from './migrations/0020-sla-reports.ts';
import type { StatusPageTables } from './migrations/0016-status-pages.ts';
import type { SsoTables } from './migrations/0052-sso.ts';
import type { StatementTables } from './migrations/0007-statements.ts';

/** The whole relational schema. Each migration declares the tables it makes; instants are 64-bit integers, JSON is text, booleans are 0 and 1. */
export type Database = RecordTables &
  RecoveryTables &
  ProblemTables &
  InsightTables &
  WatchedSeriesTables &
  LoadTestTables &
  DashboardTables &
  EmbedTables &
  DashboardDeliveryTables &
  WidgetTables &
  DeploymentTables &
  HomeTables &
  CheckFailureTables &
  IncidentTables &
  AccessTables &
  FactorTables &
  PeopleTables &
  AuditTables &
  AccountabilityTables &
  SsoTables &
  TlsTables &
  ConfigurationTextTables &
  LedgerTables &
  HeartbeatTables &
  SlaTables &
  SlaLateTables &
  SlaReportTables &
  ReportTemplateTables &
  AlertTables &
  AlertHistoryTables &
  ChannelTables &
  EscalationTables &
  SilenceTables &
  ReceivedAlertTables &
  PushGroupTables &
  StatementTables &
  ExemplarTables &
  MetricMetadataTables &
  MaintenanceTables &
  MaintenanceCorrectionTables &
  CompositeTables &
  StatusPageTables &
  StatusToldTables &
  LedgerImportTables &
  OncallTables &
  AgentTables;
