import { Menu } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Component, type ReactNode, useCallback, useId, useMemo, useRef, useState } from 'react';
import { useLive } from '../api/live.tsx';
import type { Panel } from '../api/dashboards.ts';
import { ApiProblem } from '../api/problem.ts';
import { type ExploreSearch, exploreSearch } from '../explore/search.ts';
import { lengthText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { useNow } from '../shell/now.ts';
import { type Board, type Report, ReportContext, useBoard } from './context.ts';
import { interpolate } from '@nines/maths/dashboards/interpolate.ts';
import { PanelBody } from './panel-body.tsx';
import { SaveItems } from './save-items.tsx';
import { everyMs } from './time.ts';

type Props = {
  readonly id: string;
  readonly panel: Panel;
  readonly height: number;
  /** Fills the page, or leaves it again. */
  readonly onFull: (id: string) => void;
  readonly full?: boolean;
  /** What an editor can do to it; stands in the head. */
  readonly tools?: ReactNode;
};

/** Long ones are scrolled in their place, also with the keyboard. */
const LISTS: ReadonlySet<Panel['kind']> = new Set(['table', 'alert_list', 'slo_budget', 'state', 'status_timeline', 'text']);
const SCROLLED = { tabIndex: 0, role: 'group', 'aria-label': t('What the panel shows') } as const;

/** One panel: title, how fresh its figures are, its own error, what can be had of it as a file. */
export function PanelFrame({ id, panel, height, onFull, full = false, tools }: Props) {
  const board = useBoard();
  const heading = useId();
  const root = useRef<HTMLElement>(null);
  const [report, setReport] = useState<Report | undefined>(undefined);
  const [fault, setFault] = useState<Error | null>(null);
  const tell = useCallback((next: Report) => setReport(next), []);
  const title = titleOf(panel, board, id);
  const scrolls = LISTS.has(panel.kind);
  const body = useMemo(() => <PanelBody panel={panel} height={height} />, [panel, height]);
  return (
    <section ref={root} className={full ? 'panel dash-panel full' : 'panel dash-panel'} aria-labelledby={heading} data-panel={id}>
      <header className="dash-head">
        <h3 id={heading} title={panel.description === '' ? undefined : panel.description}>
          {title}
        </h3>
        {panel.kind === 'text' ? null : <DataState report={report} />}
        <PanelMenu panel={panel} title={title} report={report} full={full} onFull={() => onFull(id)} root={root} onFault={setFault} />
      </header>
      {tools}
      {report?.error === undefined || report.error === null ? null : <PanelError error={report.error} />}
      {fault === null ? null : <PanelError error={fault} />}
      <div className={scrolls ? 'dash-body scrolls' : 'dash-body'} style={{ minHeight: height }} {...(scrolls ? SCROLLED : {})}>
        <ReportContext value={tell}>
          <Guard>{body}</Guard>
        </ReportContext>
      </div>
      {panel.description !== '' && full ? <p className="soft small">{panel.description}</p> : null}
    </section>
  );
}

function titleOf(panel: Panel, board: Board, id: string): string {
  const lengths = { rangeMs: Math.round((board.view.toMs - board.view.fromMs) / 1000) * 1000, stepMs: 60_000, writtenEveryMs: 15_000 };
  const title = interpolate(panel.title, board.values, lengths);
  return title === '' ? id : title;
}

/** A panel that cannot be drawn says so by itself; the others go on. */
class Guard extends Component<{ readonly children: ReactNode }, { readonly failed: Error | null }> {
  override state: { readonly failed: Error | null } = { failed: null };
  static getDerivedStateFromError(failed: Error) {
    return { failed };
  }
  override componentDidUpdate(before: { readonly children: ReactNode }) {
    if (this.state.failed !== null && before.children !== this.props.children) this.setState({ failed: null });
  }
  override render() {
    return this.state.failed === null ? this.props.children : <PanelError error={this.state.failed} />;
  }
}

function PanelError({ error }: { readonly error: Error }) {
  return (
    <p className="panel-error" role="alert">
      {fromServer(error.message)}
      {error instanceof ApiProblem && error.status === 0 ? ` ${t('It is asked again by itself.')}` : ''}
    </p>
  );
}

/** Twice as late as promised is not live any more; what answers slowly has this much at least. */
const LEAST_LATE_MS = 20_000;
/** Samples that arrived once only are expected again within this. */
const USUAL_EVERY_MS = 60_000;
/** So many arrivals may be missing before figures are stale. */
const MISSED = 3;

type Freshness = 'cut' | 'stale' | 'as_of' | 'read' | 'live';
type FreshnessLook = { readonly word: string; readonly className: string; readonly title?: string };
const FRESHNESS: Readonly<Record<Freshness, FreshnessLook>> = {
  cut: { word: t('Disconnected'), className: 'cut', title: t('The last values that are known') },
  stale: { word: t('Stale'), className: 'stale', title: t('The last values that are known') },
  as_of: { word: t('As of now'), className: 'still' },
  read: { word: t('Read now'), className: 'still' },
  live: { word: t('Live'), className: 'live' },
};

function agedText(state: Freshness, age: string): string {
  switch (state) {
    case 'cut':
      return t('Disconnected {age} ago', { age });
    case 'stale':
      return t('Stale {age} ago', { age });
    case 'as_of':
      return t('As of {age} ago', { age });
    case 'read':
      return t('Read {age} ago', { age });
    case 'live':
      return t('Live {age}', { age });
  }
}

/** Live, how old, stale or disconnected: in words, with a filled or an empty dot. */
function DataState({ report }: { readonly report: Report | undefined }) {
  const now = useNow();
  const live = useLive();
  const { refresh, moves } = useBoard();
  if (report === undefined || report.updatedAtMs === 0) return <span className="data-state faint" />;
  const { arrivals } = report;
  // What is pushed is as old as the samples in it; what is asked for, as the answer.
  const ageMs = Math.max(0, now - (arrivals?.atMs ?? report.updatedAtMs));
  const quiet = arrivals !== undefined && ageMs > Math.max(LEAST_LATE_MS, MISSED * (arrivals.everyMs ?? USUAL_EVERY_MS));
  const cut = live === 'offline' || (report.error instanceof ApiProblem && report.error.status === 0);
  const state: Freshness = cut
    ? 'cut'
    : report.error !== null || quiet
      ? 'stale'
      : !moves || refresh === 'off'
        ? 'as_of'
        : arrivals === undefined && ageMs > Math.max(LEAST_LATE_MS, 3 * everyMs(refresh)) && refresh !== '1m'
          ? 'read'
          : 'live';
  const { className, title } = FRESHNESS[state];
  return (
    <span className={`data-state ${className}`} title={title}>
      <svg width="8" height="8" aria-hidden="true">
        <circle cx="4" cy="4" r="3" fill={state === 'live' ? 'currentColor' : 'none'} stroke="currentColor" strokeWidth="1.5" />
      </svg>
      {ageMs < 2_000 ? FRESHNESS[state].word : agedText(state, lengthText(ageMs - (ageMs % 1000)))}
    </span>
  );
}

type MenuProps = {
  readonly panel: Panel;
  readonly title: string;
  readonly report: Report | undefined;
  readonly full: boolean;
  readonly onFull: () => void;
  readonly root: { readonly current: HTMLElement | null };
  readonly onFault: (fault: Error | null) => void;
};

function PanelMenu({ panel, title, report, full, onFull, root, onFault }: MenuProps) {
  const board = useBoard();
  const [expr] = report?.exprs ?? [];
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <button type="button" className="dash-menu no-print" aria-label={t('More of {title}', { title })}>
          <svg width="16" height="16" viewBox="0 0 16 16" fill="currentColor" aria-hidden="true">
            <circle cx="3" cy="8" r="1.4" />
            <circle cx="8" cy="8" r="1.4" />
            <circle cx="13" cy="8" r="1.4" />
          </svg>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={onFull}>{full ? t('Back to the dashboard') : t('Fill the page')}</Menu.Item>
        {expr === undefined ? null : (
          <Menu.Item renderRoot={(props: object) => <Link {...props} to="/explore" search={exploreOf(report?.exprs ?? [], board)} />}>
            {t('Explore it')}
          </Menu.Item>
        )}
        {panel.links.map((link) => (
          <Menu.Item key={link.title} component="a" href={linkOf(link.url, board)} rel="noreferrer">
            {link.title}
          </Menu.Item>
        ))}
        {expr === undefined ? null : (
          <Menu.Item onClick={() => void navigator.clipboard.writeText((report?.exprs ?? []).join('\n'))}>{t('Copy the PromQL')}</Menu.Item>
        )}
        <Menu.Divider />
        <SaveItems panel={panel} title={title} report={report} root={root} onFault={onFault} />
      </Menu.Dropdown>
    </Menu>
  );
}

/** The same queries, as they were sent, over the same stretch of time. */
const exploreOf = (exprs: readonly string[], { view }: Board): ExploreSearch =>
  exploreSearch({ panels: exprs.map((q) => ({ q })), from: Math.floor(view.fromMs), to: Math.ceil(view.toMs) });

const linkOf = (url: string, { values }: Board): string =>
  url.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole: string, braced?: string, bare?: string) => {
    const chosen = values.get(braced ?? bare ?? '');
    return chosen === undefined ? whole : encodeURIComponent(chosen.values.join(','));
  });
