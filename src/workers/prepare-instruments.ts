import { existsSync } from 'node:fs';
import { OutcryError } from '../core/errors.ts';
import { generateInstrumentMaster } from '../core/exchange/instrument-generator.ts';
import { indianDate } from '../core/market/calendar.ts';
import type { Config } from '../net/config.ts';
import { writeInstrumentFile } from '../net/instrument-file.ts';
import type { Log } from '../net/log.ts';

/**
 * Sees to it that there is an instrument master before anything reads it: exchange and engine must read the same one. With the simulator and no
 * file of the operator's own the generator writes it, once. Raises INSTRUMENTS_INVALID when it is the operator's to bring.
 */
export function prepareInstruments(config: Config, log: Log): void {
  const { values, instrumentsFile } = config;
  if (existsSync(instrumentsFile)) return;
  if (values.instruments !== '' || config.venue !== undefined) {
    const hint =
      config.venue === undefined ? '' : '; with a venue of your own the setting instruments names its master';
    throw new OutcryError('INSTRUMENTS_INVALID', `${instrumentsFile} is not there${hint}`);
  }
  const master = generateInstrumentMaster({
    seed: values.exchange_seed,
    madeUpCount: values.exchange_instruments,
    from: indianDate(Date.now() * 1_000),
  });
  writeInstrumentFile(instrumentsFile, master);
  log('info', 'an instrument master was generated', { file: instrumentsFile, count: master.entries.length });
}
