import { type Annotation, MAX_ANNOTATIONS, MAX_EXPR_CHARS } from '../model.ts';
import type { Context } from './context.ts';
import { type Fields, isTrueAt, numberAt, textAt, valueAt } from './fields.ts';

/** `annotations.list`: Grafana's own alerts become ours, queries in PromQL stay queries. Pure. */
export function readAnnotations(written: readonly Fields[], context: Context): readonly Annotation[] {
  const found: Annotation[] = [];
  for (const one of written) {
    const name = textAt(one, 'name').slice(0, 200);
    const lose = (why: string, more = ''): void => context.losses.add('', `the annotation "${name}"${more}`, why);
    const shown = valueAt(one, 'enable') !== false;
    if (found.length >= MAX_ANNOTATIONS) {
      lose(`a dashboard has at most ${MAX_ANNOTATIONS} annotations`);
      continue;
    }
    const type = textAt(one, 'type') || textAt(one, 'target', 'type');
    const asked = context.asks(valueAt(one, 'datasource'));
    if (numberAt(one, 'builtIn') === 1 || isTrueAt(one, 'builtIn') || (asked === 'grafana' && type === 'dashboard')) {
      if (!found.some(({ from }) => from === 'alerts')) found.push({ from: 'alerts', title: name, shown });
      continue;
    }
    const expr = context.fill(textAt(one, 'expr') || textAt(one, 'target', 'expr') || textAt(one, 'query')).trim();
    if (asked === 'grafana') lose('it shows notes that people made in Grafana under a tag');
    else if (typeof asked === 'object') lose(`it asks ${asked.foreign}, not a store of metrics that speaks PromQL`);
    else if (expr === '' || expr.length > MAX_EXPR_CHARS) lose('it has no query in PromQL');
    else {
      const fault = context.faultOf(expr);
      if (fault !== '') lose(`kept as it is, but its query cannot be read as PromQL: ${fault}`);
      if (textAt(one, 'titleFormat') !== '' || textAt(one, 'textFormat') !== '' || textAt(one, 'tagKeys') !== '')
        lose('an annotation is told by its title and the labels of its series', ': its texts and tags');
      found.push({ from: 'promql', title: name, shown, expr });
    }
  }
  return found;
}
