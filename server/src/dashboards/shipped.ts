import type { DashboardSpec } from './model.ts';
import { MODELS } from './shipped/models.ts';
import { ALERTS, PERFORMANCE, PLATFORM_HEALTH, SLA_OVERVIEW } from './shipped/operation.ts';
import { BUSINESS, EXECUTIVE, OPERATIONS, TECHNICAL } from './shipped/roles.ts';

/**
 * The dashboards that every installation has. What they ask for is measured or kept by this product, comes from exporters and clients that
 * everybody has, or stands among the names that users send (docs/metrics.md, "Told by you").
 */
export const SHIPPED_DASHBOARDS: readonly DashboardSpec[] = [
  SLA_OVERVIEW,
  PERFORMANCE,
  ALERTS,
  EXECUTIVE,
  TECHNICAL,
  OPERATIONS,
  BUSINESS,
  MODELS,
  PLATFORM_HEALTH,
];
