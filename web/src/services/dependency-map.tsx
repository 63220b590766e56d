import { NativeSelect, SegmentedControl } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type MouseEvent, useMemo } from 'react';
import type { ServiceView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyState } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { type MapSearch, mapSearch } from '../shell/search.ts';
import { StateMark, StateShape } from '../states/state-mark.tsx';
import { type MarkState, STATE_WORDS } from '../states/words.ts';
import { type MapNode, NODE, type Picture, type Placed, type ServiceMap, mapOf, pictureOf } from './map.ts';

const DEPTHS = [1, 2, 3, 5] as const;
const DEFAULT_DEPTH = 2;
/** Longer names are cut in the picture; the table has them whole. */
const LABEL_CHARS = 18;

type Props = { readonly services: readonly ServiceView[]; readonly search: MapSearch };

/** Which service depends on which, as a picture, and as a table for those who would rather read it. */
export function DependencyMap({ services, search }: Props) {
  const navigate = useNavigate({ from: '/services' });
  const { focus, depth = DEFAULT_DEPTH } = search;
  const map = useMemo(() => mapOf(services, { focus, depth }), [services, focus, depth]);
  const picture = useMemo(() => pictureOf(map), [map]);
  const go = (change: Partial<MapSearch>) => void navigate({ search: mapSearch({ ...search, ...change }), replace: true });
  const open = (node: MapNode): void => {
    if (node.kind === 'team') go({ team: node.key });
    else void navigate({ to: '/services/$id', params: { id: node.key } });
  };
  return (
    <div className="dependency-map">
      <div className="row-wrap no-print">
        <NativeSelect
          size="xs"
          label={t('Around')}
          value={focus ?? ''}
          data={[
            { value: '', label: t('all services') },
            ...services.map(({ id, name }) => ({ value: id, label: name === '' ? id : name })),
          ]}
          onChange={({ currentTarget: { value } }) => go({ focus: value === '' ? undefined : value })}
        />
        {focus === undefined ? null : (
          <SegmentedControl
            size="xs"
            aria-label={t('Steps away')}
            value={String(depth)}
            data={DEPTHS.map((steps) => ({ value: String(steps), label: t('{steps, plural, one {# step} other {# steps}}', { steps }) }))}
            onChange={(value) => go({ depth: Number(value) })}
          />
        )}
        <p className="soft" role="status">
          {leadOf(map)}
        </p>
      </div>
      {map.edges.length === 0 ? (
        <EmptyState command={'services:\n  - id: shop\n    depends_on: [db]'}>
          {t('None of these depends on another. Say in nines.yml what a service depends on, and its outages are explained by theirs.')}
        </EmptyState>
      ) : null}
      {map.nodes.length === 0 ? null : (
        <>
          <PictureOf picture={picture} focus={focus} onOpen={open} />
          <TableOf map={map} />
        </>
      )}
    </div>
  );
}

function leadOf({ nodes, hidden }: ServiceMap): string {
  const teams = nodes[0]?.kind === 'team';
  const shown = teams
    ? t('{count, plural, one {# team} other {# teams}}, each with its worst state: choose one, or a service.', { count: nodes.length })
    : t('{count, plural, one {# service} other {# services}}.', { count: nodes.length });
  return hidden === 0
    ? shown
    : `${shown} ${t('{hidden, plural, one {# more service is not drawn.} other {# more services are not drawn.}}', { hidden })}`;
}

type PictureProps = { readonly picture: Picture; readonly focus: string | undefined; readonly onOpen: (node: MapNode) => void };

