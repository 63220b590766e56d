import { createHash } from 'node:crypto';
import { lengthInWords as duration } from '@nines/base/length-words.ts';
import { provenDigits } from '@nines/maths/slo/digits.ts';
import { countingRows, promiseInWords, recoveryFigures } from '@nines/maths/slo/promise-words.ts';
import { type Html, html, trusted } from '../../platform/html.ts';
import type { WindowSpec } from '../spec.ts';
import { bucketRows, inDrawingOrder } from './rows.ts';
import type { SignedStatement, Statement } from './statement.ts';
import { STATEMENT_STYLE } from './style.ts';
import {
  attainedWords,
  budgetWords,
  creditSentence,
  exclusionWords,
  grouped,
  instant,
  percent,
  promiseWords,
  revisionSentences,
  sentence,
  trendShares,
  words,
} from './words.ts';

/** What a browser may do with a page of these styles: show it. They are named by their hashes, so no other can be added. */
export function statementCsp(styles: readonly string[], withImages = false): string {
  const hashes = styles.map((style) => `'sha256-${createHash('sha256').update(style).digest('base64')}'`).join(' ');
  const images = withImages ? ' img-src data:;' : '';
  return `default-src 'none'; style-src ${hashes};${images} base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}
export const STATEMENT_CSP = statementCsp([STATEMENT_STYLE]);

const STATUS_WORDS: Readonly<Record<string, string>> = { met: '● Met', at_risk: '▲ At risk', breached: '■ Breached', unknown: '◇ Unknown' };
const STATE_MARKS: Readonly<Record<string, string>> = { up: '●', degraded: '▲', down: '■', unknown: '◇' };
/** Width of the strip in its own units; finer than a printed page can show. */
const STRIP_UNITS = 2_000;
/** About two pixels of a page: thinner lines pale beside what is around them. */
const LEAST_UNITS = 5;
const BAR_UNITS = 1_000;
/** Rows of one table in the printed form; all of them are in the JSON form. */
const MAX_ROWS = 500;

/** The statement as one self-contained page: no script, no request, readable on paper. `serviceName` is for people; the statement has the id. */
export function statementHtml(statement: SignedStatement, serviceName: string): string {
  const { period } = statement;
  const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${statement.name}: statement</title><style>${trusted(STATEMENT_STYLE)}</style></head>
<body>
<header><div><h1>${statement.name}</h1><p class="sub">${serviceName} · ${instant(period.from_at_ms)} to ${instant(period.to_at_ms)} · all times UTC${statement.customer === null ? '' : ` · for ${statement.customer.name}`}</p></div>
<p class="status ${statement.status}">${STATUS_WORDS[statement.status] ?? statement.status}</p></header>
${figure(statement)}
<p>${sentence(statement)}</p>
${revisionSentences(statement).map((text) => html`<p>${text}</p>`)}
${statement.credit === null ? null : html`<p>Credit: ${creditSentence(statement.credit)}</p>`}
${advice(statement)}
<h2>Time line</h2>
${strip(statement)}
<h2>Where the time went</h2>
${bucketTable(statement)}
${trendChart(statement)}
${downtimeTable(statement)}
${exclusionTable(statement)}
${violationTable(statement)}
${badTable(statement)}
<h2>Contract, version ${statement.contract.version}</h2>
${termsTable(statement)}
<footer>Digits in grey lie within the doubt of the evidence; figures are truncated, never rounded up. The JSON form of this statement holds every interval with its evidence.
It is signed (Ed25519) by the key <code>${statement.signature.key_id}</code>: <code>${statement.signature.value}</code></footer>
</body></html>`;
  return page.markup;
}

function figure(statement: Statement): Html {
  const target = promiseWords(statement.contract.terms);
  const bar = budgetBar(statement);
  if (statement.attained === null || recoveryFigures(statement) !== undefined)
    return html`<p class="figure">${attainedWords(statement)}<small>${target}</small></p>${bar}`;
  const { proven, doubtful } = provenDigits(statement.attained, statement.attained_bounds ?? [statement.attained, statement.attained]);
  return html`<p class="figure">${proven}<span class="doubt">${doubtful}</span> %<small>${target}</small></p>${bar}`;
}

function budgetBar(sla: Statement): Html {
  const { spent, total, left, share } = budgetWords(sla);
  return html`<svg class="bar" viewBox="0 0 ${BAR_UNITS} 8" preserveAspectRatio="none" role="img" aria-label="Budget: ${spent} of ${total}">
<rect class="track" width="${BAR_UNITS}" height="8" rx="4"/><rect class="fill-${sla.status}" width="${Math.round(share * BAR_UNITS)}" height="8" rx="4"/></svg>
<p class="ends"><span>${spent}</span><span>${left} of ${total}</span></p>`;
}

