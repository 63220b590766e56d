import type { DeclaredDashboard } from './files.ts';
import { Dashboards, type DashboardsDeps } from './service.ts';
import { SHIPPED_DASHBOARDS } from './shipped.ts';

/** The dashboards of the product, of the files and of people. */
export async function openDashboards({
  declared,
  ...deps
}: Omit<DashboardsDeps, 'shipped'> & { readonly declared: readonly DeclaredDashboard[] }): Promise<Dashboards> {
  const dashboards = new Dashboards({ ...deps, shipped: SHIPPED_DASHBOARDS });
  await dashboards.declare(declared);
  return dashboards;
}
