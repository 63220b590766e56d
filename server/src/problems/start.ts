import type { ServiceCatalogue } from '../services/contract.ts';
import { ProblemService, type ProblemsDeps } from './service.ts';

type Deps = Omit<ProblemsDeps, 'topology'> & {
  /** Asked when alerts change, which is after everything was built. */
  readonly services: () => Pick<ServiceCatalogue, 'get' | 'dependents'>;
};

/** Correlation over the catalogue's dependencies. What alerts did is taken in from `run` on. */
export function createProblems({ services, ...deps }: Deps): ProblemService {
  const topology = {
    dependenciesOf: (id: string) => services().get(id)?.dependsOn ?? [],
    dependentsOf: (id: string) => services().dependents(id),
  };
  return new ProblemService({ ...deps, topology });
}
