import type { Command } from 'commander';
import { type RemoteOptions, ask } from '../remote.ts';

/** `nines pause CHECK` and `nines resume CHECK`. */
export function pauseCommands(program: Command): void {
  const commands = [
    ['pause', 'stop a check from asking; its time is unknown until it goes on', 'is paused'],
    ['resume', 'let a paused check go on', 'goes on'],
  ] as const;
  for (const [action, description, told] of commands) {
    program
      .command(action)
      .description(description)
      .argument('<check>', 'its id')
      .action(async (check: string, _options: unknown, command: Command) => {
        await ask(command.optsWithGlobals<RemoteOptions>(), `/api/checks/${encodeURIComponent(check)}/${action}`, { method: 'POST' });
        process.stderr.write(`${check} ${told}\n`);
      });
  }
}
