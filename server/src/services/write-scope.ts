import { AppError } from '@nines/base/errors.ts';
import { formatScope, isFull, visible } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import { labelsOfService, SERVICE_CODES, type ServiceCatalogue, type ServiceSpec } from './contract.ts';
import { dependenciesOf } from './evaluate.ts';
import { ownLabelsOf } from './written.ts';

/**
 * Whether somebody with a scope may declare this service. It must lie inside, refer to nothing outside, and ask of our own samples only
 * what they see themselves. `AppError` `outside_scope`, `service_not_found`.
 */
export function requireInside(scope: Scope, spec: ServiceSpec, services: ServiceCatalogue): void {
  if (isFull(scope)) return;
  const labels = ownLabelsOf(spec);
  if (!visible(scope, labelsOfService({ id: spec.id, labels }))) {
    throw new AppError('forbidden', 'outside_scope', `a service that you declare lies inside your scope: ${formatScope(scope)}`);
  }
  for (const id of dependenciesOf(spec)) {
    const entry = services.get(id);
    if (entry === undefined || !visible(scope, labelsOfService(entry)))
      throw new AppError('not_found', SERVICE_CODES.notFound, `there is no service "${id}"`, { field: 'depends_on' });
  }
  // A check of kind promql sees what carries the labels of its service: each matcher of the scope must follow from them.
  const open = scope.matchers.find(({ name }) => !Object.hasOwn(labels, name));
  if (open !== undefined && spec.checks.some(({ kind }) => kind === 'promql')) {
    throw new AppError('forbidden', 'outside_scope', `a check of kind promql needs a service with the label ${open.name}`, {
      field: 'checks',
    });
  }
}
