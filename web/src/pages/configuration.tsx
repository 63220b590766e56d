import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import {
  type ConfigurationChange,
  type ConfigurationView,
  configurationDiffQuery,
  configurationQuery,
  configurationsQuery,
  useRestoreConfiguration,
} from '../api/audit.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { EmptyState, RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { DIFFERENCES } from './audit.tsx';
import { SettingsHead } from './settings-head.tsx';

const CAUSES = { start: t('At a start'), reload: t('By a reload'), restore: t('Put back') } as const;

/** Every configuration that was applied, what each changed, and the way back. */
export function ConfigurationPage() {
  const { version } = useSearch({ from: '/shell/settings/configuration' });
  const may = useCan('administer', 'system');
  const history = useQuery({ ...configurationsQuery(), enabled: may });
  const items = history.data?.items ?? [];
  const shown = items.find((one) => one.version === version) ?? items[0];
  return (
    <div className="page">
      <SettingsHead
        title={t('Configuration')}
        lead={t('Every configuration that was applied, newest first. It is changed in its file; secrets are not shown.')}
      />
      {may ? (
        <Waiting query={history} what={t('versions')} />
      ) : (
        <EmptyState>{t('Needs administer on system; your role does not have it.')}</EmptyState>
      )}
      {history.data !== undefined && items.length === 0 ? (
        <EmptyState command="nines config diff nines.yml">
          {t('No configuration was kept yet. What a file would change is told beforehand by:')}
        </EmptyState>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption={t('Versions')} columns={COLUMNS} rows={items} rowKey={(one) => String(one.version)} />
        </div>
      )}
      {shown === undefined ? null : <Version shown={shown} isLast={shown === items[0]} />}
    </div>
  );
}

const COLUMNS: readonly Column<ConfigurationView>[] = [
  {
    id: 'version',
    header: t('Version'),
    cell: ({ version }) => (
      <Link from="/settings/configuration" to="/settings/configuration" search={{ version }} resetScroll={false}>
        {version}
      </Link>
    ),
  },
  { id: 'at', header: t('When'), label: t('when'), cell: (one) => <Instant atMs={one.at_ms} relative={false} /> },
  { id: 'cause', header: t('How'), label: t('how'), cell: ({ cause }) => CAUSES[cause] },
  { id: 'by', header: t('By'), label: t('by'), cell: ({ by }) => by.id },
  { id: 'pending', header: t('At the next start'), label: t('at the next start'), cell: ({ pending }) => pending.join(', ') },
];

const textOf = (value: unknown): string => (value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value));
const differenceOf = ({ path, before, after }: ConfigurationChange) => ({ path, before: textOf(before), after: textOf(after) });

function Version({ shown, isLast }: { readonly shown: ConfigurationView; readonly isLast: boolean }) {
  const { version } = shown;
  const whole = useQuery(configurationQuery(version));
  const diff = useQuery(configurationDiffQuery(version - 1, version));
  const restore = useRestoreConfiguration();
  const changes = diff.data?.changes ?? [];
  return (
    <Section title={t('Version {version}', { version })} aside={isLast ? t('in force') : undefined}>
      {isLast ? null : (
        <Button variant="default" loading={restore.isPending} onClick={() => restore.mutate(version)}>
          {t('Write version {version} back into the file and take it over', { version })}
        </Button>
      )}
      {restore.isError ? <RefusedNotice error={restore.error} /> : null}
      {restore.data === undefined ? null : (
        <p role="status">{t('In force again, as version {version}.', { version: restore.data.version })}</p>
      )}
      {shown.overrides.length === 0 ? null : (
        <p className="faint">
          {t('Not from the file: {what}.', { what: shown.overrides.map(({ path, source }) => `${path} (${source})`).join(', ') })}
        </p>
      )}
      {changes.length === 0 ? null : (
        <div className="panel">
          <DataTable
            caption={t('What version {version} changed', { version })}
            columns={DIFFERENCES}
            rows={changes.map(differenceOf)}
            rowKey={({ path }) => path}
          />
        </div>
      )}
      <Waiting query={whole} what={t('this version')} />
      {whole.data === undefined ? null : <pre>{whole.data.yaml}</pre>}
    </Section>
  );
}
