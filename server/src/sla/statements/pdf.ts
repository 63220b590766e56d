import { lengthInWords as duration } from '@nines/base/length-words.ts';
import { truncatedPercent } from '@nines/maths/slo/digits.ts';
import { type Colour, PAGE, PdfPage, type TextStyle, pdfOf, textWidth, wrapped } from '../../platform/pdf.ts';
import type { SignedStatement } from './statement.ts';
import {
  budgetWords,
  bucketRows,
  creditSentence,
  exclusionWords,
  instant,
  percent,
  revisionSentences,
  sentence,
  trendShares,
  words,
} from './words.ts';

/** The statement on paper: A4, black on white, its charts drawn. The JSON form has every interval. */

const MARGIN = 48;
const WIDTH = PAGE.width - 2 * MARGIN;
const BOTTOM = PAGE.height - 64;
const INK: Colour = [0.1, 0.11, 0.14];
const FAINT: Colour = [0.42, 0.45, 0.5];
const LINE: Colour = [0.89, 0.91, 0.93];
const COLOURS: Readonly<Record<string, Colour>> = {
  up: [0.1, 0.62, 0.44],
  met: [0.1, 0.62, 0.44],
  degraded: [0.85, 0.56, 0.02],
  at_risk: [0.85, 0.56, 0.02],
  down: [0.82, 0.2, 0.29],
  breached: [0.82, 0.2, 0.29],
};
const UNKNOWN: Colour = [0.72, 0.75, 0.79];
const BODY: TextStyle = { size: 9.5, colour: INK };
const SMALL: TextStyle = { size: 8, colour: FAINT };
const LEADING = 1.45;
/** Rows of one table; all of them are in the JSON form. */
const MAX_ROWS = 200;

export function statementPdf(statement: SignedStatement, serviceName: string): Uint8Array {
  const sheet = new Sheet();
  const { period, calendar } = statement;
  sheet.line(statement.name, { size: 18, colour: INK, bold: true });
  const when = `${calendar.name === null ? '' : `${calendar.name}, `}${instant(period.from_at_ms)} to ${instant(period.to_at_ms)}`;
  sheet.paragraph(
    `${serviceName} · ${when} · all times UTC${statement.customer === null ? '' : ` · for ${statement.customer.name}`}`,
    SMALL,
  );
  verdict(sheet, statement);
  strip(sheet, statement);
  trend(sheet, statement);
  tables(sheet, statement);
  closing(sheet, statement);
  return pdfOf(sheet.finished(`${statement.name} · ${when} · key ${statement.signature.key_id}`), `${statement.name}: statement`);
}

/** Writes from top to bottom and begins another page where one is full. */
class Sheet {
  readonly #pages: PdfPage[] = [new PdfPage()];
  #y = MARGIN;

  get page(): PdfPage {
    return this.#pages.at(-1) ?? new PdfPage();
  }

  /** Room for something of this height; where it begins. */
  take(height: number): number {
    if (this.#y + height > BOTTOM) {
      this.#pages.push(new PdfPage());
      this.#y = MARGIN;
    }
    this.#y += height;
    return this.#y - height;
  }

  line(text: string, style: TextStyle): void {
    const height = style.size * LEADING;
    this.page.text(text, { x: MARGIN, y: this.take(height) + style.size }, style);
  }

  paragraph(text: string, style: TextStyle = BODY): void {
    for (const line of wrapped(text, style.size, WIDTH)) this.line(line, style);
  }

