import type { Command } from 'commander';

/** Where the state of a server lies, for commands that open it themselves. */
export type StateFlags = { readonly data: string; readonly config?: string };

export const CONFIG_FLAG = ['--config <file>', 'configuration file, when the state lies in PostgreSQL or the data are encrypted'] as const;

/** A command below `parent` that opens the state itself, whether or not the server runs. */
export const onState = (parent: Command, name: string, description: string): Command =>
  parent
    .command(name)
    .description(description)
    .requiredOption('--data <dir>', 'data directory of the server')
    .option(...CONFIG_FLAG);
