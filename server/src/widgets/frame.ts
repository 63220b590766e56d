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

/** The widget's side of the contract: takes data from the page, draws with what the script gave, tells what went wrong. */
const BRIDGE = `(() => {
  'use strict';
  for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'WebTransport']) delete globalThis[name];
  const tell = (message) => parent.postMessage(message, '*');
  const fault = (thrown) => tell({ type: 'error', message: String((thrown && thrown.message) || thrown).slice(0, 500) });
  let draw, data;
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
  globalThis.nines = Object.freeze({ draw: (given) => { draw = given; redraw(); } });
  addEventListener('error', (event) => fault(event.error || event.message));
  addEventListener('unhandledrejection', (event) => fault(event.reason));
  addEventListener('message', (event) => {
    if (event.source !== parent || !event.data || event.data.type !== 'data') return;
    data = event.data;
    redraw();
  });
  addEventListener('load', () => tell({ type: draw === undefined ? 'error' : 'ready', message: 'the script never called nines.draw' }));
})();`;

/** The document of the frame. The script holds no end of a script: `widgetBody` saw to it. */
export const frameDocument = (source: string, nonce: string): string => `<!doctype html>
<meta charset="utf-8">
<style>html, body, #root { margin: 0; height: 100% } body { font: 14px system-ui, sans-serif; overflow: hidden; background: transparent }</style>
<div id="root"></div>
<script nonce="${nonce}">${BRIDGE}</script>
<script nonce="${nonce}">
${source}
</script>
`;