  heading(text: string): void {
    // Not alone at the foot of a page.
    if (this.#y + 72 > BOTTOM) this.take(BOTTOM);
    this.take(12);
    this.line(text, { size: 12, colour: INK, bold: true });
    this.take(2);
  }

  /** `widths` are shares of the page; columns named in `right` are aligned there. */
  table(
    head: readonly string[],
    rows: readonly (readonly string[])[],
    of: { readonly widths: readonly number[]; readonly right?: readonly number[] },
  ): void {
    this.#row(head, of, SMALL);
    for (const row of rows.slice(0, MAX_ROWS)) this.#row(row, of, BODY);
    if (rows.length > MAX_ROWS) this.paragraph(`${rows.length - MAX_ROWS} more are in the JSON form.`, SMALL);
  }

  #row(cells: readonly string[], of: { readonly widths: readonly number[]; readonly right?: readonly number[] }, style: TextStyle): void {
    const columns = cells.map((cell, i) => wrapped(cell, style.size, (of.widths[i] ?? 0) * WIDTH - 8));
    const leading = style.size * LEADING;
    const y = this.take(Math.max(1, ...columns.map((lines) => lines.length)) * leading + 4);
    let x = MARGIN;
    columns.forEach((lines, i) => {
      const width = (of.widths[i] ?? 0) * WIDTH;
      const isRight = of.right?.includes(i) === true;
      lines.forEach((text, k) => {
        const at = isRight ? x + width - 8 - textWidth(text, style.size) : x;
        this.page.text(text, { x: at, y: y + style.size + k * leading }, style);
      });
      x += width;
    });
    const bottom = y + Math.max(1, ...columns.map((lines) => lines.length)) * leading + 2;
    this.page.rectangle({ x: MARGIN, y: bottom, width: WIDTH, height: 0.5 }, LINE);
  }

  /** The pages with their footers. */
  finished(footer: string): readonly PdfPage[] {
    this.#pages.forEach((page, i) => {
      const number = `${i + 1} / ${this.#pages.length}`;
      page.text(wrapped(footer, 7, WIDTH - 48)[0] ?? '', { x: MARGIN, y: PAGE.height - 32 }, { ...SMALL, size: 7 });
      page.text(number, { x: PAGE.width - MARGIN - textWidth(number, 7), y: PAGE.height - 32 }, { ...SMALL, size: 7 });
    });
    return this.#pages;
  }
}

function verdict(sheet: Sheet, statement: SignedStatement): void {
  const { attained, status } = statement;
  const budget = budgetWords(statement);
  sheet.take(10);
  sheet.line(attained === null ? '–' : `${truncatedPercent(attained, 5)} %`, { size: 30, colour: INK, bold: true });
  const provisional = statement.finality === 'provisional' ? ', provisional' : '';
  sheet.line(`${words(status).toUpperCase()}${provisional} · target ${percent(statement.contract.terms.target)}`, {
    ...BODY,
    bold: true,
    colour: COLOURS[status] ?? FAINT,
  });
  const y = sheet.take(14);
  sheet.page.rectangle({ x: MARGIN, y: y + 4, width: WIDTH, height: 6 }, LINE);
  sheet.page.rectangle({ x: MARGIN, y: y + 4, width: WIDTH * budget.share, height: 6 }, COLOURS[status] ?? UNKNOWN);
  sheet.paragraph(`Budget: ${budget.spent} of ${budget.total}, ${budget.left}`, SMALL);
  sheet.paragraph(sentence(statement));
  for (const line of revisionSentences(statement)) sheet.paragraph(line);
  if (statement.credit !== null) sheet.paragraph(`Credit: ${creditSentence(statement.credit)}`);
}

function strip(sheet: Sheet, { timeline, period }: SignedStatement): void {
  sheet.heading('Time line');
  const y = sheet.take(30);
  const scale = WIDTH / (period.to_at_ms - period.from_at_ms);
  const rank: Readonly<Record<string, number>> = { up: 0, unknown: 1, degraded: 2, down: 3 };
  sheet.page.rectangle({ x: MARGIN, y, width: WIDTH, height: 24 }, LINE);
  // Bad states last and never thinner than a line: an outage of a second in a month must be seen.
  for (const one of [...timeline].sort((a, b) => (rank[a.state] ?? 0) - (rank[b.state] ?? 0))) {
    const width = (one.to_at_ms - one.from_at_ms) * scale;
    const drawn = one.state === 'down' || one.state === 'degraded' ? Math.max(0.6, width) : width;
    sheet.page.rectangle(
      { x: MARGIN + (one.from_at_ms - period.from_at_ms) * scale, y, width: drawn, height: 24 },
      COLOURS[one.state] ?? UNKNOWN,
    );
  }
  sheet.line('green up, amber degraded, red down, grey unknown or still to come', SMALL);
}

