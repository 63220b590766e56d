import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { type Plugin, defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Sets the colour scheme before the first paint from a file of its own: the content security policy allows no inline
 * script, and a module script would run after the first paint. The file gets a hash in its name like every other asset.
 */
function earlyColourScheme(): Plugin {
  const source = () => readFileSync(here('./colour-scheme.js'), 'utf8');
  let reference = '';
  return {
    name: 'nines:early-colour-scheme',
    apply: 'build',
    buildStart() {
      reference = this.emitFile({ type: 'asset', name: 'colour-scheme.js', source: source() });
    },
    transformIndexHtml: {
      order: 'post',
      handler(_html, context) {
        if (context.bundle === undefined) return [];
        return [{ tag: 'script', attrs: { src: `/${this.getFileName(reference)}` }, injectTo: 'head-prepend' }];
      },
    },
  };
}

export default defineConfig({
  root: here('.'),
  plugins: [react(), earlyColourScheme()],
  build: {
    outDir: here('../dist/web'),
    emptyOutDir: true,
    // Data URLs would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    chunkSizeWarningLimit: 600,
  },
  server: { port: 7071, proxy: { '/api': 'http://127.0.0.1:7070', '/metrics': 'http://127.0.0.1:7070', '/-': 'http://127.0.0.1:7070' } },
});
