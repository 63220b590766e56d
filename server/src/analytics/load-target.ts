import { AppError } from '@nines/base/errors.ts';
import type { CheckSpec, SpecOf } from '../checks/contract.ts';
import type { Trust } from '../platform/fetch/judge.ts';
import { LOAD_TEST_CODES } from './contract.ts';

/** What a load test asks again and again. */
export type LoadTarget = {
  readonly check: string;
  readonly service: string;
  readonly url: string;
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly trust: Trust;
  isGood(status: number): boolean;
};

/** The request of a check; throws `AppError` for checks that may do more than read, or go a way of their own. */
export function loadTarget(spec: CheckSpec): LoadTarget {
  if (spec.kind !== 'http') throw notTested(spec, `it is of kind ${spec.kind}, and only http is load-tested`);
  const { method } = spec;
  if (method !== 'GET' && method !== 'HEAD') throw notTested(spec, `it sends ${method}: only GET and HEAD are repeated`);
  if (spec.body !== undefined) throw notTested(spec, 'it sends a body');
  if (spec.proxy !== undefined) throw notTested(spec, 'it goes through a proxy, which would be measured too');
  const { verify, ...others } = spec.tls;
  if (!verify || Object.values(others).some((one) => one !== undefined)) throw notTested(spec, 'it has settings of TLS of its own');
  const expected = spec.expect.status ?? ['2xx', '3xx'];
  return {
    check: spec.check,
    service: spec.service,
    url: spec.url,
    method,
    headers: headersOf(spec),
    timeoutMs: spec.timeoutMs,
    trust: spec.trust,
    isGood: (status) => expected.some((one) => (typeof one === 'number' ? one === status : one.charAt(0) === String(status).charAt(0))),
  };
}

function headersOf({ headers, auth }: SpecOf<'http'>): Record<string, string> {
  const said = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.reveal()]));
  const basic = auth?.basic;
  if (basic !== undefined)
    said['authorization'] = `Basic ${Buffer.from(`${basic.username}:${basic.password.reveal()}`).toString('base64')}`;
  if (auth?.bearer !== undefined) said['authorization'] = `Bearer ${auth.bearer.reveal()}`;
  return { 'user-agent': 'Nines (load test)', accept: '*/*', ...said };
}

const notTested = ({ check }: CheckSpec, reason: string): AppError =>
  new AppError('bad_input', LOAD_TEST_CODES.unfit, `the check ${check} cannot be load-tested: ${reason}`, { field: 'check' });
