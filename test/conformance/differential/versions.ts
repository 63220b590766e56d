/**
 * Where Prometheus 2.42, which Debian has, is known to answer otherwise than Prometheus 3. A difference is let pass only when the
 * simplest expression that still shows it and the difference itself look like one of these.
 */
type Known = { readonly reason: string; readonly query: RegExp; readonly difference: RegExp };

const CALENDAR = 'minute|hour|day_of_week|day_of_month|day_of_year|days_in_month|month|year';

export const KNOWN: readonly Known[] = [
  {
    reason: 'atan2 dropped the name of the metric only since 2.46 (prometheus/prometheus#12595)',
    query: /atan2/,
    difference: /"__name__"|is only in/,
  },
  {
    reason: 'stddev and stdvar of one infinity or NaN are NaN since 3.0 (prometheus/prometheus#14941)',
    query: /^(stddev|stdvar)\b/,
    difference: /: NaN at \S+ against 0 at/,
  },
  {
    reason: 'a counter is extrapolated to its zero within half an interval only since 2.51 (prometheus/prometheus#13725)',
    query: /^(rate|increase)\((?!requests_total|bytes_total|latency_bucket)/,
    difference: /: [-\d.e+]+ at \S+ against [-\d.e+]+ at/,
  },
  {
    reason: 'predict_linear lost the samples that @ pins step by step before 2.51 (prometheus/prometheus#13559)',
    query: /^predict_linear\(.* @ /,
    difference: /: 25 points against \d+/,
  },
  {
    reason: '2.42 spoils the labels that count_values groups by from the second step of a range query on',
    query: /^count_values.* by /,
    difference: /is only in|points against/,
  },
  {
    reason: 'matches that a comparison filters away are too many matches since 3.9 (prometheus/prometheus#17668)',
    query: / (==|!=|<|<=|>|>=) (on|ignoring) /,
    difference: /^error execution \(multiple matches for labels.* against success/,
  },
  {
    reason: 'any text in UTF-8 may be the name of a label since 3.0 (prometheus/prometheus#13480)',
    query: /^label_(replace|join)\(/,
    difference: /^success .* against error execution \(invalid destination label name/,
  },
  {
    reason: 'Go leaves open what integer an infinite, huge or missing number becomes; no date is NaN here',
    query: new RegExp(`^(${CALENDAR})\\(`),
    difference: /: NaN at \S+ against [-\d]+ at/,
  },
  {
    reason: '2.42 fails on a string in parentheses',
    query: /^\(+"text"\)+$/,
    difference: /against error execution \(unexpected result in StepInvariantExpr/,
  },
  {
    reason: 'no version: a step of the function lies where the last bit of its operand falls',
    query: /^(round|floor|ceil|sgn|count_values[^(]*)\(.*(stddev|stdvar|avg|deriv|rate|increase|quantile|predict_linear|[-+*/])/,
    difference: /: [-\d.e+]+ at \S+ against [-\d.e+]+ at|is only in/,
  },
];

/** Why these may differ, or undefined when they may not. */
export const reasonFor = (query: string, difference: string): string | undefined =>
  KNOWN.find((known) => known.query.test(query) && known.difference.test(difference))?.reason;
