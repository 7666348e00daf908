import { type Command, InvalidArgumentError, Option } from 'commander';
import { OutcryError } from '../core/errors.ts';
import type { MarketHours } from '../core/market/calendar.ts';
import { EXCHANGE_DEFAULTS, type MarketSettings, recordExchange, runExchange } from '../exchange.ts';
import type { FixTlsServer } from '../net/fix-tls.ts';
import { addCredentialOptions, type CredentialOptions, credentialsOf } from './credential-options.ts';
import { addExchangeTradesCommand } from './exchange-trades-command.ts';

interface MarketOptions {
  readonly seed: number;
  readonly rate: number;
  readonly burst: number;
  readonly hours: MarketHours;
  readonly instruments?: string;
  readonly madeUp: number;
}

interface RunOptions extends MarketOptions, CredentialOptions {
  readonly host: string;
  readonly port: number;
  readonly compId: string;
  readonly replay?: string;
  readonly speed: number;
  readonly loop?: boolean;
  readonly cancelOnDisconnect?: boolean;
  readonly trades?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly json?: boolean;
}

interface RecordOptions extends MarketOptions {
  readonly seconds: number;
  readonly json?: boolean;
}

const NSE_HOURS_HELP = 'always: around the clock; nse: the exchange’s sessions in India';

export function addExchangeCommand(program: Command): void {
  const exchange = program
    .command('exchange')
    .description('run the exchange simulator by itself, a FIX 4.4 and 4.2 acceptor, or record what it would send');

  const run = exchange
    .command('run', { isDefault: true })
    .description('run the simulator until SIGINT or SIGTERM')
    .option('--host <address>', 'address to listen on', EXCHANGE_DEFAULTS.host)
    .option('--port <port>', 'port to listen on; 0 takes a free one', wholeNumber(0, 65_535), 0)
    .option('--comp-id <id>', 'our SenderCompID(49)', EXCHANGE_DEFAULTS.compID)
    .option('--replay <file>', 'serve this recording in place of a simulated market')
    .option('--speed <factor>', 'times as fast as recorded', positive, 1)
    .option('--loop', 'begin again at the end of the recording')
    .option('--cancel-on-disconnect', 'cancel the live orders of a session that drops')
    .option(
      '--trades <directory>',
      'keep orders and trades of each day in files of it, also over a death of the exchange',
    )
    .option('--tls-cert <file>', 'serve TLS alone, with this certificate (PEM)')
    .option('--tls-key <file>', 'its key')
    .option('--tls-ca <file>', 'let in only clients with a certificate of these authorities')
    .option('--json', 'tell where it listens as one line of JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  outcry exchange --port 9880 --rate 20000\n  outcry exchange --port 9880 --replay open.rec --loop',
    );
  addMarketOptions(addCredentialOptions(run)).action(runUntilSignal);

  const record = exchange
    .command('record')
    .description('record a simulated market on its own clock, as fast as it goes; the same options give the same bytes')
    .argument('<file>', 'file to write')
    .option('--seconds <n>', 'simulated seconds', wholeNumber(1, 86_400), 60)
    .option('--json', 'print what was recorded as one JSON object')
    .addHelpText('after', '\nExamples:\n  outcry exchange record open.rec --seconds 30 --rate 100000');
  addMarketOptions(record).action(recordToFile);
  addExchangeTradesCommand(exchange);
}

function addMarketOptions(command: Command): Command {
  return command
    .option('--seed <n>', 'the same seed gives the same market', wholeNumber(0, 0xffff_ffff), EXCHANGE_DEFAULTS.seed)
    .option('--rate <n>', 'updates a second', wholeNumber(1, 1_000_000), EXCHANGE_DEFAULTS.updatesPerSecond)
    .option('--burst <factor>', 'times that rate at the open; 1 for none', positive, EXCHANGE_DEFAULTS.openBurstFactor)
    .addOption(new Option('--hours <calendar>', NSE_HOURS_HELP).choices(['always', 'nse']).default('always'))
    .option('--instruments <file>', 'instrument master (default: one made from the seed)')
    .option(
      '--made-up <n>',
      'made-up shares in a master made from the seed',
      wholeNumber(0, 99_000),
      EXCHANGE_DEFAULTS.madeUpInstruments,
    );
}

function tlsOf({ tlsCert, tlsKey, tlsCa = '' }: RunOptions): FixTlsServer | null {
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === '') return null;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new OutcryError('CONFIG_INVALID', '--tls-cert and --tls-key go together');
  return { certFile: tlsCert, keyFile: tlsKey, caFile: tlsCa };
}

function marketSettings(options: MarketOptions): MarketSettings {
  return {
    seed: options.seed,
    updatesPerSecond: options.rate,
    openBurstFactor: options.burst,
    marketHours: options.hours,
    instrumentFile: options.instruments ?? null,
    madeUpInstruments: options.madeUp,
  };
}

async function runUntilSignal(options: RunOptions): Promise<void> {
  const { host, replay } = options;
  const exchange = await runExchange({
    ...marketSettings(options),
    host,
    port: options.port,
    compID: options.compId,
    replay: replay === undefined ? null : { file: replay, speed: options.speed, loop: options.loop === true },
    cancelOnDisconnect: options.cancelOnDisconnect === true,
    tradesDirectory: options.trades ?? null,
    tls: tlsOf(options),
    credentials: credentialsOf(options),
    onEvent: (text) => process.stderr.write(`${text}\n`),
  });
  const { port, instrumentCount } = exchange;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ host, port, instrumentCount })}\n`
      : `The exchange listens on ${host}:${port} (FIX 4.4 and 4.2, ${instrumentCount.toLocaleString('en-US')} instruments)\n`,
  );
  await new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await exchange.close();
}

async function recordToFile(out: string, options: RecordOptions): Promise<void> {
  const { seconds } = options;
  const showsProgress = process.stderr.isTTY === true;
  const result = await recordExchange({
    ...marketSettings(options),
    out,
    seconds,
    startMicros: null,
    onProgress: (done) => {
      if (showsProgress) process.stderr.write(`\r${Math.floor((done / seconds) * 100)} % `);
    },
  });
  if (showsProgress) process.stderr.write('\r');
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ file: out, seconds, ...result })}\n`
      : `${out}: ${seconds} s, ${result.updateCount} updates of ${result.instrumentCount} instruments, ${result.bytes} bytes\n`,
  );
}

/** A parser of whole numbers from `min` to `max`, for options. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= 1_000) return value;
  throw new InvalidArgumentError('It must be a number above 0 and at most 1000.');
}
