/** Go's `time.Time` and `time.Duration` as templates see them: in UTC, to the millisecond. Source: pkg.go.dev/time. */

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
/** The parts of the reference time `Mon Jan 2 15:04:05.000 MST 2006`, longer ones first. */
const LAYOUT = /January|Jan|Monday|Mon|MST|2006|Z07:00|-07:00|-0700|01|02|03|04|05|06|15|PM|pm|_2|[.,][09]{1,9}(?!\d)|[12345]/g;

/** An instant, with what a template may ask of it as fields and methods. */
export class GoTime {
  readonly #at: Date;

  constructor(seconds: number) {
    this.#at = new Date(seconds * 1000);
    if (Number.isNaN(this.#at.getTime())) throw new Error(`not an instant: ${seconds}`);
  }

  toString(): string {
    return this.#at
      .toISOString()
      .replace('T', ' ')
      .replace(/\.?0*Z$/, ' +0000 UTC');
  }

  /** A method without arguments, or `Format`; undefined when there is none of that name. */
  method(name: string, argument?: string): string | number | GoTime | undefined {
    const at = this.#at;
    switch (name) {
      case 'Format':
        return argument === undefined ? undefined : this.#format(argument);
      // As texts: whole numbers of this size would be printed with an exponent, as floats are.
      case 'Unix':
        return String(Math.floor(at.getTime() / 1000));
      case 'UnixMilli':
        return String(at.getTime());
      case 'Year':
        return at.getUTCFullYear();
      case 'Month':
        return MONTHS[at.getUTCMonth()];
      case 'Day':
        return at.getUTCDate();
      case 'Hour':
        return at.getUTCHours();
      case 'Minute':
        return at.getUTCMinutes();
      case 'Second':
        return at.getUTCSeconds();
      case 'Weekday':
        return DAYS[at.getUTCDay()];
      case 'YearDay':
        return Math.floor((at.getTime() - Date.UTC(at.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
      case 'UTC':
        return this;
      case 'String':
        return this.toString();
    }
    return undefined;
  }

  #format(layout: string): string {
    const at = this.#at;
    const two = (value: number): string => String(value).padStart(2, '0');
    const hour12 = at.getUTCHours() % 12 || 12;
    const month = MONTHS[at.getUTCMonth()] ?? '';
    const day = DAYS[at.getUTCDay()] ?? '';
    const parts: Readonly<Record<string, string | number>> = {
      January: month,
      Jan: month.slice(0, 3),
      Monday: day,
      Mon: day.slice(0, 3),
      MST: 'UTC',
      2006: at.getUTCFullYear(),
      '06': two(at.getUTCFullYear() % 100),
      'Z07:00': 'Z',
      '-07:00': '+00:00',
      '-0700': '+0000',
      '01': two(at.getUTCMonth() + 1),
      1: at.getUTCMonth() + 1,
      '02': two(at.getUTCDate()),
      2: at.getUTCDate(),
      _2: String(at.getUTCDate()).padStart(2),
      15: two(at.getUTCHours()),
      '03': two(hour12),
      3: hour12,
      '04': two(at.getUTCMinutes()),
      4: at.getUTCMinutes(),
      '05': two(at.getUTCSeconds()),
      5: at.getUTCSeconds(),
      PM: at.getUTCHours() < 12 ? 'AM' : 'PM',
      pm: at.getUTCHours() < 12 ? 'am' : 'pm',
    };
    return layout.replace(LAYOUT, (part) => String(parts[part] ?? this.#fraction(part)));
  }

  /** `.000` keeps its length, `.999` loses zeros at the end. */
  #fraction(part: string): string {
    const digits = String(this.#at.getUTCMilliseconds())
      .padStart(3, '0')
      .padEnd(9, '0')
      .slice(0, part.length - 1);
    const kept = part[1] === '9' ? digits.replace(/0+$/, '') : digits;
    return kept === '' ? '' : `${part[0]}${kept}`;
  }
}

/** As Go prints a duration: `1h2m3.5s`, `500ms`, `0s`. */
export function goDuration(seconds: number): string {
  const nanos = Math.round(Math.abs(seconds) * 1e9);
  if (nanos === 0) return '0s';
  const sign = seconds < 0 ? '-' : '';
  if (nanos < 1e3) return `${sign}${nanos}ns`;
  if (nanos < 1e6) return `${sign}${nanos / 1e3}µs`;
  if (nanos < 1e9) return `${sign}${nanos / 1e6}ms`;
  const whole = Math.floor(nanos / 1e9);
  const rest = Number(((nanos % 60e9) / 1e9).toFixed(9));
  if (whole < 60) return `${sign}${rest}s`;
  const minutes = Math.floor(whole / 60);
  return whole < 3600 ? `${sign}${minutes}m${rest}s` : `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${rest}s`;
}
