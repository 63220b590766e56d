/** What a new widget begins with: the last value of each series as a bar. */
export const EXAMPLE = `nines.draw((root, { series, theme, unit }) => {
  const lasts = series.map(({ name, points }) => [name, points.at(-1)?.[1] ?? 0]);
  const most = Math.max(1e-9, ...lasts.map(([, value]) => value));
  root.replaceChildren(
    ...lasts.map(([name, value], at) => {
      const row = document.createElement('div');
      row.textContent = \`\${name}: \${value.toFixed(2)} \${unit === 'number' ? '' : unit}\`;
      row.style.cssText = \`width: \${(100 * value) / most}%; white-space: nowrap; padding: 4px 0; border-bottom: 4px solid \${theme.series[at % 8]}\`;
      return row;
    }),
  );
});
`;

/** A name that addresses take: `Load bars` becomes `load-bars`. */
export const widgetId = (name: string): string =>
  name
    .toLowerCase()
    .normalize('NFD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63);
