/** One figure of the host: a metric name, label names and values in turn, and the value. Names are node_exporter's. */
export type HostSample = { readonly name: string; readonly labels: readonly string[]; readonly value: number };

export const sample = (name: string, value: number, ...labels: readonly string[]): HostSample => ({ name, labels, value });

/** The words of a line, separated by blanks of any length. */
export const wordsOf = (line: string): readonly string[] => line.trim().split(/\s+/);

/** A number, or undefined for what is not one; files of the kernel hold both. */
export function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
