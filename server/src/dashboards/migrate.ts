import { AppError } from '@nines/base/errors.ts';
import { DASHBOARD_CODES } from './contract.ts';
import { DASHBOARD_SCHEMA, type DashboardSpec, dashboardSpec } from './model.ts';

/**
 * A dashboard as it was kept or sent, in this server's version of the schema. `AppError` `dashboard_schema_newer` for one that a later
 * server wrote; throws zod's error for what is no dashboard.
 */
export function readSpec(written: unknown): DashboardSpec {
  const schema = (written as { readonly schema?: unknown } | null)?.schema;
  if (typeof schema === 'number' && schema > DASHBOARD_SCHEMA) {
    const message = `the dashboard is written in schema ${schema}; this server knows up to ${DASHBOARD_SCHEMA}: update it`;
    throw new AppError('bad_input', DASHBOARD_CODES.newer, message, { field: 'schema' });
  }
  return dashboardSpec.parse(written);
}
