/** `outcry`: the command line. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 no engine runs, 4 refused or invalid input, 141 nobody reads the output. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ExitCode, exitCodeOf } from './cli/exit-codes.ts';
import { installed } from './net/installation.ts';

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed
  2    wrong usage or configuration; nothing was started
  3    no engine runs on the data directory
  4    the engine refused, or the input is not valid
  141  the reader of the output has gone`;

/** What adds each command, in the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  start: async () => (await import('./cli/start-command.ts')).addStartCommand,
  exchange: async () => (await import('./cli/exchange-command.ts')).addExchangeCommand,
  status: async () => (await import('./cli/control-commands.ts')).addStatusCommand,
  drill: async () => (await import('./cli/control-commands.ts')).addDrillCommand,
  config: async () => (await import('./cli/config-command.ts')).addConfigCommand,
  doctor: async () => (await import('./cli/doctor-command.ts')).addDoctorCommand,
  instruments: async () => (await import('./cli/instruments-command.ts')).addInstrumentsCommand,
  quotes: async () => (await import('./cli/quotes-command.ts')).addQuotesCommand,
  user: async () => (await import('./cli/user-command.ts')).addUserCommand,
  token: async () => (await import('./cli/token-command.ts')).addTokenCommand,
  fix: async () => (await import('./cli/fix-command.ts')).addFixCommand,
  simulate: async () => (await import('./cli/simulate-command.ts')).addSimulateCommand,
  capacity: async () => (await import('./cli/capacity-command.ts')).addCapacityCommand,
  ledger: async () => (await import('./cli/ledger-command.ts')).addLedgerCommand,
};

const { version } = JSON.parse(readFileSync(installed('package.json'), 'utf8')) as { version: string };

const program = new Command('outcry')
  .description('A brokerage engine: from an exchange’s FIX feed to every trader’s screen.')
  .version(version)
  .option('-c, --config <file>', 'configuration file (default: outcry.toml in the working directory, if there is one)')
  .addHelpText('after', EXIT_CODES)
  .addHelpText(
    'after',
    `
Examples:
  outcry start                       everything, with the bundled exchange simulator
  outcry status --json               what runs, for a script
  outcry quotes RELIANCE TCS         live prices in this terminal
  outcry user create --user-id 42    an account to trade with
  OUTCRY_PORT=9100 outcry start      any setting from the environment`,
  )
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

for (const name of wantedCommands()) (await COMMANDS[name]!())(program);
for (const command of everyCommand(program)) command.exitOverride();

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(ExitCode.NoReader);
});

try {
  await program.parseAsync();
} catch (error) {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') {
    process.exitCode = ExitCode.NoReader;
  } else if (error instanceof CommanderError) {
    // Commander has said what is wrong; its own codes are 0 for help and version, and 1 for a usage error.
    process.exitCode = error.exitCode === 0 ? ExitCode.Done : ExitCode.Usage;
  } else {
    process.stderr.write(`outcry: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((child) => [child as Command, ...everyCommand(child as Command)]);
}

/** The command that is named, whose code alone is loaded; all when none is, as for the help of the whole. */
function wantedCommands(): readonly string[] {
  const names = Object.keys(COMMANDS);
  const named = names.filter((name) => process.argv.slice(2).includes(name));
  return named.length > 0 ? named : names;
}
