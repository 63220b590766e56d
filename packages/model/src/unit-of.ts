/** A part of a name that says its unit, and the unit of the metric when it is read as it is. */
const SUFFIXES: readonly (readonly [RegExp, string])[] = [
  [/_bytes$/, 'bytes'],
  [/_bytes_per_second$|_bytes_total$/, 'bytes_per_second'],
  [/_percent$/, 'percent'],
  [/_ratio$/, 'ratio'],
  [/_celsius$/, 'celsius'],
  [/(?<!_timestamp)_seconds$/, 'seconds'],
];
/** What keeps the unit of what stands inside. */
const KEEPING = /^(?:sum|avg|min|max|abs|max_over_time|min_over_time|avg_over_time|by|without)$/;
const TOKEN = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\{|\}|\[[^\]]*\]|[a-zA-Z_:][a-zA-Z0-9_:]*|[-+*/%^<>=!]+/g;

/**
 * The unit of a PromQL expression as the name of its one metric says it, counters read as rates (`_bytes_total`: bytes a second). Undefined of
 * arithmetic, of other functions, of several metrics, and of names that say none.
 */
export function unitOf(expr: string): string | undefined {
  const outside = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '""')
    .replaceAll(/\{[^}]*\}|\b(?:by|without)\s*\([^)]*\)/g, ' ');
  const names: string[] = [];
  for (const [token] of outside.matchAll(TOKEN)) {
    if (/^[-+*/%^<>=!]/.test(token)) return undefined;
    if (/^[a-zA-Z_:]/.test(token) && !KEEPING.test(token)) names.push(token);
  }
  const [name] = names;
  return name === undefined || names.length > 1 ? undefined : SUFFIXES.find(([ending]) => ending.test(name))?.[1];
}
