/** The labels that are not the same on all series, by name. */
export function differingLabels(all: readonly Readonly<Record<string, string>>[]): readonly string[] {
  const names = new Set(all.flatMap((labels) => Object.keys(labels)));
  return [...names].filter((name) => new Set(all.map((labels) => labels[name])).size > 1).sort();
}