/** Spent share of the budget in the periods before and in this one; the line is the whole budget. */
function trend(sheet: Sheet, statement: SignedStatement): void {
  if (statement.trend.length === 0) return;
  sheet.heading('Budget spent, period by period');
  const points = trendShares(statement);
  const [height, width] = [64, WIDTH / points.length];
  const y = sheet.take(height + 14);
  const top = Math.max(1, ...points.map(({ share }) => Math.min(share, 2)));
  points.forEach(({ name, status, share }, i) => {
    const bar = Math.max(0.6, (Math.min(share, top) / top) * height);
    const x = MARGIN + i * width;
    sheet.page.rectangle({ x: x + 4, y: y + height - bar, width: width - 8, height: bar }, COLOURS[status] ?? UNKNOWN);
    sheet.page.text(name, { x: x + 4, y: y + height + 10 }, { ...SMALL, size: 7 });
  });
  sheet.page.rectangle({ x: MARGIN, y: y + height - height / top, width: WIDTH, height: 0.7 }, INK);
}

function tables(sheet: Sheet, statement: SignedStatement): void {
  const { downtimes, exclusions, violations, period } = statement;
  sheet.heading('Where the time went');
  const lengthMs = (statement.known_until_at_ms ?? period.to_at_ms) - period.from_at_ms;
  const rows = bucketRows(statement).map(([name, ms]) => [name, duration(ms), String(ms), percent(ms / lengthMs)]);
  sheet.table(['State', 'Time', 'Milliseconds', 'Share'], rows, { widths: [0.4, 0.25, 0.2, 0.15], right: [1, 2, 3] });
  sheet.heading('Outages');
  if (downtimes.length === 0) sheet.paragraph('The service had no outage in this period.');
  else {
    const outages = downtimes.map((one) => [
      instant(one.from_at_ms),
      one.to_at_ms === null ? 'still down' : duration(one.to_at_ms - one.from_at_ms),
      `${words(one.reason)}${one.note === '' ? '' : `: ${one.note}`}`,
      one.evidence.map(({ check, detail }) => `${check}: ${detail}`).join('; '),
    ]);
    sheet.table(['From', 'Length', 'Reason', 'Evidence'], outages, { widths: [0.24, 0.16, 0.25, 0.35] });
  }
  if (exclusions.length > 0) {
    sheet.heading('Excluded time');
    const excluded = exclusions.map((one) => [instant(one.from_at_ms), duration(one.to_at_ms - one.from_at_ms), ...exclusionWords(one)]);
    sheet.table(['From', 'Length', 'Reason', 'By'], excluded, { widths: [0.24, 0.16, 0.25, 0.35] });
  }
  if (violations.length === 0) return;
  sheet.heading('Violations');
  const opened = violations.map((one) => [
    instant(one.opened_at_ms),
    one.closed_at_ms === null ? 'open' : instant(one.closed_at_ms),
    one.severity,
    one.reason,
  ]);
  sheet.table(['Opened', 'Closed', 'Severity', 'Reason'], opened, { widths: [0.24, 0.24, 0.14, 0.38] });
}

function closing(sheet: Sheet, { recommendations, contract, signature, service }: SignedStatement): void {
  if (recommendations.length > 0) sheet.heading('Recommendations');
  for (const { text } of recommendations) sheet.paragraph(text);
  sheet.heading('Contract and signature');
  sheet.paragraph(
    `Version ${contract.version} of the contract ${contract.terms.id} about ${service}, in force since ${instant(contract.effective_from_at_ms)}.`,
  );
  sheet.paragraph(
    `Figures are truncated, never rounded up. The JSON form of this statement holds every interval with its evidence. It is signed (Ed25519) by the key ${signature.key_id}; check it with: nines sla verify FILE --url SERVER`,
    SMALL,
  );
  sheet.paragraph(`Signature: ${signature.value}`, SMALL);
}
