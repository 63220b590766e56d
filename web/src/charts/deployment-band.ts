import type { DeploymentView } from '../api/deployments.ts';
import { t } from '../language/t.ts';
import type { Band } from './plot-options.ts';

const STATUS_WORDS: Readonly<Record<DeploymentView['status'], string>> = {
  running: t('under way||deployment'),
  succeeded: t('done||deployment'),
  failed: t('failed||deployment'),
  rolled_back: t('rolled back||deployment'),
};

/** `shop v1.4.2`, with the environment and what became of it where those are not the usual ones. */
export function deploymentName({ service, version, environment, status }: DeploymentView): string {
  const what =
    environment === 'production' ? `${service} ${version}` : t('{what} to {environment}', { what: `${service} ${version}`, environment });
  return status === 'succeeded' ? what : `${what}, ${STATUS_WORDS[status]}`;
}

/** What stands behind charts: a line where it began, and the stretch it took where that is known. */
export const deploymentBand = (one: DeploymentView, nowMs: number): Band => ({
  fromMs: one.at_ms,
  toMs: one.status === 'running' ? Math.max(nowMs, one.at_ms) : (one.ended_at_ms ?? one.at_ms),
  state: 'deployment',
  name: deploymentName(one),
});
