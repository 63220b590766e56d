import { useQuery } from '@tanstack/react-query';
import { type ExplanationView, explanationQuery } from '../api/explore.ts';
import { Instant } from '../components/instant.tsx';
import { Waiting } from '../components/notices.tsx';
import { Hints } from './why-empty.tsx';
import { rich, t } from '../language/t.ts';

type Node = ExplanationView['nodes'][number];
type Props = { readonly query: string; readonly atMs: number; readonly onRun: (query: string) => void };

/** The query as a tree: what each part gives by itself, so that one sees where results are lost. */
export function ExplainTab({ query, atMs, onRun }: Props) {
  const found = useQuery(explanationQuery(query, atMs));
  if (found.error !== null) return <Waiting query={{ ...found, data: undefined }} what={t('the explanation')} />;
  if (found.data === undefined) return <Waiting query={found} what={t('the explanation')} />;
  const { nodes, hints, at_ms: shownAtMs, left_out: leftOut } = found.data;
  return (
    <div className="explain">
      {hints.length === 0 ? null : (
        <div className="why-empty" role="status">
          <p>
            <strong>{t('No results.')}</strong>
          </p>
          <Hints hints={hints} onRun={onRun} />
        </div>
      )}
      <ul className="explain-tree" aria-label={t('Parts of the query')}>
        <Part nodes={nodes} index={0} onRun={onRun} />
      </ul>
      <p className="faint">
        {leftOut > 0 ? `${t('{count, plural, one {# more part is} other {# more parts are}} left out.', { count: leftOut })} ` : ''}
        {rich('Each part by itself at {at}', { at: <Instant atMs={shownAtMs} relative={false} /> })}
      </p>
    </div>
  );
}

function Part({ nodes, index, onRun }: { readonly nodes: readonly Node[]; readonly index: number; readonly onRun: Props['onRun'] }) {
  const node = nodes[index];
  if (node === undefined) return null;
  const parts = nodes.flatMap(({ parent }, place) => (parent === index ? [place] : []));
  return (
    <li>
      <div className={node.results === 0 ? 'explain-node explain-nothing' : 'explain-node'}>
        <span className="explain-count">{countText(node)}</span>
        <div>
          <button
            type="button"
            className="plain-button mono wrap-anywhere"
            title={t('Run this part alone')}
            onClick={() => onRun(node.text)}
          >
            {node.text}
          </button>
          {node.error === null ? null : <p className="explain-error">{node.error}</p>}
          {node.says.map((says) => (
            <p key={says} className="soft">
              {says}
            </p>
          ))}
        </div>
      </div>
      {parts.length === 0 ? null : (
        <ul>
          {parts.map((place) => (
            <Part key={place} nodes={nodes} index={place} onRun={onRun} />
          ))}
        </ul>
      )}
    </li>
  );
}

function countText({ results, value, error, type }: Node): string {
  if (error !== null) return t('fails');
  if (value !== null) return value;
  if (results === null) return t('not counted');
  if (results === 0) return t('nothing');
  return type === 'matrix'
    ? t('{count, plural, one {# series} other {# series}}', { count: results })
    : t('{count, plural, one {# result} other {# results}}', { count: results });
}
