import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '@nines/base/errors.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { takesGzip } from './compress.ts';
import type { Http } from './contract.ts';
import { freshNonce, securityHeaders } from './server.ts';

/** Pages that exist; everything else is not found. A page joins here when it is built. */
export const PAGE_PATHS = [
  '/',
  '/services',
  '/services/:id',
  '/slas',
  '/slas/:id',
  '/slas/:id/statements',
  '/slas/:id/statement',
  '/slas/:id/exclusions',
  '/slas/:id/what-if',
  '/statements/:id',
  '/reports',
  '/checks',
  '/checks/:id',
  '/agents',
  '/targets',
  '/health',
  '/alerts-dashboard',
  '/analytics',
  '/explore',
  '/dashboards',
  '/dashboards/:id',
  '/performance-monitoring',
  '/incidents',
  '/incidents/:id',
  '/incident-rules',
  '/notifications',
  '/on-call',
  '/silences',
  '/rules',
  '/maintenance',
  '/routes',
  '/escalation',
  '/status-pages',
  '/settings',
  '/settings/audit',
  '/settings/configuration',
  '/settings/people',
  '/settings/roles',
  '/settings/account',
  '/settings/tokens',
  '/settings/channels',
  '/settings/series',
  '/settings/widgets',
  '/api/docs',
  '/join',
  '/login',
  '/setup',
] as const;

/** What the page shell holds in place of the nonce of its one generated style sheet. */
const NONCE_PLACEHOLDER = '__CSP_NONCE__';
const SHELL = '/index.html';
/** The bundler puts files whose name carries their hash here; they never change. */
const HASHED_PREFIX = '/assets/';
const ONE_YEAR = 'public, max-age=31536000, immutable';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

type Asset = { readonly url: string; readonly body: Buffer; readonly gzipped: Buffer | undefined; readonly etag: string };

/**
 * Serves the built page from `directory` (what the bundler wrote). Only what was there at the start is reachable, by exact name,
 * so no path can lead out of it. It is held in memory (1.4 MB), so that a build under a running server takes no part of the old
 * page away. Without a build the pages answer 503 and say how to make one.
 */
export function servePages(http: Http, options: { readonly directory: string; readonly secure: boolean }): void {
  const files = readFiles(options.directory);
  for (const asset of assetsIn(files)) {
    http.get(asset.url, { config: { permission: 'public', undocumented: true } }, (request, reply) =>
      sendAsset(asset, request as FastifyRequest, reply as unknown as FastifyReply),
    );
  }
  const shell = files.get(SHELL)?.toString('utf8');
  const page = (reply: Pick<FastifyReply, 'headers' | 'type'>): string => {
    if (shell === undefined) throw new AppError('unavailable', 'pages_not_built', 'the pages are not built; run: npm run build');
    const nonce = freshNonce();
    reply.headers({ ...securityHeaders(options.secure, nonce), 'cache-control': 'no-cache' });
    reply.type('text/html; charset=utf-8');
    return shell.replaceAll(NONCE_PLACEHOLDER, nonce);
  };
  for (const path of PAGE_PATHS) {
    http.get(path, { config: { permission: 'public', undocumented: true } }, async (_request, reply) => page(reply));
  }
  // Whoever mistypes an address in a browser gets a page that leads on; programs get the error that they can read.
  http.get('/*', { config: { permission: 'public', undocumented: true } }, async (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? request.url;
    const forPeople = shell !== undefined && request.headers.accept?.includes('text/html') === true && !path.startsWith('/api/');
    if (!forPeople) throw new AppError('not_found', 'no_such_path', `nothing answers GET ${path}`);
    reply.code(404);
    return page(reply);
  });
}

/** The content of every file of the build, by URL. */
function readFiles(directory: string): ReadonlyMap<string, Buffer> {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return new Map();
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [urlOf(directory, path), readFileSync(path)];
    }),
  );
}

const urlOf = (directory: string, path: string): string => path.slice(directory.length).replaceAll('\\', '/').replace(/^\/?/, '/');

function assetsIn(files: ReadonlyMap<string, Buffer>): readonly Asset[] {
  return [...files]
    .filter(([url]) => url !== SHELL && !url.endsWith('.gz'))
    .map(([url, body]) => {
      const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
      return { url, body, gzipped: files.get(`${url}.gz`), etag: `"${hash}"` };
    });
}

function sendAsset({ url, body, gzipped, etag }: Asset, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header('cache-control', url.startsWith(HASHED_PREFIX) ? ONE_YEAR : 'no-cache').header('etag', etag);
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  reply.type(MEDIA_TYPES[extname(url)] ?? 'application/octet-stream');
  if (gzipped === undefined) return reply.send(body);
  reply.header('vary', 'accept-encoding');
  return takesGzip(request.headers['accept-encoding']) ? reply.header('content-encoding', 'gzip').send(gzipped) : reply.send(body);
}

/** The built pages lie in `dist/web`, beside the bundle or four folders above the sources. */
export function webDir(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return here.endsWith(join('src', 'platform', 'http'))
    ? join(here, '../../../../dist/web')
    : join(here.replace(/[/\\]chunks$/, ''), 'web');
}
