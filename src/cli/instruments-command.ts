import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { OutcryError } from '../core/errors.ts';
import { indianDate } from '../core/market/calendar.ts';
import { INSTRUMENT_MASTER_FORMAT, InstrumentMaster, type MasterEntry } from '../core/market-data/instrument-master.ts';
import { askControl } from '../net/control-socket.ts';
import { lockOwner } from '../net/data-lock.ts';
import { readInstrumentFile, writeInstrumentFile } from '../net/instrument-file.ts';
import { loadCommandConfig } from './config-command.ts';

export function addInstrumentsCommand(program: Command): void {
  const instruments = program.command('instruments').description('read, check and extend the instrument master');

  instruments
    .command('list')
    .description('print the instruments listed today')
    .option('--json', 'as a JSON array')
    .option('--date <date>', 'as of this day in India, YYYY-MM-DD')
    .addHelpText(
      'after',
      '\nExamples:\n  outcry instruments list | head\n  outcry instruments list --json --date 2026-01-02',
    )
    .action((options: { json?: boolean; date?: string }, command: Command) => {
      const date = options.date ?? today();
      if (!/^\d{4}-\d{2}-\d{2}$/.test(date))
        throw new OutcryError('CONFIG_INVALID', `--date is ${date}; allowed is YYYY-MM-DD`);
      const listed = readInstrumentFile(loadCommandConfig(command).instrumentsFile).asOf(date);
      if (options.json) {
        process.stdout.write(`${JSON.stringify(listed, null, 2)}\n`);
        return;
      }
      for (const { instrumentId, symbol, kind, isin, tickPaise, lotSize, name } of listed) {
        const id = String(instrumentId).padStart(7);
        process.stdout.write(
          `${id}  ${symbol.padEnd(20)} ${kind.padEnd(7)} ${(isin ?? '-').padEnd(13)} tick ${tickPaise} p, lot ${lotSize}  ${name}\n`,
        );
      }
    });

  instruments
    .command('check')
    .description('check a master file and change nothing; exit code 4 names the first fault')
    .argument('<file>', 'master file')
    .addHelpText('after', '\nExamples:\n  outcry instruments check new.json')
    .action((file: string) => {
      const master = readInstrumentFile(file);
      process.stdout.write(
        `${file}: ${master.entries.length} instruments, ${master.asOf(today()).length} listed today\n`,
      );
    });

  instruments
    .command('add')
    .description(
      'take the entries of a file into the master; known instrumentIds are replaced. A running engine takes them in at once',
    )
    .argument('<file>', 'master file with the entries to add')
    .addHelpText('after', '\nExamples:\n  outcry instruments add listings-of-today.json')
    .action(add);
}

async function add(file: string, _options: object, command: Command): Promise<void> {
  const { dataDir, instrumentsFile } = loadCommandConfig(command);
  const more = readInstrumentFile(file);
  const before = existsSync(instrumentsFile) ? readInstrumentFile(instrumentsFile) : undefined;
  const entries = new Map<number, MasterEntry>();
  for (const entry of [...(before?.entries ?? []), ...more.entries]) entries.set(entry.instrumentId, entry);
  // Read back as a document: what is right alone may clash with what is there.
  const merged = InstrumentMaster.fromDocument({
    format: INSTRUMENT_MASTER_FORMAT,
    source: (before ?? more).source,
    instruments: [...entries.values()],
  });
  writeInstrumentFile(instrumentsFile, merged);
  const added = entries.size - (before?.entries.length ?? 0);
  process.stdout.write(
    `${instrumentsFile}: ${added} added, ${more.entries.length - added} replaced, ${entries.size} in all\n`,
  );
  if (lockOwner(dataDir) === undefined) return;
  const { instruments } = (await askControl(dataDir, { type: 'reload' })) as { instruments: number };
  process.stdout.write(`the running engine has ${instruments} instruments\n`);
}

function today(): string {
  return indianDate(Date.now() * 1_000);
}
