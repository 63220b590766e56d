import { messageOf } from '@nines/base/errors.ts';
import type { HttpClient } from '../platform/fetch/client.ts';
import type { PostableAlert } from './evaluate.ts';

/** Alerts that wait for one Alertmanager; the oldest make room. Source: prometheus --alertmanager.notification-queue-capacity. */
export const MAX_QUEUED_ALERTS = 10_000;
/** Alerts of one request. Source: prometheus notifier, maxBatchSize. */
export const MAX_BATCH_ALERTS = 64;
/** An answer says "ok" or why not. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Characters of a refusing answer that stand in the error. */
const MAX_ANSWER_CHARS = 300;

export type Sender = AsyncDisposable & {
  readonly url: string;
  /** Puts alerts into the queue; returns at once. */
  send(alerts: readonly PostableAlert[]): void;
  /** Why the last attempt failed; '' when it did not. */
  lastError(): string;
  queued(): number;
};
export type SenderDeps = {
  readonly url: string;
  readonly client: HttpClient;
  readonly timeoutMs: number;
  readonly onSent: (count: number) => void;
  readonly onDropped: (count: number) => void;
  /** Told of a failed request whose reason is another than that of the one before. */
  readonly onFailure: (url: string, reason: string) => void;
};

/**
 * One Alertmanager and its queue: a slow one delays no other. A batch that fails is dropped, as Prometheus does: what still
 * fires comes again within a minute, what ended comes again for a quarter of an hour.
 */
export function createSender({ url, client, timeoutMs, ...told }: SenderDeps): Sender {
  const queue: PostableAlert[] = [];
  const stopping = new AbortController();
  let lastError = '';
  let sending: Promise<void> | undefined;
  const post = async (batch: readonly PostableAlert[]): Promise<string> => {
    try {
      const headers = { 'content-type': 'application/json', 'user-agent': 'Nines' };
      const request = { headers, timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal: stopping.signal };
      const { status, body } = await client.post(url, { ...request, body: JSON.stringify(batch) });
      if (status >= 200 && status < 300) return '';
      const said = body.toString('utf8').trim().slice(0, MAX_ANSWER_CHARS);
      return `HTTP ${status}${said === '' ? '' : `: ${said}`}`;
    } catch (thrown) {
      return messageOf(thrown);
    }
  };
  const drain = async (): Promise<void> => {
    while (queue.length > 0 && !stopping.signal.aborted) {
      const batch = queue.splice(0, MAX_BATCH_ALERTS);
      const fault = await post(batch);
      if (stopping.signal.aborted) return;
      if (fault === '') told.onSent(batch.length);
      else told.onDropped(batch.length);
      if (fault !== '' && fault !== lastError) told.onFailure(url, fault);
      lastError = fault;
    }
  };
  const begin = (): void => {
    sending ??= drain().finally(() => {
      sending = undefined;
      // Something may have come between the last look at the queue and now.
      if (queue.length > 0) begin();
    });
  };
  return {
    url,
    lastError: () => lastError,
    queued: () => queue.length,
    send(alerts) {
      queue.push(...alerts);
      const over = queue.length - MAX_QUEUED_ALERTS;
      if (over > 0) told.onDropped(queue.splice(0, over).length);
      begin();
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the Alertmanager is sent to no more'));
      queue.length = 0;
      await sending;
    },
  };
}
