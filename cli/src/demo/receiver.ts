import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the demo reads of a notification (Alertmanager's webhook, version 4). */
export type Notification = {
  readonly status: string;
  readonly alerts: readonly {
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly startsAt: string;
  }[];
};

export type Receiver = AsyncDisposable & { readonly url: string };

/** Notifications shown on the page; the newest first. */
const SHOWN = 50;
/** A notification of the demo is some kilobytes. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Stands in for the pager: takes notifications at `POST /alerts` and shows them at `/`. */
export async function startReceiver(onNotification: (notification: Notification) => void): Promise<Receiver> {
  const received: Notification[] = [];
  const server = createServer((request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      });
      response.end(page(received));
      return;
    }
    readBody(request)
      .then((body) => {
        const notification = JSON.parse(body) as Notification;
        received.unshift(notification);
        received.length = Math.min(received.length, SHOWN);
        onNotification(notification);
        response.writeHead(200).end();
      })
      .catch(() => response.writeHead(400).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > MAX_BODY_BYTES) throw new Error('larger than any notification');
  }
  return body;
}

function page(received: readonly Notification[]): string {
  const rows = received.flatMap((notification) =>
    notification.alerts.map((alert) => {
      const { alertname = '', service = '', severity = '' } = alert.labels;
      const text = alert.annotations['summary'] ?? alert.annotations['description'] ?? '';
      const cells = [alert.status, alertname, severity, service, text, alert.startsAt];
      return `<tr class="${alert.status === 'firing' ? 'firing' : 'resolved'}">${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
    }),
  );
  const body =
    rows.length === 0
      ? '<p>Nothing yet. The first alert comes within half a minute of the start.</p>'
      : `<table><thead><tr><th>Status</th><th>Alert</th><th>Severity</th><th>Service</th><th>What</th><th>Since</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2"><meta name="viewport" content="width=device-width"><title>Pager</title><style>
:root{color-scheme:light dark}body{font:15px/24px system-ui,sans-serif;margin:48px auto;max-width:1000px;padding:0 24px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid #8884;vertical-align:top}
.firing td:first-child{color:#d1344b;font-weight:650}.resolved td:first-child{color:#1a9e6f}
</style></head><body><h1>Pager</h1><p>What a webhook channel received, newest first.</p>${body}</body></html>`;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