function strip({ timeline, period }: Statement): Html {
  const length = period.to_at_ms - period.from_at_ms;
  const cells = inDrawingOrder(timeline).map((interval) => {
    const x = ((interval.from_at_ms - period.from_at_ms) / length) * STRIP_UNITS;
    const width = ((interval.to_at_ms - interval.from_at_ms) / length) * STRIP_UNITS;
    // An outage of a second in a month must still be seen.
    const drawn = interval.state === 'down' || interval.state === 'degraded' ? Math.max(width, LEAST_UNITS) : width;
    return html`<rect class="s-${interval.state}" x="${x.toFixed(2)}" width="${drawn.toFixed(2)}" height="32"/>`;
  });
  return html`<svg class="strip" viewBox="0 0 ${STRIP_UNITS} 32" preserveAspectRatio="none" role="img" aria-label="States over the period">
<defs><pattern id="unknown" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="8" height="8"/><line class="hatch" x1="0" y1="0" x2="0" y2="8"/></pattern></defs>${cells}</svg>
<p class="ends"><span>${instant(period.from_at_ms)}</span><span>${STATE_MARKS['up'] ?? ''} up ▲ degraded ■ down ◇ unknown</span><span>${instant(period.to_at_ms)}</span></p>`;
}

function bucketTable(statement: Statement): Html {
  const { period, known_until_at_ms: until } = statement;
  const length = (until ?? period.to_at_ms) - period.from_at_ms;
  const shown = bucketRows(statement);
  return html`<table><thead><tr><th>State</th><th class="n">Time</th><th class="n">Milliseconds</th><th class="n">Share</th></tr></thead><tbody>
${shown.map(([name, value]) => html`<tr><td>${name}</td><td class="n">${duration(value)}</td><td class="n">${grouped(value)}</td><td class="n">${percent(value / length)}</td></tr>`)}
</tbody><tfoot><tr><td>Period</td><td class="n">${duration(length)}</td><td class="n">${grouped(length)}</td><td class="n">100 %</td></tr></tfoot></table>`;
}

function downtimeTable({ downtimes }: Statement): Html {
  if (downtimes.length === 0) return html`<h2>Outages</h2><p class="note">The service had no outage in this period.</p>`;
  const rows = downtimes.slice(0, MAX_ROWS).map((downtime) => {
    const end = downtime.to_at_ms === null ? 'still down' : instant(downtime.to_at_ms);
    const length = downtime.to_at_ms === null ? '' : duration(downtime.to_at_ms - downtime.from_at_ms);
    // How far the longest and the shortest outage that fit the evidence lie apart.
    const doubt = bounds(downtime.from_bounds_at_ms) + (downtime.to_bounds_at_ms === null ? 0 : bounds(downtime.to_bounds_at_ms));
    const seen = downtime.evidence.map(({ check, detail }) => html`<code>${check}</code> ${detail}<br>`);
    const place = lookAt(downtime.service, downtime.from_at_ms, downtime.to_at_ms ?? downtime.from_at_ms);
    return html`<tr><td class="t"><a href="${place}">${instant(downtime.from_at_ms)}</a></td><td class="t">${end}</td><td class="n">${length}</td><td class="n">${duration(doubt)}</td><td>${words(downtime.reason)}${downtime.excluded ? ', excluded' : ''}</td><td>${seen}</td></tr>`;
  });
  return html`<h2>Outages</h2><table><thead><tr><th>From</th><th>To</th><th class="n">Length</th><th class="n">Doubt</th><th>Reason</th><th>Evidence</th></tr></thead><tbody>${rows}</tbody></table>${cut(downtimes.length)}`;
}

/** Links lead to the service's time line around the stretch, where each interval opens its evidence. */
const lookAt = (service: string, fromMs: number, toMs: number): string => {
  const margin = Math.max(60_000, toMs - fromMs);
  return `/services/${encodeURIComponent(service)}?from=${fromMs - margin}&to=${toMs + margin}`;
};

function exclusionTable({ exclusions }: Statement): Html | null {
  if (exclusions.length === 0) return null;
  const rows = exclusions.slice(0, MAX_ROWS).map((one) => {
    const [reason, who] = exclusionWords(one);
    return html`<tr><td class="t">${instant(one.from_at_ms)}</td><td class="t">${instant(one.to_at_ms)}</td><td class="n">${duration(one.to_at_ms - one.from_at_ms)}</td><td>${reason}</td><td>${who}</td></tr>`;
  });
  return html`<h2>Excluded time</h2><table><thead><tr><th>From</th><th>To</th><th class="n">Length</th><th>Reason</th><th>By</th></tr></thead><tbody>${rows}</tbody></table>${cut(exclusions.length)}`;
}

