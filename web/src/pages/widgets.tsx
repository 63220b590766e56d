import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type WidgetSummary, widgetQuery, widgetsQuery } from '../api/widgets.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Locked } from '../components/locked.tsx';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { WidgetEditor } from '../widgets/widget-editor.tsx';
import { SettingsHead } from './settings-head.tsx';
import '../styles/dashboards.css';
import '../styles/widgets.css';

/** Widget kinds of one's own: which there are, and one of them with its script, its picture and its versions. */
export function WidgetsPage() {
  const { widget } = useSearch({ from: '/shell/settings/widgets' });
  const navigate = useNavigate({ from: '/settings/widgets' });
  const open = (id: string | undefined) => void navigate({ search: id === undefined ? {} : { widget: id } });
  const mayChange = useCan('administer', 'dashboards');
  return (
    <div className="page">
      <SettingsHead
        title={t('Widgets')}
        lead={t('Kinds of panels that a script of yours draws. Each runs in a frame that reaches nothing but its figures.')}
      >
        {widget !== undefined ? null : mayChange ? (
          <Button onClick={() => open(NEW)}>{t('Make a widget')}</Button>
        ) : (
          <Locked word={t('Make a widget')} verb="administer" area="dashboards" />
        )}
      </SettingsHead>
      {widget === undefined ? (
        <AllWidgets />
      ) : widget === NEW ? (
        <WidgetEditor onOpen={open} />
      ) : (
        <OneWidget key={widget} id={widget} onOpen={open} />
      )}
    </div>
  );
}

/** In the address in place of an id: ids are lower case. */
const NEW = 'NEW';

function OneWidget({ id, onOpen }: { readonly id: string; readonly onOpen: (id: string | undefined) => void }) {
  const query = useQuery(widgetQuery(id));
  return (
    <>
      <Waiting query={query} what={t('the widget')} />
      {query.data === undefined ? null : <WidgetEditor key={query.data.revision} of={query.data} onOpen={onOpen} />}
    </>
  );
}

function AllWidgets() {
  const query = useQuery(widgetsQuery());
  const items = query.data?.items ?? [];
  return (
    <>
      <Waiting query={query} what={t('widgets')} />
      {query.data === undefined ? null : items.length === 0 ? (
        <EmptyState>
          {t(
            'There is no widget yet. Make one from an example, look at it with figures of yours, and put it on a dashboard as “A widget of your own”.',
          )}
        </EmptyState>
      ) : (
        <div className="panel">
          <DataTable caption={t('Widgets')} columns={COLUMNS} rows={items} rowKey={({ id }) => id} />
        </div>
      )}
    </>
  );
}

const COLUMNS: readonly Column<WidgetSummary>[] = [
  {
    id: 'name',
    header: t('Widget'),
    cell: ({ id, name }) => (
      <>
        <Link to="/settings/widgets" search={{ widget: id }} className="row-name" data-row="">
          {name}
        </Link>{' '}
        <span className="faint mono">{id}</span>
      </>
    ),
  },
  { id: 'description', header: t('Shows'), label: t('shows'), cell: ({ description }) => <span className="wrap">{description}</span> },
  { id: 'revision', header: t('Version'), label: t('version'), numeric: true, cell: ({ revision }) => revision },
];
