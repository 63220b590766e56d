import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import type { NamedSeries, Threshold } from '@nines/maths/dashboards/figures.ts';
import { useEffect, useRef, useState } from 'react';
import type { Unit } from '../api/dashboards.ts';
import { t } from '../language/t.ts';
import type { View } from '../timeline/view.ts';
import { faultText } from './fault-text.ts';

/** A script that has not drawn by then is told to be stuck. */
const ANSWERS_WITHIN_MS = 15_000;

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** What a script is handed besides its room and the colours: the data contract of docs/widgets.md. */
export type WidgetData = {
  readonly series: readonly Pick<NamedSeries, 'name' | 'labels' | 'points'>[];
  readonly view: View;
  readonly unit: Unit;
  readonly decimals?: number | undefined;
  readonly thresholds: readonly Threshold[];
  readonly options: Readonly<Record<string, string | number | boolean>>;
};

type Props = {
  readonly title: string;
  /** The address of its document. */
  readonly src: string;
  /** A script that is not registered yet: handed to the document, which has none of its own. Another one needs another frame. */
  readonly script?: string;
  readonly data: WidgetData;
  readonly height: number;
};

/**
 * A script that the product does not know, in a frame of no origin: it is handed figures and told nothing else, and what it says is taken as
 * text alone.
 */
export function WidgetFrame({ title, src, script, data, height }: Props) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const frame = useRef<HTMLIFrameElement>(null);
  const { ready, fault } = useHeard(frame, script);
  const dark = useComputedColorScheme('light') === 'dark';
  const { series, view, unit, decimals, thresholds, options } = data;
  useEffect(() => {
    if (!ready) return;
    const theme = {
      dark,
      ink: token('--ink'),
      faint: token('--ink-faint'),
      surface: token('--surface'),
      line: token('--line'),
      accent: token('--accent'),
      series: Array.from({ length: 8 }, (_one, at) => token(`--series-${at + 1}`)),
    };
    const told = { type: 'data', contract: 1, width, height, unit, decimals: decimals ?? null, thresholds, options, theme };
    const range = { from_ms: view.fromMs, to_ms: view.toMs };
    const sent = series.map(({ name, labels, points }) => ({ name, labels, points }));
    // A frame of no origin has no name to send to; only this frame gets it.
    frame.current?.contentWindow?.postMessage({ ...told, range, series: sent }, '*');
  }, [ready, series, unit, decimals, thresholds, options, width, height, dark, view.fromMs, view.toMs]);
  return (
    <div ref={ref} className="custom-panel">
      {fault === '' ? null : (
        <p className="panel-error wrap" role="alert">
          {fault}
        </p>
      )}
      <iframe ref={frame} title={title} src={src} sandbox="allow-scripts" referrerPolicy="no-referrer" allow="" style={{ height }} />
    </div>
  );
}

type FrameRef = { readonly current: HTMLIFrameElement | null };

/** What the frame says: that it waits for its script, is ready, has drawn, or what went wrong. */
function useHeard(frame: FrameRef, script: string | undefined): { readonly ready: boolean; readonly fault: string } {
  const [ready, setReady] = useState(false);
  const [drawn, setDrawn] = useState(false);
  const [fault, setFault] = useState('');
  useEffect(() => {
    const onMessage = (event: MessageEvent<unknown>) => {
      if (frame.current === null || event.source !== frame.current.contentWindow || typeof event.data !== 'object' || event.data === null)
        return;
      const type: unknown = Reflect.get(event.data, 'type');
      if (type === 'waiting' && script !== undefined) frame.current.contentWindow?.postMessage({ type: 'script', source: script }, '*');
      else if (type === 'ready') setReady(true);
      else if (type === 'drawn') {
        setDrawn(true);
        setFault('');
      } else if (type === 'error') setFault(faultText(Reflect.get(event.data, 'message')));
    };
    window.addEventListener('message', onMessage);
    return () => window.removeEventListener('message', onMessage);
  }, [frame, script]);
  useEffect(() => {
    if (drawn || fault !== '') return;
    const timer = window.setTimeout(() => setFault(t('The widget does not answer.')), ANSWERS_WITHIN_MS);
    return () => window.clearTimeout(timer);
  }, [drawn, fault]);
  return { ready, fault };
}
