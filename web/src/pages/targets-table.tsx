import { Drawer } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { TargetListView, TargetView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { lengthText } from '../figures/length.ts';
import { quantityText, countText } from '../figures/quantity.ts';
import { t, rich } from '../language/t.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { StateMark } from '../states/state-mark.tsx';
import { targetKey, targetState } from './target-order.ts';

const seconds = (lengthMs: number): string => quantityText(lengthMs / 1000, 'seconds');

function State({ target }: { readonly target: TargetView }) {
  const { mark, word } = targetState(target);
  return <StateMark state={mark} word={word} />;
}

/** Labels that every target of the job has alike say nothing about one of them; `job` is the title above. */
const ownLabels = ({ labels, job }: TargetView): readonly (readonly [string, string])[] =>
  Object.entries(labels).filter(([name, value]) => name !== 'instance' && !(name === 'job' && value === job));

function Labels({ labels }: { readonly labels: readonly (readonly [string, string])[] }) {
  if (labels.length === 0) return null;
  return (
    <ul className="labels">
      {labels.map(([name, value]) => (
        <li key={name}>{`${name}=${value}`}</li>
      ))}
    </ul>
  );
}

const COLUMNS: readonly Column<TargetView>[] = [
  {
    id: 'instance',
    header: t('Target'),
    cell: (target) => (
      <Link to="." search={(before) => ({ ...before, target: targetKey(target) })} resetScroll={false} className="row-name" data-row="">
        {target.labels['instance'] ?? target.url}
      </Link>
    ),
  },
  { id: 'state', header: t('State'), cell: (target) => <State target={target} /> },
  { id: 'error', header: t('Why'), cell: (target) => (target.error === '' ? null : <span className="wrap">{target.error}</span>) },
  { id: 'labels', header: t('Labels'), cell: (target) => <Labels labels={ownLabels(target)} /> },
  {
    id: 'last',
    header: t('Last scrape'),
    label: t('last scrape'),
    cell: (target) =>
      target.last_scrape_at_ms === null ? <span className="faint">{t('none yet')}</span> : <Instant atMs={target.last_scrape_at_ms} />,
  },
  {
    id: 'took',
    header: t('Took'),
    label: t('took'),
    numeric: true,
    cell: (target) => (target.last_scrape_at_ms === null ? '' : seconds(target.duration_ms)),
  },
  {
    id: 'samples',
    header: t('Samples'),
    label: t('samples'),
    numeric: true,
    cell: (target) => (target.last_scrape_at_ms === null ? '' : countText(target.samples)),
  },
];

/** The targets of one job. */
export function TargetsTable({ job, targets }: { readonly job: string; readonly targets: readonly TargetView[] }) {
  return (
    <div className="panel">
      <DataTable caption={t('Targets of {job}', { job })} columns={COLUMNS} rows={targets} rowKey={targetKey} />
    </div>
  );
}

type Dropped = TargetListView['dropped'][number];

const DROPPED: readonly Column<Dropped>[] = [
  {
    id: 'address',
    header: t('Address'),
    cell: ({ discovered_labels: labels }) => <span className="row-name mono">{labels['__address__'] ?? ''}</span>,
  },
  { id: 'job', header: t('Job'), label: t('job'), cell: ({ job }) => job },
  { id: 'labels', header: t('Discovered labels'), cell: ({ discovered_labels: labels }) => <Labels labels={Object.entries(labels)} /> },
];

/** Targets that relabelling dropped. */
export function DroppedTargets({ dropped }: { readonly dropped: readonly Dropped[] }) {
  return (
    <div className="panel">
      <DataTable
        caption={t('Targets that relabelling dropped')}
        columns={DROPPED}
        rows={dropped}
        rowKey={({ job, discovered_labels: labels }) => `${job} ${JSON.stringify(labels)}`}
      />
    </div>
  );
}

/** One target whole: its error in full, its labels, and what discovery said before relabelling. */
export function TargetDrawer({ target, onClose }: { readonly target: TargetView | undefined; readonly onClose: () => void }) {
  return (
    <Drawer opened={target !== undefined} onClose={onClose} title={t('Target')} closeButtonProps={{ 'aria-label': t('Close the target') }}>
      {target === undefined ? null : <Details target={target} />}
    </Drawer>
  );
}

function Details({ target }: { readonly target: TargetView }) {
  return (
    <div className="drawer-body">
      <div>
        <h2>{target.labels['instance'] ?? target.url}</h2>
        <p>
          <State target={target} />
        </p>
        <p className="mono">{target.url}</p>
        <ObjectMenu kind="targets" id={targetKey(target)} name={target.labels['instance'] ?? target.url} history={false} />
        <p className="faint">
          {t('Job {job}, every {interval}, gives up after {timeout}.', {
            job: target.job,
            interval: lengthText(target.interval_ms),
            timeout: lengthText(target.timeout_ms),
          })}
        </p>
        <p className="faint">
          {target.last_scrape_at_ms === null
            ? t('Not scraped yet.')
            : rich('Last scrape {at}, took {length}, {samples} samples.', {
                at: <Instant atMs={target.last_scrape_at_ms} />,
                length: seconds(target.duration_ms),
                samples: countText(target.samples),
              })}
        </p>
      </div>
      {target.error === '' ? null : (
        <section className="section">
          <h3>{target.state === 'down' ? t('Why it is down') : t('What is missing')}</h3>
          <div className="command">
            <pre>{target.error}</pre>
          </div>
        </section>
      )}
      <section className="section">
        <h3>{t('Labels')}</h3>
        <Labels labels={Object.entries(target.labels)} />
      </section>
      <section className="section">
        <h3>{t('Discovered labels')}</h3>
        <Labels labels={Object.entries(target.discovered_labels)} />
      </section>
    </div>
  );
}
