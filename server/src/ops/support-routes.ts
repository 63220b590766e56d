import type { Http } from '../platform/http/contract.ts';
import { type SupportContents, supportBundle } from './support.ts';

export type SupportRouteDeps = {
  readonly contents: () => Promise<SupportContents>;
};

/** What may be passed on to whoever helps. For administrators; making one stands in the audit log, like everything they do. */
export function supportRoutes(http: Http, { contents }: SupportRouteDeps): void {
  const schema = {
    summary: 'Makes a support bundle: version, configuration without secrets, health, findings, sizes; a .tar.gz',
    tags: ['system'],
  };
  http.post('/api/support-bundle', { config: { permission: 'administer', stepUp: true }, schema }, async (_request, reply) => {
    const bundle = await supportBundle(await contents());
    return reply
      .type('application/gzip')
      .header('content-disposition', 'attachment; filename="nines-support.tar.gz"')
      .header('cache-control', 'no-store')
      .send(Buffer.from(bundle));
  });
}
