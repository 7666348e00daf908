/** `outcry`: the command line. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 no engine runs, 4 refused or invalid input. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCapacityCommand } from './cli/capacity-command.ts';
import { addConfigCommand } from './cli/config-command.ts';
import { addControlCommands } from './cli/control-commands.ts';
import { addDoctorCommand } from './cli/doctor-command.ts';
import { addExchangeCommand } from './cli/exchange-command.ts';
import { ExitCode, exitCodeOf } from './cli/exit-codes.ts';
import { addFixCommand } from './cli/fix-command.ts';
import { addInstrumentsCommand } from './cli/instruments-command.ts';
import { addLedgerCommand } from './cli/ledger-command.ts';
import { addQuotesCommand } from './cli/quotes-command.ts';
import { addSimulateCommand } from './cli/simulate-command.ts';
import { addStartCommand } from './cli/start-command.ts';
import { addTokenCommand } from './cli/token-command.ts';
import { addUserCommand } from './cli/user-command.ts';
import { installed } from './net/installation.ts';

const EXIT_CODES = `
Exit codes:
  0  done
  1  failed
  2  wrong usage or configuration; nothing was started
  3  no engine runs on the data directory
  4  the engine refused, or the input is not valid`;

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

addStartCommand(program);
addExchangeCommand(program);
addControlCommands(program);
addConfigCommand(program);
addDoctorCommand(program);
addInstrumentsCommand(program);
addQuotesCommand(program);
addUserCommand(program);
addTokenCommand(program);
addFixCommand(program);
addSimulateCommand(program);
addCapacityCommand(program);
addLedgerCommand(program);
for (const command of everyCommand(program)) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
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
