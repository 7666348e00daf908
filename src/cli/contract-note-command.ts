import type { Command } from 'commander';
import type { ContractNote, NoteLine } from '../core/day-roll/contract-note.ts';
import { OutcryError } from '../core/errors.ts';
import { chargesPaise } from '../core/ledger/charges.ts';
import type { Charges } from '../core/ledger/ledger-event.ts';
import { OrderSide } from '../core/ledger/order.ts';
import { productName } from '../core/order-entry/order-names.ts';
import { readInstrumentFile } from '../net/instrument-file.ts';
import { loadCommandConfig } from './config-command.ts';
import { parseDay } from './day-option.ts';
import { rupees, withReader } from './ledger-access.ts';
import { parseUserId } from './user-command.ts';

interface NoteOptions {
  readonly user: number;
  readonly day: string;
  readonly json?: boolean;
}

/** The items of a contract note, in the order in which it has them. */
const ITEMS: readonly (readonly [keyof Charges, string])[] = [
  ['brokeragePaise', 'brokerage'],
  ['exchangePaise', 'exchange transaction charges'],
  ['sebiPaise', 'SEBI turnover fee'],
  ['gstPaise', 'GST'],
  ['sttPaise', 'securities transaction tax'],
  ['stampDutyPaise', 'stamp duty'],
  ['depositoryPaise', 'depository charges'],
];

/** `outcry ledger contract-note`. */
export function addContractNoteCommand(ledger: Command): void {
  ledger
    .command('contract-note')
    .description('the contract note of a user for a trading day; as it would be now while the day goes on')
    .requiredOption('--user <id>', 'whose', parseUserId)
    .requiredOption('--day <date>', 'trading day, YYYY-MM-DD', parseDay)
    .option('--json', 'as a JSON array, amounts in paise')
    .addHelpText('after', '\nExamples:\n  outcry ledger contract-note --user 7 --day 2026-11-26')
    .action(async (options: NoteOptions, command: Command) => {
      const { user, day } = options;
      const { contractNotesOf } = await import('../net/contract-notes.ts');
      const notes = await withReader(command, (reader) => contractNotesOf(reader, user, day));
      if (notes.length === 0) throw new OutcryError('REQUEST_REFUSED', `user ${user} has traded nothing on ${day}`);
      const symbols = readInstrumentFile(loadCommandConfig(command).instrumentsFile).symbolsOn(day);
      process.stdout.write(
        options.json
          ? `${JSON.stringify(notes, null, 2)}\n`
          : notes.map((note) => render(note, (id) => symbols.get(id) ?? `#${id}`)).join('\n'),
      );
    });
}

function render(note: ContractNote, symbolOf: (instrumentId: number) => string): string {
  const { userId, tradingDay, seq, charged, rounding, charges } = note;
  const rows = note.lines.map((line) => renderLine(line, symbolOf));
  const items = ITEMS.filter(([item]) => charged[item] !== 0 || rounding[item] !== 0).map(([item, name]) => {
    const rounded = rounding[item] === 0 ? '' : `  (${rupees(charged[item])} rounded)`;
    return amount(name, charges[item], rounded);
  });
  return [
    `Contract note of user ${userId} for ${tradingDay}${seq === 0 ? ', not issued yet' : ` (event ${seq})`}`,
    ...rows,
    amount('bought', note.buyValuePaise),
    amount('sold', note.sellValuePaise),
    ...items,
    amount('charges in all', chargesPaise(charges)),
    amount(note.netPaise < 0 ? 'to pay' : 'to get', Math.abs(note.netPaise)),
    '',
  ].join('\n');
}

function renderLine(line: NoteLine, symbolOf: (instrumentId: number) => string): string {
  const { kind, tsMicros, side, product, quantity, pricePaise, valuePaise, instrumentId, execRefID } = line;
  const time = new Date(tsMicros / 1_000).toISOString().slice(11, 19);
  const what = kind === 'trade' ? '' : ` ${kind} of ${execRefID}`;
  const name = `${side === OrderSide.Buy ? 'BUY ' : 'SELL'} ${symbolOf(instrumentId)} ${productName(product)}`;
  return `  ${time}Z  ${name.padEnd(24)} ${String(quantity).padStart(8)} at ${rupees(pricePaise)} ${rupees(valuePaise).padStart(14)}${what}`;
}

function amount(name: string, paise: number, more: string = ''): string {
  return `  ${name.padEnd(30)} ${rupees(paise).padStart(16)}${more}`;
}
