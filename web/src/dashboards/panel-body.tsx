import type { Panel } from '../api/dashboards.ts';
import { type FigurePanel, useBoard, useReport } from './context.ts';
import { BarPanel, CardPanel, GaugePanel, HeatmapPanel, LinePanel, PiePanel, SeriesTablePanel } from './figure-panels.tsx';
import { interpolate } from '@nines/maths/dashboards/interpolate.ts';
import { ChecksState } from './checks-state.tsx';
import { CustomPanel } from './custom-panel.tsx';
import { Markdown } from './markdown.tsx';
import {
  AlertsBar,
  AlertsCard,
  AlertsList,
  AlertsPie,
  ChecksList,
  IncidentsCard,
  IncidentsList,
  ServicesCard,
  ServicesList,
  ServicesPie,
  ServicesState,
  ServicesTimeline,
  SlasBudget,
  SlasCard,
  SlasList,
} from './record-panels.tsx';

type Props = { readonly panel: Panel; readonly height: number };

/** What a panel draws, by its kind and where its figures come from. */
export function PanelBody({ panel, height }: Props) {
  switch (panel.kind) {
    case 'text':
      return <TextPanel markdown={panel.markdown} />;
    case 'alert_list':
      return panel.source.from === 'alerts' ? <AlertsList source={panel.source} limit={panel.limit} /> : null;
    case 'slo_budget':
      return panel.source.from === 'slas' ? <SlasBudget panel={panel} source={panel.source} /> : null;
    case 'status_timeline':
      return panel.source.from === 'services' ? <ServicesTimeline source={panel.source} /> : null;
    case 'state':
      if (panel.source.from === 'checks') return <ChecksState source={panel.source} />;
      return panel.source.from === 'services' ? <ServicesState source={panel.source} /> : null;
    default:
      return <FigureBody panel={panel} height={height} />;
  }
}

function TextPanel({ markdown }: { readonly markdown: string }) {
  const { values, view } = useBoard();
  useReport({ pending: false, error: null, updatedAtMs: 0, rows: () => [['text'], [markdown]] }, '');
  const lengths = { rangeMs: Math.round((view.toMs - view.fromMs) / 1000) * 1000, stepMs: 60_000, writtenEveryMs: 15_000 };
  return <Markdown text={interpolate(markdown, values, lengths)} />;
}

const DAY_MS = 86_400_000;

function FigureBody({ panel, height }: { readonly panel: FigurePanel; readonly height: number }) {
  const { view } = useBoard();
  const { source } = panel;
  if (panel.kind === 'table') {
    if (source.from === 'services') return <ServicesList source={source} />;
    if (source.from === 'slas') return <SlasList source={source} />;
    if (source.from === 'checks') return <ChecksList source={source} />;
    if (source.from === 'incidents') return <IncidentsList source={source} />;
    return source.from === 'alerts' ? <AlertsList source={source} limit={100} /> : <SeriesTablePanel panel={panel} height={height} />;
  }
  if (panel.kind === 'card') {
    if (source.from === 'services') return <ServicesCard source={source} />;
    if (source.from === 'slas') return <SlasCard source={source} />;
    if (source.from === 'incidents') return <IncidentsCard source={source} />;
    return source.from === 'alerts' ? <AlertsCard source={source} /> : <CardPanel panel={panel} height={height} />;
  }
  if (panel.kind === 'pie') {
    if (source.from === 'services') return <ServicesPie panel={panel} source={source} />;
    return source.from === 'alerts' ? <AlertsPie panel={panel} source={source} /> : <PiePanel panel={panel} height={height} />;
  }
  if (panel.kind === 'bar' && source.from === 'alerts') {
    const days = Math.min(90, Math.max(1, Math.ceil((view.toMs - view.fromMs) / DAY_MS)));
    return <AlertsBar days={days} />;
  }
  return <SeriesBody panel={panel} height={height} />;
}

function SeriesBody({ panel, height }: { readonly panel: FigurePanel; readonly height: number }) {
  switch (panel.kind) {
    case 'line':
      return <LinePanel panel={panel} height={height} />;
    case 'bar':
      return <BarPanel panel={panel} height={height} />;
    case 'gauge':
      return <GaugePanel panel={panel} height={height} />;
    case 'custom':
      return <CustomPanel panel={panel} height={height} />;
    case 'heatmap':
      return <HeatmapPanel panel={panel} height={height} />;
    default:
      return null;
  }
}
