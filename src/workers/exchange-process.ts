/** The exchange simulator as the supervisor starts it: the same as `outcry exchange`, told over the IPC channel what to do. */
import { join } from 'node:path';
import { type RunningExchange, runExchange } from '../exchange.ts';
import { createPinoLog, stderrDestination } from '../net/pino-log.ts';
import { TRADES_DIRECTORY } from '../net/trade-files.ts';
import { readVenueCredentials } from '../net/venue-credentials.ts';
import { linkToSupervisor } from './process-link.ts';
import type { ExchangeOrder, ExchangeReport } from './process-messages.ts';

/** Times the ordinary rate that the market opens with. */
const OPEN_BURST_FACTOR = 4;

let exchange: RunningExchange | undefined;

const link = linkToSupervisor<ExchangeOrder, ExchangeReport>('outcry-exchange', (order) => {
  if (order.type === 'start') start(order).catch((error) => link.fail(error));
  else void stop();
});

async function start({ config, port }: Extract<ExchangeOrder, { type: 'start' }>): Promise<void> {
  const { values } = config;
  const log = createPinoLog('exchange', values.log_level, stderrDestination());
  exchange = await runExchange({
    host: '127.0.0.1',
    port,
    compID: values.target_comp_id,
    replay: null,
    seed: values.exchange_seed,
    updatesPerSecond: values.exchange_rate,
    openBurstFactor: OPEN_BURST_FACTOR,
    marketHours: values.market_hours,
    instrumentFile: config.instrumentsFile,
    tradesDirectory: join(config.dataDir, TRADES_DIRECTORY),
    madeUpInstruments: values.exchange_instruments,
    credentials: readVenueCredentials(values.venue_username, config.venuePasswordFile, process.env),
    onEvent: (text) => log('info', text),
  });
  log('info', 'the exchange listens', { port: exchange.port, instruments: exchange.instrumentCount });
  link.send({ type: 'listening', port: exchange.port });
}

async function stop(): Promise<void> {
  await exchange?.close();
  process.exit(0);
}

process.on('SIGTERM', () => void stop());
