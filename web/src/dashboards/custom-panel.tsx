import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { PanelOf } from '../api/dashboards.ts';
import { widgetsQuery } from '../api/widgets.ts';
import { t } from '../language/t.ts';
import { useBoard, useReport } from './context.ts';
import { rowsOfSeries } from './export.ts';
import { useFigures } from './use-figures.ts';

type Props = { readonly panel: PanelOf<'custom'>; readonly height: number };

/** A script that has not drawn by then is told to be stuck. */
const ANSWERS_WITHIN_MS = 15_000;
const MAX_MESSAGE_CHARS = 500;

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * Figures drawn by a script that the product does not know, in a frame of no origin: it is handed figures and told nothing else, and
 * what it says is taken as text alone.
 */
export function CustomPanel({ panel, height }: Props) {
  const figures = useFigures(panel.source);
  const { pending, error, updatedAtMs, exprs, stamp, series } = figures;
  useReport({ pending, error, updatedAtMs, exprs, rows: () => rowsOfSeries(series) }, `${stamp} ${pending}`);
  const known = useQuery(widgetsQuery()).data?.items;
  const widget = known?.find(({ id }) => id === panel.widget);
  if (panel.widget === '' || (known !== undefined && widget === undefined))
    return (
      <p className="chart-empty wrap">
        {panel.widget === ''
          ? t('Choose a widget. Administrators register them; docs/widgets.md shows how.')
          : t('There is no widget “{id}”: an administrator registers it.', { id: panel.widget })}
      </p>
    );
  return widget === undefined ? null : <Frame key={widget.revision} panel={panel} height={height} series={series} />;
}

type FrameProps = Props & { readonly series: ReturnType<typeof useFigures>['series'] };

function Frame({ panel, height, series }: FrameProps) {
  const { view } = useBoard();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const frame = useRef<HTMLIFrameElement>(null);
  const [ready, setReady] = useState(false);
  const [drawn, setDrawn] = useState(false);
  const [fault, setFault] = useState('');
  const dark = useComputedColorScheme('light') === 'dark';
  useEffect(() => {
    const onMessage = (event: MessageEvent<unknown>) => {
      if (frame.current === null || event.source !== frame.current.contentWindow || typeof event.data !== 'object' || event.data === null)
        return;
      const type: unknown = Reflect.get(event.data, 'type');
      const message: unknown = Reflect.get(event.data, 'message');
      if (type === 'ready') setReady(true);
      else if (type === 'drawn') {
        setDrawn(true);
        setFault('');
      } else if (type === 'error') setFault(String(message).slice(0, MAX_MESSAGE_CHARS));
    };
    window.addEventListener('message', onMessage);
    return () => window.removeEventListener('message', onMessage);
  }, []);
  useEffect(() => {
    if (drawn || fault !== '') return;
    const timer = window.setTimeout(() => setFault(t('The widget does not answer.')), ANSWERS_WITHIN_MS);
    return () => window.clearTimeout(timer);
  }, [drawn, fault]);
  useEffect(() => {
    if (!ready) return;
    const { unit, decimals, thresholds, options } = panel;
    const theme = {
      dark,
      ink: token('--ink'),
      faint: token('--ink-faint'),
      surface: token('--surface'),
      line: token('--line'),
      accent: token('--accent'),
    };
    const colours = Array.from({ length: 8 }, (_one, at) => token(`--series-${at + 1}`));
    const data = { type: 'data', contract: 1, width, height, unit, decimals: decimals ?? null, thresholds, options };
    const range = { from_ms: view.fromMs, to_ms: view.toMs };
    const sent = series.map(({ name, labels, points }) => ({ name, labels, points }));
    // A frame of no origin has no name to send to; only this frame gets it.
    frame.current?.contentWindow?.postMessage({ ...data, theme: { ...theme, series: colours }, range, series: sent }, '*');
  }, [ready, panel, series, width, height, dark, view.fromMs, view.toMs]);
  return (
    <div ref={ref} className="custom-panel">
      {fault === '' ? null : (
        <p className="panel-error wrap" role="alert">
          {fault}
        </p>
      )}
      <iframe
        ref={frame}
        title={panel.title === '' ? panel.widget : panel.title}
        src={`/api/widgets/${encodeURIComponent(panel.widget)}/frame`}
        sandbox="allow-scripts"
        referrerPolicy="no-referrer"
        allow=""
        style={{ height }}
      />
    </div>
  );
}
