import type { Command } from 'commander';
import { type Config, loadConfig } from '../net/config.ts';
import { renderConfig, renderSettingsHelp } from '../net/config-text.ts';

/** `--config` of the whole program, from whichever command runs. */
export function configFile(command: Command): string | undefined {
  return command.optsWithGlobals<{ config?: string }>().config;
}

export function loadCommandConfig(command: Command): Config {
  return loadConfig({ file: configFile(command), environment: process.env, directory: process.cwd() });
}

export function addConfigCommand(program: Command): void {
  program
    .command('config')
    .description('print the settings in force and where each came from')
    .option('--json', 'as one JSON object: name to value and source')
    .addHelpText(
      'after',
      `\nExamples:\n  outcry config\n  outcry config --json | jq .tick_ms\n\nSettings:\n${renderSettingsHelp()}`,
    )
    .action((options: { json?: boolean }, command: Command) => {
      const config = loadCommandConfig(command);
      if (!options.json) {
        process.stdout.write(renderConfig(config));
        return;
      }
      const entries = Object.entries(config.values).map(([name, value]) => {
        return [name, { value, source: config.sources[name as keyof typeof config.sources] }];
      });
      process.stdout.write(`${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
    });
}
