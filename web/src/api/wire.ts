/**
 * The JSON of the native API that the pages read, as `docs` and `/api/openapi.json` describe it. Snake case because it is
 * the wire's. Instants are Unix milliseconds, ratios 0 to 1. What the server's contracts type comes from there.
 */
import type { Area, Verb } from '@nines/server/access/contract.ts';
import type { AlertView } from '@nines/server/alerting/contract.ts';
import type { BucketsView, DowntimeRevisionView, DowntimeView, IntervalView } from '@nines/server/availability/contract.ts';
import type { ListedChannel as ChannelView, NotificationView } from '@nines/server/notify/contract.ts';
import type { RoleView } from '@nines/server/roles/contract.ts';
import type { SignedStatement } from '@nines/server/sla/contract.ts';

export type { AgentsView, AgentView, JoinTokenView, MadeJoinToken } from '@nines/server/agents/contract.ts';
export type { AlertState, AlertView, Severity } from '@nines/server/alerting/contract.ts';
export type { SessionView } from '@nines/server/access/contract.ts';
export type { IdentityView, ProvidersView, SsoRefusal } from '@nines/server/sso/contract.ts';
export type { TokenView } from '@nines/server/tokens/contract.ts';
export type { TargetListView, TargetView } from '@nines/server/collect/contract.ts';
export type { CheckDetailView, CheckView, ResultView, TemplateView } from '@nines/server/checks/contract.ts';
export type { HealthReportView } from '@nines/server/ops/health-checks/contract.ts';
export type { ChannelView, NotificationView, RoleView, SignedStatement };
export type { CardinalityView } from '@nines/server/series/contract.ts';
export type {
  AccountView,
  ArchivedReportView,
  BurnDownView,
  DayView,
  ExclusionView,
  IssuedView,
  ScheduleView,
  SegmentView,
  SlaSpec,
  SlaStatus,
  SlaView,
  TrendView,
  ViolationView,
  WhatIfView,
} from '@nines/server/sla/contract.ts';
export type { ReliabilityView, ServiceDetailView, ServiceView, TimelineView, UptimeView } from '@nines/server/services/contract.ts';
export type { BucketsView, DowntimeRevisionView, DowntimeView, IntervalView };

export type Items<Item> = { readonly items: readonly Item[]; readonly next?: string | null };

export type ServiceState = IntervalView['state'];
export type Bounds = readonly [low: number, high: number];

/** One step of an alert's life, oldest first. */
export type TransitionWire = { readonly at_ms: number; readonly kind: string; readonly reason: string; readonly actor: string };
export type AlertDetailWire = AlertView & {
  /** What keeps it from people now: a silence, or an alert that explains it. */
  readonly kept_by: string | null;
  readonly transitions: readonly TransitionWire[];
  readonly deliveries: readonly NotificationView[];
};

/** `GET /api/metrics/current`; null where nothing is known yet: a rate needs two samples. */
export type HostWire = {
  readonly at_ms: number;
  readonly instance: string;
  readonly cpu: { readonly percent: number | null; readonly cores: readonly unknown[] };
  readonly memory: { readonly percent: number | null; readonly used_bytes: number | null; readonly total_bytes: number | null };
  readonly disk: readonly {
    readonly mount: string;
    readonly percent: number;
    readonly used_bytes: number | null;
    readonly total_bytes: number | null;
  }[];
  readonly network: { readonly receive_bytes_per_second: number | null; readonly transmit_bytes_per_second: number | null };
  readonly load: { readonly '1m': number | null };
  readonly uptime_seconds: number | null;
};

/** `GET /api/reports/contracts`, as far as the pages read it. */
export type ReportWire = {
  readonly title: string;
  readonly period: { readonly from_at_ms: number; readonly to_at_ms: number };
  readonly finality: 'final' | 'provisional';
  readonly totals: {
    readonly contracts: number;
    readonly met: number;
    readonly at_risk: number;
    readonly breached: number;
    readonly unknown: number;
    readonly credits: readonly { readonly currency: string; readonly amount: string }[];
  };
  readonly contracts: readonly Pick<
    SignedStatement,
    'id' | 'name' | 'service' | 'status' | 'target' | 'objective' | 'attained' | 'attained_bounds' | 'young' | 'budget' | 'credit'
  >[];
};
/** A template of reports, as far as a choice among them needs it. */
export type ReportTemplateWire = { readonly id: string; readonly title: string | null };

export type PermissionName = 'public' | Verb;
export type AreaName = Area;
/** What a role is written as. */
export type RoleDraft = Pick<RoleView, 'id' | 'name' | 'permits' | 'landing' | 'teams' | 'scope'>;

/** One fact from `/api/stream`. */
export type FactWire = {
  readonly id: number | string;
  readonly topic: string;
  readonly type: string;
  readonly at_ms: number;
  readonly data: unknown;
};

export type ChannelTestWire = {
  readonly delivered: boolean;
  readonly receipt: string | null;
  readonly error: string | null;
  readonly duration_ms: number;
};
/** What became of each alert of one action over many. */
export type BulkWire = {
  readonly items: readonly { readonly id: string; readonly ok: boolean; readonly error?: string; readonly code?: string }[];
};

/** What `POST /api/services` takes, as far as the pages write it. */
export type WrittenServiceWire = {
  readonly id: string;
  readonly name: string;
  readonly checks: readonly (
    | { readonly id: string; readonly kind: 'http'; readonly url: string; readonly interval: string }
    | { readonly id: string; readonly kind: 'tcp'; readonly address: string; readonly interval: string }
  )[];
};
