import type { ExpositionFormat } from '@nines/model/exposition.ts';

/** Which exposition format an `Accept` header prefers; text 0.0.4 when it does not say. */
export function negotiateExposition(accept: string | undefined): ExpositionFormat {
  let best: { readonly format: ExpositionFormat; readonly weight: number } = { format: 'text', weight: 0 };
  for (const part of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const format = type === 'application/openmetrics-text' ? 'openmetrics' : type === 'text/plain' ? 'text' : undefined;
    const written = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const weight = written === undefined ? 1 : Number(written);
    if (format !== undefined && weight > best.weight) best = { format, weight };
  }
  return best.format;
}
