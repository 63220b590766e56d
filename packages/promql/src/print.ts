import { formatDuration } from '@nines/base/duration.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { METRIC_NAME } from '@nines/model/labels.ts';
import type { Aggregate, At, Binary, Expr, Extended, Length, Matching, Subquery, VectorSelector } from './ast.ts';
import { quote } from './strings.ts';
import { formatPlain } from './value.ts';

/** From the tree back to text that parses to the same tree. */

/** On one line. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return expr.duration && Number.isInteger(expr.value * 1000) ? formatDuration(expr.value * 1000) : formatPlain(expr.value);
    case 'string':
      return quote(expr.value);
    case 'paren':
      return `(${printExpr(expr.expr)})`;
    case 'unary':
      return expr.op + printExpr(expr.expr);
    case 'binary':
      return `${printExpr(expr.left)} ${operator(expr)} ${printExpr(expr.right)}`;
    case 'aggregate':
      return `${aggregateHead(expr)}(${argumentsOf(expr).map(printExpr).join(', ')})`;
    case 'call':
      return `${expr.func}(${expr.args.map(printExpr).join(', ')})`;
    case 'selector':
      return printSelector(expr) + printModifiers(expr);
    case 'matrix':
      return `${printSelector(expr.selector)}[${printLength(expr.range)}]${printModifiers(expr.selector)}`;
    case 'subquery':
      return printExpr(expr.expr) + subqueryTail(expr);
  }
}

/** Longest line that `formatExpr` leaves alone. */
const MAX_LINE = 100;

/** Over several lines wherever one would be longer than 100 characters, indented by two spaces, as `/api/v1/format_query` shows it. */
export function formatExpr(expr: Expr, level = 0): string {
  const indent = '  '.repeat(level);
  const line = printExpr(expr);
  if (line.length <= MAX_LINE) return indent + line;
  switch (expr.kind) {
    case 'paren':
      return `${indent}(\n${formatExpr(expr.expr, level + 1)}\n${indent})`;
    case 'unary':
      return `${indent}${expr.op}${formatExpr(expr.expr, level).trimStart()}`;
    case 'binary':
      return `${formatExpr(expr.left, level + 1)}\n${indent}${operator(expr)}\n${formatExpr(expr.right, level + 1)}`;
    case 'aggregate':
      return `${indent}${aggregateHead(expr)}(\n${formatList(argumentsOf(expr), level + 1)}\n${indent})`;
    case 'call':
      return `${indent}${expr.func}(\n${formatList(expr.args, level + 1)}\n${indent})`;
    case 'subquery':
      return formatExpr(expr.expr, level) + subqueryTail(expr);
    default:
      return indent + line;
  }
}

const formatList = (list: readonly Expr[], level: number): string => list.map((each) => formatExpr(each, level)).join(',\n');

const argumentsOf = ({ param, expr }: Aggregate): readonly Expr[] => (param === undefined ? [expr] : [param, expr]);

function aggregateHead({ op, grouping, without }: Aggregate): string {
  if (!without && grouping.length === 0) return op;
  return `${op} ${without ? 'without' : 'by'} (${labelList(grouping)}) `;
}

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelText = (name: string): string => (LABEL_NAME.test(name) ? name : quote(name));
const labelList = (names: readonly string[]): string => names.map(labelText).join(', ');

function operator({ op, bool, matching }: Binary): string {
  return op + (bool ? ' bool' : '') + (matching === undefined ? '' : printMatching(matching));
}

function printMatching({ cardinality, on, labels, include, fillLeft, fillRight }: Matching): string {
  let text = '';
  const grouped = cardinality === 'many_to_one' || cardinality === 'one_to_many';
  if (on || labels.length > 0 || grouped) text += ` ${on ? 'on' : 'ignoring'} (${labelList(labels)})`;
  if (grouped) text += ` ${cardinality === 'many_to_one' ? 'group_left' : 'group_right'} (${labelList(include)})`;
  if (fillLeft !== undefined && Object.is(fillLeft, fillRight)) return `${text} fill (${formatPlain(fillLeft)})`;
  if (fillLeft !== undefined) text += ` fill_left (${formatPlain(fillLeft)})`;
  if (fillRight !== undefined) text += ` fill_right (${formatPlain(fillRight)})`;
  return text;
}

function printSelector({ name, matchers }: VectorSelector): string {
  const bare = name !== undefined && METRIC.test(name);
  const rest =
    name === undefined ? matchers : matchers.filter((each) => !(each.name === METRIC_NAME && each.op === '=' && each.value === name));
  const texts = [...(name === undefined || bare ? [] : [quote(name)]), ...rest.map(printMatcher)];
  if (texts.length === 0) return name ?? '{}';
  return `${bare ? name : ''}{${texts.join(',')}}`;
}

const printMatcher = ({ name, op, value }: Matcher): string => `${labelText(name)}${op}${quote(value)}`;

function subqueryTail(expr: Subquery): string {
  return `[${printLength(expr.range)}:${expr.step === undefined ? '' : printLength(expr.step)}]${printModifiers(expr)}`;
}

function printModifiers({ at, offset, extended }: { readonly at?: At; readonly offset?: Length; readonly extended?: Extended }): string {
  let text = '';
  if (at !== undefined) text += at.kind === 'instant' ? ` @ ${(at.atMs / 1000).toFixed(3)}` : ` @ ${at.kind}()`;
  if (offset !== undefined) text += ` offset ${printOperand(offset)}`;
  if (extended !== undefined) text += ` ${extended}`;
  return text;
}

function printLength(length: Length): string {
  switch (length.kind) {
    case 'fixed':
      return Number.isInteger(length.seconds * 1000) ? formatDuration(length.seconds * 1000) : formatPlain(length.seconds);
    case 'step':
    case 'range':
      return `${length.kind}()`;
    case 'negated':
      return `-${printOperand(length.operand)}`;
    case 'arithmetic':
      if (length.op === 'min_of' || length.op === 'max_of')
        return `${length.op}(${printLength(length.left)}, ${printLength(length.right)})`;
      return `${printTerm(length.left)} ${length.op} ${printTerm(length.right)}`;
  }
}

/** A side of arithmetic: a sign would otherwise apply to the whole of `-1 ^ 2`. */
const printTerm = (length: Length): string => (length.kind === 'negated' ? `(${printLength(length)})` : printOperand(length));

/** In parentheses when it is arithmetic, since the tree keeps none of its own. */
function printOperand(length: Length): string {
  const text = printLength(length);
  return length.kind === 'arithmetic' && length.op !== 'min_of' && length.op !== 'max_of' ? `(${text})` : text;
}
