import { existsSync } from 'node:fs';
import { OutcryError } from '../core/errors.ts';
import { SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { indianDate } from '../core/market/calendar.ts';
import type { Config } from '../net/config.ts';
import { readInstrumentFile, writeInstrumentFile } from '../net/instrument-file.ts';
import type { Log } from '../net/log.ts';
import { readVenueCredentials } from '../net/venue-credentials.ts';

/** A hundred thousand instruments are 35 MB. */
const LIST_TIMEOUT_MS = 60_000;

/**
 * Sees to it that there is an instrument master before anything reads it: exchange and engine must read the same one. With the simulator and no
 * file of the operator's own the generator writes it, once; with `instrument_source = "venue"` the venue's list is taken into it at each start, and what was there
 * serves when there is none to be had. What makes a master is loaded by the start that makes one. Raises INSTRUMENTS_INVALID when it is the operator's to bring.
 */
export async function prepareInstruments(config: Config, log: Log): Promise<void> {
  const { values, instrumentsFile } = config;
  if (values.instrument_source === 'venue') {
    await takeVenueList(config, log);
    return;
  }
  if (existsSync(instrumentsFile)) return;
  if (values.instruments !== '' || config.venue !== undefined) {
    const hint =
      config.venue === undefined ? '' : '; with a venue of your own the setting instruments names its master';
    throw new OutcryError('INSTRUMENTS_INVALID', `${instrumentsFile} is not there${hint}`);
  }
  const { generateInstrumentMaster } = await import('../core/exchange/instrument-generator.ts');
  const master = generateInstrumentMaster({
    seed: values.exchange_seed,
    madeUpCount: values.exchange_instruments,
    from: indianDate(Date.now() * 1_000),
  });
  writeInstrumentFile(instrumentsFile, master);
  log('info', 'an instrument master was generated', { file: instrumentsFile, count: master.entries.length });
}

async function takeVenueList(config: Config, log: Log): Promise<void> {
  const { values, instrumentsFile, venue, reconnectMinMs, reconnectMaxMs } = config;
  if (venue === undefined) throw new OutcryError('CONFIG_INVALID', 'instrument_source "venue" needs a venue');
  const { fetchSecurityList } = await import('../net/security-list-client.ts');
  const { masterOfSecurityList } = await import('../core/market-data/security-list-master.ts');
  const known = existsSync(instrumentsFile) ? readInstrumentFile(instrumentsFile) : null;
  try {
    const securities = await fetchSecurityList({
      ...venue,
      ...{ reconnectMinMs, reconnectMaxMs, tls: config.venueTls, timeoutMs: LIST_TIMEOUT_MS },
      session: {
        ...SESSION_DEFAULTS,
        role: 'initiator',
        senderCompID: values.sender_comp_id,
        targetCompID: values.target_comp_id,
        heartBtIntSeconds: values.heartbeat_seconds,
        gapPolicy: 'resend',
        credentials: readVenueCredentials(values.venue_username, config.venuePasswordFile, process.env),
      },
    });
    const master = masterOfSecurityList(securities, known, indianDate(Date.now() * 1_000));
    writeInstrumentFile(instrumentsFile, master);
    log('info', 'the instrument master was taken from the venue', { file: instrumentsFile, listed: securities.length });
  } catch (error) {
    if (known === null) throw error;
    log('error', 'no list of the venue: the instrument master is that of before', { reason: (error as Error).message });
  }
}
