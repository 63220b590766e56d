/**
 * What the frame may do, and nothing else: run the one script, style itself, show pictures that it draws. It has no origin of its own
 * (`sandbox` without `allow-same-origin`), also when somebody opens its address by itself.
 */
export const framePolicy = (nonce: string): string =>
  [
    'sandbox allow-scripts',
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join('; ');

/**
 * The widget's side of the contract: takes data from the page, draws with what the script gave, tells what went wrong. With `takes`, the
 * nonce of scripts, the page hands the script over, once: one that is being written is not registered yet.
 */
const bridge = (takes: string | undefined): string => `(() => {
  'use strict';
  for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'WebTransport']) delete globalThis[name];
  const tell = (message) => parent.postMessage(message, '*');
  const words = (thrown) => {
    if (typeof thrown === 'string') return thrown;
    if (thrown && typeof thrown.message === 'string') return thrown.message;
    try {
      return JSON.stringify(thrown) || String(thrown);
    } catch {
      return 'something that cannot be written down was thrown';
    }
  };
  let draw, data, failed = false;
  const fault = (thrown) => {
    failed = true;
    tell({ type: 'error', message: words(thrown).slice(0, 500) });
  };
  const redraw = () => {
    if (draw === undefined || data === undefined) return;
    document.documentElement.style.colorScheme = data.theme.dark ? 'dark' : 'light';
    document.body.style.color = data.theme.ink;
    try {
      draw(document.getElementById('root'), data);
      tell({ type: 'drawn' });
    } catch (thrown) {
      fault(thrown);
    }
  };
  const loaded = () => {
    if (draw !== undefined) tell({ type: 'ready' });
    else if (!failed) fault('the script never called nines.draw');
  };
  globalThis.nines = Object.freeze({ draw: (given) => { draw = given; redraw(); } });
  addEventListener('error', (event) => fault(event.error || event.message));
  addEventListener('unhandledrejection', (event) => fault(event.reason));
  let takes = ${takes === undefined ? 'undefined' : `'${takes}'`};
  addEventListener('message', (event) => {
    if (event.source !== parent || parent === window || !event.data) return;
    if (event.data.type === 'script' && takes !== undefined) {
      const script = document.createElement('script');
      script.nonce = takes;
      takes = undefined;
      script.textContent = String(event.data.source);
      document.body.append(script);
      loaded();
    } else if (event.data.type === 'data') {
      data = event.data;
      redraw();
    }
  });
  addEventListener('load', () => (takes === undefined ? loaded() : tell({ type: 'waiting' })));
})();`;

const documentOf = (nonce: string, scripts: readonly string[]): string => `<!doctype html>
<meta charset="utf-8">
<style>html, body, #root { margin: 0; height: 100% } body { font: 14px system-ui, sans-serif; overflow: hidden; background: transparent }</style>
<div id="root"></div>
${scripts.map((script) => `<script nonce="${nonce}">${script}</script>`).join('\n')}
`;

/** The document of the frame. The script holds no end of a script: `widgetBody` saw to it. */
export const frameDocument = (source: string, nonce: string): string => documentOf(nonce, [bridge(undefined), `\n${source}\n`]);

/** The same for a script that the page will hand over. */
export const previewDocument = (nonce: string): string => documentOf(nonce, [bridge(nonce)]);