const advice = ({ recommendations }: Statement): Html | null =>
  recommendations.length === 0 ? null : html`<h2>Recommendations</h2><ul>${recommendations.map(({ text }) => html`<li>${text}</li>`)}</ul>`;

const CHART_HEIGHT = 96;
/** Spent share of the budget in the periods before and in this one; the line is the whole budget, the scale ends at twice that. */
function trendChart(statement: Statement): Html | null {
  if (statement.trend.length === 0) return null;
  const points = trendShares(statement);
  const width = STRIP_UNITS / points.length;
  const bars = points.map(({ name, status, share }, i) => {
    const bar = Math.max(1, (Math.min(2, share) / 2) * CHART_HEIGHT);
    return html`<rect class="fill-${status}" x="${(i * width + 8).toFixed(1)}" y="${(CHART_HEIGHT - bar).toFixed(1)}" width="${(width - 16).toFixed(1)}" height="${bar.toFixed(1)}"><title>${name}: ${percent(share)} of the budget</title></rect>`;
  });
  return html`<h2>Budget spent, period by period</h2><svg class="trend" viewBox="0 0 ${STRIP_UNITS} ${CHART_HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Budget spent in ${points.length} periods; the line is the whole budget">${bars}<rect class="whole" y="${CHART_HEIGHT / 2}" width="${STRIP_UNITS}" height="1"/></svg>
<p class="ends">${points.map(({ name }) => html`<span>${name}</span>`)}</p>`;
}

function violationTable({ violations }: Statement): Html {
  if (violations.length === 0) return html`<h2>Violations</h2><p class="note">None.</p>`;
  const rows = violations
    .slice(0, MAX_ROWS)
    .map(
      (violation) =>
        html`<tr><td class="t">${instant(violation.opened_at_ms)}</td><td class="t">${violation.closed_at_ms === null ? 'open' : instant(violation.closed_at_ms)}</td><td>${violation.severity}</td><td>${violation.kind === 'budget' ? 'Budget' : 'Burn rate'}</td><td>${violation.reason}</td></tr>`,
    );
  return html`<h2>Violations</h2><table><thead><tr><th>Opened</th><th>Closed</th><th>Severity</th><th>Of</th><th>Reason</th></tr></thead><tbody>${rows}</tbody></table>${cut(violations.length)}`;
}

/** For threshold objectives: the bad stretches, which are not the service's outages. */
function badTable({ timeline, contract }: Statement): Html | null {
  if (contract.terms.indicator.kind === 'availability') return null;
  const bad = timeline.filter((interval) => interval.state === 'down');
  if (bad.length === 0) return null;
  const rows = bad
    .slice(0, MAX_ROWS)
    .map(
      (interval) =>
        html`<tr><td>${instant(interval.from_at_ms)}</td><td>${instant(interval.to_at_ms)}</td><td class="n">${duration(interval.to_at_ms - interval.from_at_ms)}</td></tr>`,
    );
  return html`<h2>Stretches beyond the objective</h2><table><thead><tr><th>From</th><th>To</th><th class="n">Length</th></tr></thead><tbody>${rows}</tbody></table>${cut(bad.length)}`;
}

function windowWords(window: WindowSpec): string {
  if ('rolling_ms' in window) return `rolling, ${duration(window.rolling_ms)}`;
  const { calendar, every, zone, anchor } = window;
  return `every ${every === 1 ? '' : `${every} `}${calendar}${every === 1 ? '' : 's'} of the calendar of ${zone}, counted from ${anchor.replace('T', ' ')}`;
}

function termsTable({ contract, contract_changes: changes }: Statement): Html {
  const { terms } = contract;
  const rows: readonly (readonly [string, Html | string])[] = [
    ['Service', terms.service],
    ['Promised', promiseInWords(terms)],
    ['Window', windowWords(terms.window)],
    ...countingRows(terms).map(({ name, value, code }) => [name, code ? html`<code>${value}</code>` : value] as const),
    ['In force since', instant(contract.effective_from_at_ms)],
    ...(changes.length === 0
      ? []
      : ([
          [
            'Changed within the period',
            changes.map((change) => `version ${change.version} at ${instant(change.effective_from_at_ms)}`).join('; '),
          ],
        ] as const)),
  ];
  return html`<table><tbody>${rows.map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`)}</tbody></table>`;
}

const cut = (count: number): Html | null =>
  count > MAX_ROWS ? html`<p class="note">${count - MAX_ROWS} more are in the JSON form.</p>` : null;
const bounds = ([low, high]: readonly [number, number]): number => high - low;
