import { Tooltip } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ResultView, CheckView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Ago } from '../components/instant.tsx';
import { lengthText } from '../figures/length.ts';
import { quantityText } from '../figures/quantity.ts';
import { StateMark } from '../states/state-mark.tsx';
import { steadiness } from '../states/words.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';

export const PHASES = ['resolve', 'connect', 'tls', 'processing', 'transfer'] as const;
/** Waiting for the answer is the calm colour: it is most of every bar. */
const COLOURS: Readonly<Record<(typeof PHASES)[number], string>> = {
  resolve: 'var(--series-8)',
  connect: 'var(--series-2)',
  tls: 'var(--series-6)',
  processing: 'var(--series-1)',
  transfer: 'var(--series-5)',
};
export const millis = (length: number): string => quantityText(length / 1000, 'seconds');

/** The phases of the last attempt as one bar, longest attempt's scale; the words are in the tooltip. */
export function Phases({ result }: { readonly result: ResultView }) {
  const parts = PHASES.flatMap((phase) => {
    const length = result.phases_ms[phase];
    return length === undefined || length <= 0 ? [] : [{ phase, length, colour: COLOURS[phase] }];
  });
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  if (total <= 0) return null;
  const words = parts.map(({ phase, length }) => `${phase} ${millis(length)}`).join(', ');
  return (
    <Tooltip label={words}>
      <span className="phases" role="img" aria-label={t('Phases: {words}', { words })}>
        {parts.map(({ phase, length, colour }) => (
          <span key={phase} style={{ width: `${(length / total) * 100}%`, background: colour }} />
        ))}
      </span>
    </Tooltip>
  );
}

export function resultText(result: ResultView): string {
  if (result.outcome !== 'up') return fromServer(result.detail ?? result.code ?? result.outcome);
  return result.status_code === null ? t('answered') : t('answered {code}', { code: String(result.status_code) });
}

/** Kinds as people write them: protocols by their letters, the rest in small ones. */
const WORDS: Readonly<Record<string, string>> = {
  browser: 'browser',
  docker: 'Docker',
  domain: 'domain',
  filesystem: 'files',
  grpc: 'gRPC',
  heartbeat: 'heartbeat',
  mongodb: 'MongoDB',
  mysql: 'MySQL',
  postgresql: 'PostgreSQL',
  process: 'process',
  promql: 'PromQL',
  redis: 'Redis',
  script: 'script',
  websocket: 'WebSocket',
};
export const kindText = (kind: string): string => WORDS[kind] ?? kind.toUpperCase();

const SERVICE: Column<CheckView> = {
  id: 'service',
  header: t('Service'),
  label: t('service'),
  cell: (check) => (
    <Link to="/services/$id" params={{ id: check.service }}>
      {check.service}
    </Link>
  ),
};
const NAME: Column<CheckView> = {
  id: 'name',
  header: t('Check'),
  cell: (check) => (
    <Link to="." search={(before) => ({ ...before, check: check.id })} resetScroll={false} className="row-name" data-row="">
      {check.id}
    </Link>
  ),
};
const REST: readonly Column<CheckView>[] = [
  {
    id: 'state',
    header: t('State'),
    cell: (check) => <StateMark state={check.state} word={steadiness(check.state, check.flapping !== null)} />,
  },
  {
    id: 'target',
    header: t('Asks'),
    cell: (check) => (
      <span>
        <span className="faint">{`${kindText(check.kind)} `}</span>
        <span className="mono wrap check-target">{check.target}</span>
      </span>
    ),
  },
  { id: 'every', header: t('Every'), label: t('every'), numeric: true, cell: (check) => lengthText(check.interval_ms) },
  {
    id: 'took',
    header: t('Took'),
    label: t('took'),
    numeric: true,
    // A heartbeat asks nothing, so there is nothing that took time.
    cell: (check) => (check.last === null || check.kind === 'heartbeat' ? '' : millis(check.last.duration_ms)),
  },
  { id: 'phases', header: t('Phases'), cell: (check) => (check.last === null ? null : <Phases result={check.last} />) },
  {
    id: 'result',
    header: t('Last result'),
    cell: (check) => (check.last === null ? <span className="faint">{t('none yet')}</span> : resultText(check.last)),
  },
  { id: 'at', header: t('When'), label: t('last'), cell: (check) => (check.last === null ? '' : <Ago atMs={check.last.at_ms} />) },
];

const ALONE = [NAME, ...REST];
const WITH_SERVICE = [NAME, SERVICE, ...REST];

type Props = {
  readonly checks: readonly (CheckView | undefined)[];
  readonly withService: boolean;
  readonly onSight?: (first: number, last: number) => void;
};

/** Checks with what they saw last. */
export function ChecksTable({ checks, withService, ...sight }: Props) {
  return (
    <div className="panel">
      <DataTable
        caption={t('Checks with their last results')}
        columns={withService ? WITH_SERVICE : ALONE}
        rows={checks}
        rowKey={(check) => check.id}
        {...sight}
      />
    </div>
  );
}
