import type { Command } from 'commander';

export function demoCommand(program: Command): void {
  program
    .command('demo')
    .description('run the product on small services that slow down, fail and recover on a schedule')
    .option('--port <port>', 'port of the page (default: 7070, or a free one when that is in use)')
    .option('--pace <factor>', 'play the schedule this many times faster')
    .option('--keep', 'keep the data when it ends')
    .action(async (flags: { readonly port?: string; readonly pace?: string; readonly keep?: boolean }) => {
      const { runDemo } = await import('../demo/demo.ts');
      process.exitCode = await runDemo(flags);
    });
}
