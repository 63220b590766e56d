import { Button, SegmentedControl } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { Section } from '../components/section.tsx';
import { exactInstant } from '../figures/instant.ts';
import { MetricBrowser } from '../explore/metric-browser.tsx';
import { QueryPanel } from '../explore/panel.tsx';
import { forgetQueries, remember, rememberedQueries } from '../explore/remembered.ts';
import { type ExplorePanel, type ExploreSearch, canAdd } from '../explore/search.ts';
import { useNowStep } from '../shell/now.ts';
import { RANGES, rangeMs } from '../shell/search.ts';
import type { View } from '../timeline/view.ts';
import { useTitle } from './use-title.ts';
import '../styles/analytics.css';
import '../styles/explore.css';
import { t } from '../language/t.ts';

const BLANK: ExplorePanel = { q: '' };
/** How often a range that ends now moves on. */
const MOVES_MS = 15_000;

function viewOf({ range = '1h', from, to }: ExploreSearch, nowMs: number): View {
  return from !== undefined && to !== undefined ? { fromMs: from, toMs: to } : { fromMs: nowMs - rangeMs(range), toMs: nowMs };
}

/** Any query over what is stored: written with completion, built, or picked from the list of metrics. */
export function ExplorePage() {
  const search = useSearch({ from: '/shell/explore' });
  const navigate = useNavigate({ from: '/explore' });
  const view = viewOf(search, useNowStep(MOVES_MS));
  const { panels = [BLANK] } = search;
  const set = useCallback(
    (next: (before: ExploreSearch) => ExploreSearch) => void navigate({ search: next, resetScroll: false }),
    [navigate],
  );
  const setPanels = (next: ExplorePanel[]): void => set((before) => ({ ...before, panels: next }));
  const change = (index: number, panel: ExplorePanel): void => {
    remember(panel.q);
    setPanels(panels.map((one, place) => (place === index ? panel : one)));
  };
  const zoom = ({ fromMs, toMs }: View): void =>
    set(({ range: _range, ...before }) => ({ ...before, from: Math.floor(fromMs), to: Math.ceil(toMs) }));
  /** Into the first panel without a query, otherwise into a new one, and where there may be no more into the last. */
  const pick = (query: string): void => {
    const free = panels.findIndex(({ q }) => q === '');
    const place = free >= 0 ? free : canAdd(panels) ? panels.length : panels.length - 1;
    remember(query);
    setPanels([...panels.slice(0, place), { q: query }, ...panels.slice(place + 1)]);
  };
  useTitle(panels[0]?.q === '' || panels[0] === undefined ? t('Explore') : t('Explore: {query}', { query: panels[0].q }));
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Explore')}</h1>
          <p className="page-lead">{t('Any query over what is stored, part by part when it does not give what it should.')}</p>
        </div>
        <RangeChoice search={search} onSearch={set} />
      </header>
      {panels.map((panel, index) => (
        <QueryPanel
          // Panels have no identity but their place in the address.
          key={index}
          panel={panel}
          number={index + 1}
          view={view}
          only={panels.length === 1}
          onChange={(next) => change(index, next)}
          onRemove={() => setPanels(panels.filter((_, place) => place !== index))}
          onDouble={canAdd(panels) ? () => setPanels([...panels.slice(0, index + 1), panel, ...panels.slice(index + 1)]) : undefined}
          onZoom={zoom}
        />
      ))}
      <div className="row-wrap">
        <Button variant="default" size="xs" disabled={!canAdd(panels)} onClick={() => setPanels([...panels, BLANK])}>
          {t('Add a query')}
        </Button>
        <History onPick={pick} />
      </div>
      <Metrics search={search} onSearch={set} onPick={pick} />
    </div>
  );
}

/** Who has asked nothing yet wants to see what there is. */
const isBrowsing = ({ browse, panels = [] }: ExploreSearch): boolean => browse === 1 || panels.every(({ q }) => q === '');

type MetricsProps = RangeProps & { readonly onPick: (query: string) => void };

function Metrics({ search, onSearch, onPick }: MetricsProps) {
  return (
    <Section
      title={t('Metrics')}
      aside={
        <button
          type="button"
          className="plain-button"
          aria-expanded={isBrowsing(search)}
          onClick={() => onSearch(({ browse, ...rest }) => (browse === 1 ? rest : { ...rest, browse: 1 }))}
        >
          {search.browse === 1 ? t('Hide the list') : t('Browse all')}
        </button>
      }
    >
      {isBrowsing(search) ? (
        <MetricBrowser onPick={onPick} />
      ) : (
        <p className="soft">{t('Every metric, by its beginning, type, unit and number of series.')}</p>
      )}
    </Section>
  );
}

type RangeProps = { readonly search: ExploreSearch; readonly onSearch: (next: (before: ExploreSearch) => ExploreSearch) => void };

function RangeChoice({ search, onSearch }: RangeProps) {
  const now = useNowStep(60_000);
  const { from, to } = search;
  return (
    <div className="row-wrap">
      {from === undefined || to === undefined ? null : (
        <span className="faint">{`${exactInstant(from, now)} – ${exactInstant(to, now)}`}</span>
      )}
      <SegmentedControl
        size="xs"
        aria-label={t('Range')}
        data={[...RANGES]}
        value={from === undefined ? (search.range ?? '1h') : ''}
        onChange={(value) => {
          const range = RANGES.find((one) => one === value) ?? '1h';
          onSearch(({ from: _from, to: _to, ...before }) => ({ ...before, range }));
        }}
      />
    </div>
  );
}

/** What was asked before in this browser. */
function History({ onPick }: { readonly onPick: (query: string) => void }) {
  const [queries, setQueries] = useState<readonly string[] | undefined>();
  const opened = queries !== undefined;
  return (
    <>
      <Button variant="default" size="xs" aria-expanded={opened} onClick={() => setQueries(opened ? undefined : rememberedQueries())}>
        {t('History')}
      </Button>
      {!opened ? null : (
        <div className="panel panel-pad explore-history">
          {queries.length === 0 ? <p className="soft">{t('Nothing was asked in this browser yet.')}</p> : null}
          <ul className="plain-list">
            {queries.map((query) => (
              <li key={query}>
                <button type="button" className="plain-button mono wrap-anywhere" onClick={() => onPick(query)}>
                  {query}
                </button>
              </li>
            ))}
          </ul>
          {queries.length === 0 ? null : (
            <Button
              variant="default"
              size="xs"
              onClick={() => {
                forgetQueries();
                setQueries([]);
              }}
            >
              {t('Forget all')}
            </Button>
          )}
        </div>
      )}
    </>
  );
}
