/**
 * A number as OpenMetrics has it in `le` and `quantile`: the shortest that reads back, always with a point or an exponent.
 * An exponent stands where Go's `%g` has one. Source: prometheus model/textparse, formatOpenMetricsFloat.
 */
export function openMetricsNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return '0.0';
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 6) return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  const plain = String(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}
