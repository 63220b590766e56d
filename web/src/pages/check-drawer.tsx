import { Drawer } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { checkQuery } from '../api/queries.ts';
import type { CheckDetailView } from '../api/wire.ts';
import { AttemptAt } from '../checks/attempt-at.tsx';
import { CheckWords, Failure, Pause, Results, WhyDown } from '../checks/parts.tsx';
import { RunNow } from '../checks/run-now.tsx';
import { Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { CheckRecovery } from './check-recovery.tsx';

type DrawerProps = {
  readonly id: string | undefined;
  /** An instant whose results are wanted besides the latest. */
  readonly at?: number | undefined;
  readonly onClose: () => void;
};

/** One check beside its list: how it asks, what it saw last, and the last failure with what was answered. The whole of it is a page. */
export function CheckDrawer({ id, at, onClose }: DrawerProps) {
  return (
    <Drawer
      opened={id !== undefined}
      onClose={onClose}
      title={t('Check')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('Close the check') }}
    >
      {id === undefined ? null : <Body id={id} at={at} />}
    </Drawer>
  );
}

function Body({ id, at }: { readonly id: string; readonly at: number | undefined }) {
  const check = useQuery(checkQuery(id));
  return (
    <>
      {at === undefined ? null : <AttemptAt check={id} atMs={at} />}
      {check.data === undefined ? <Waiting query={check} what={t('the check')} /> : <Details check={check.data} />}
    </>
  );
}

/** The rest is on the page. */
const MOST_RESULTS = 10;

function Details({ check }: { readonly check: CheckDetailView }) {
  return (
    <div className="drawer-body">
      <div>
        <h2>{check.name === '' ? check.id : check.name}</h2>
        <CheckWords check={check} />
        <p>
          <Link to="/checks/$id" params={{ id: check.id }}>
            {t('Charts, places, settings and what uses it')}
          </Link>{' '}
          <ObjectMenu kind="checks" id={check.id} />
        </p>
      </div>
      <WhyDown check={check} />
      <div className="row-wrap">
        <Pause check={check} />
        <RunNow check={check} />
      </div>
      <CheckRecovery check={check.id} />
      {check.last_failure === null ? null : <Failure check={check.id} result={check.last_failure} />}
      <section className="section">
        <h3>{t('Latest results')}</h3>
        {check.results.length === 0 ? <p className="faint">{t('None since Nines started.')}</p> : null}
        <Results check={check.id} results={check.results.slice(0, MOST_RESULTS)} />
      </section>
    </div>
  );
}
