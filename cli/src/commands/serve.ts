import type { Command } from 'commander';

type ServeFlags = {
  readonly data?: string;
  readonly listen?: string;
  readonly config?: string;
  readonly insecureNoAuth?: boolean;
};

export function serveCommand(program: Command): void {
  program
    .command('serve')
    .description('run the server')
    .option('--data <dir>', 'data directory (default: ./data)')
    .option('--listen <host:port>', 'address to serve on (default: 127.0.0.1:7070)')
    .option('--config <file>', 'configuration file; without one everything has its default')
    .option('--insecure-no-auth', 'every request is an administrator; refused unless the address is loopback')
    .action(async (flags: ServeFlags) => {
      const { serve } = await import('@nines/server/main.ts');
      process.exitCode = await serve(flags);
    });
}
