import { type CSSProperties, type ReactNode, useState } from 'react';
import type { DashboardSpec, Layout, Panel } from '../api/dashboards.ts';
import { PanelFrame } from './panel-frame.tsx';

type Section = Layout['sections'][number];
type Item = { readonly panel: string; readonly x: number; readonly y: number; readonly w: number; readonly h: number };
type Props = {
  readonly spec: DashboardSpec;
  readonly onFull: (id: string) => void;
  /** What an editor can do to a panel. */
  readonly tools?: (id: string, section: number) => ReactNode;
  readonly sectionTools?: (section: number) => ReactNode;
};

/** Pixels of one row of the free grid and between rows; as `.dash-grid.custom` has them. */
export const ROW_PX = 36;
export const GAP_PX = 12;
/** What the head and the room around take of a panel. */
const FRAME_PX = 64;

const FLOW_HEIGHT: Readonly<Record<Panel['kind'], number>> = {
  card: 150,
  gauge: 170,
  line: 240,
  bar: 240,
  heatmap: 260,
  pie: 170,
  table: 96,
  alert_list: 96,
  text: 32,
  slo_budget: 96,
  status_timeline: 64,
  state: 64,
  custom: 240,
};

/** How tall a panel's body is in the free grid. */
export const bodyPx = (rows: number): number => Math.max(24, rows * ROW_PX + (rows - 1) * GAP_PX - FRAME_PX);

/** The panels of a dashboard in its layout, section by section. */
export function BoardGrid({ spec, onFull, tools, sectionTools }: Props) {
  return (
    <>
      {spec.layout.sections.map((section, at) => (
        // Sections have no name of their own that lasts: their place is what they are.
        <BoardSection
          key={at}
          {...{ spec, onFull, section, at }}
          {...(tools === undefined ? {} : { tools })}
          {...(sectionTools === undefined ? {} : { sectionTools })}
        />
      ))}
    </>
  );
}

function BoardSection({ spec, onFull, tools, sectionTools, section, at }: Props & { readonly section: Section; readonly at: number }) {
  const [open, setOpen] = useState(!section.collapsed);
  const items: readonly Item[] | undefined = 'items' in section ? section.items : undefined;
  const ids = 'items' in section ? section.items.map(({ panel }) => panel) : section.panels;
  const shown = open || tools !== undefined;
  return (
    <section className="dash-section" aria-label={section.title === '' ? `Part ${at + 1}` : section.title}>
      {section.title === '' && sectionTools === undefined ? null : (
        <div className="dash-section-head">
          <h2>
            <button type="button" className="dash-fold" aria-expanded={shown} onClick={() => setOpen(!open)}>
              <span aria-hidden="true">{shown ? '▾' : '▸'}</span> {section.title === '' ? `Part ${at + 1}` : section.title}
            </button>
          </h2>
          {sectionTools?.(at)}
        </div>
      )}
      {shown ? (
        <div className={`dash-grid ${spec.layout.kind}`}>
          {ids.map((id) => {
            const panel = spec.panels[id];
            const item = items?.find((one) => one.panel === id);
            if (panel === undefined) return null;
            return (
              <div key={id} className={`dash-cell cell-${panel.kind}`} {...(item === undefined ? {} : { style: placeOf(item) })}>
                <PanelFrame
                  id={id}
                  panel={panel}
                  height={item === undefined ? FLOW_HEIGHT[panel.kind] : bodyPx(item.h)}
                  onFull={onFull}
                  {...(tools === undefined ? {} : { tools: tools(id, at) })}
                />
              </div>
            );
          })}
        </div>
      ) : null}
    </section>
  );
}

/** Read by the style sheet, which ignores it on a phone. */
const placeOf = ({ x, y, w, h }: Item): CSSProperties => ({ '--x': x + 1, '--y': y + 1, '--w': w, '--h': h }) as CSSProperties;