function PictureOf({ picture, focus, onOpen }: PictureProps) {
  const { nodes, edges, width, height } = picture;
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  return (
    <section className="panel dependency-picture" aria-label={t('Map of dependencies, from left to right')}>
      <svg width={width + 2} height={height + 2} viewBox={`-1 -1 ${width + 2} ${height + 2}`}>
        {edges.map(({ from, to }) => {
          const [left, right] = [byKey.get(from), byKey.get(to)];
          if (left === undefined || right === undefined) return null;
          const failing = left.worst === 'down' && right.worst === 'down';
          return (
            <path key={`${from} ${to}`} className={failing ? 'dependency-edge is-failing' : 'dependency-edge'} d={curve(left, right)} />
          );
        })}
        {nodes.map((node) => (
          <Box key={node.key} node={node} isFocus={node.key === focus} onOpen={onOpen} />
        ))}
      </svg>
    </section>
  );
}

function curve(from: Placed, to: Placed): string {
  const [x1, y1] = [from.x + NODE.width, from.y + NODE.height / 2];
  const [x2, y2] = [to.x, to.y + NODE.height / 2];
  const bend = Math.max(NODE.gapX / 2, (x2 - x1) / 2);
  return `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

const isState = (word: string): word is MarkState => Object.hasOwn(STATE_WORDS, word);
const stateOf = (word: string): MarkState => (isState(word) ? word : 'unknown');

function wordsOf({ kind, worst, count, troubled }: MapNode): string {
  if (kind === 'service') return STATE_WORDS[stateOf(worst)];
  return troubled === 0
    ? t('{count, plural, one {# service, up} other {# services, all up}}', { count })
    : t('{troubled} of {count} not up', { troubled, count });
}

function Box({ node, isFocus, onOpen }: { readonly node: Placed; readonly isFocus: boolean; readonly onOpen: (node: MapNode) => void }) {
  const { key, x, y, kind, worst } = node;
  const label = node.label === '' ? t('without a team') : node.label;
  const address = kind === 'team' ? `/services?view=map&team=${encodeURIComponent(key)}` : `/services/${encodeURIComponent(key)}`;
  const follow = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    onOpen(node);
  };
  return (
    <a href={address} onClick={follow} aria-label={`${label}: ${wordsOf(node)}`} className="dependency-node">
      <title>{`${label}: ${wordsOf(node)}`}</title>
      <rect x={x} y={y} width={NODE.width} height={NODE.height} rx="4" className={isFocus ? 'dependency-box is-focus' : 'dependency-box'} />
      <g transform={`translate(${x + 8} ${y + 6})`}>
        <StateShape state={stateOf(worst)} />
      </g>
      <text x={x + 26} y={y + 15} className="dependency-name">
        {label.length > LABEL_CHARS ? `${label.slice(0, LABEL_CHARS - 1)}…` : label}
      </text>
      <text x={x + 26} y={y + 29} className="dependency-state">
        {wordsOf(node)}
      </text>
    </a>
  );
}

function TableOf({ map }: { readonly map: ServiceMap }) {
  const labelOf = new Map(map.nodes.map(({ key, label }) => [key, label === '' ? t('without a team') : label]));
  const named = (keys: readonly string[]): string => keys.map((key) => labelOf.get(key) ?? key).join(', ');
  const columns: readonly Column<MapNode>[] = [
    {
      id: 'name',
      header: t('Service'),
      cell: ({ key, kind }) => (
        <a
          className="row-name"
          href={kind === 'team' ? `/services?view=map&team=${encodeURIComponent(key)}` : `/services/${encodeURIComponent(key)}`}
        >
          {labelOf.get(key)}
        </a>
      ),
    },
    { id: 'state', header: t('State'), cell: (node) => <StateMark state={stateOf(node.worst)} word={wordsOf(node)} /> },
    {
      id: 'needs',
      header: t('Depends on'),
      label: t('Depends on'),
      cell: ({ key }) => named(map.edges.flatMap(({ from, to }) => (from === key ? [to] : []))),
    },
    {
      id: 'needed',
      header: t('Needed by'),
      label: t('Needed by'),
      cell: ({ key }) => named(map.edges.flatMap(({ from, to }) => (to === key ? [from] : []))),
    },
  ];
  return (
    <div className="panel">
      <DataTable caption={t('Dependencies')} columns={columns} rows={map.nodes} rowKey={({ key }) => key} />
    </div>
  );
}
