import { readFileSync } from 'node:fs';
import { Argument, type Command, Option } from 'commander';
import type { OutcryClient as Client, WebSocketLike } from '../client/outcry-client.ts';
import type { QuoteDecoder } from '../client/quote-decoder.ts';
import { OutcryError } from '../core/errors.ts';
import { type ModeName, QUOTE_FIELD_COUNT, QuoteField } from '../core/fan-out/wire.ts';
import { clientUrl } from '../net/client-url.ts';
import { loadCommandConfig } from './config-command.ts';
import { wholeNumber } from './exchange-command.ts';

interface QuotesOptions {
  readonly mode: ModeName;
  readonly url?: string;
  readonly count?: number;
  readonly json?: boolean;
}

type SocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

const CONNECT_TIMEOUT_MS = 5_000;

export function addQuotesCommand(program: Command): void {
  program
    .command('quotes')
    .description('print live quotes until SIGINT, a line a change')
    .addArgument(new Argument('<symbol...>', 'symbols to subscribe to'))
    .addOption(
      new Option('-m, --mode <mode>', 'how much of a quote').choices(['ltp', 'quote', 'full']).default('quote'),
    )
    .option('--url <url>', 'server (default: the configured host and port)')
    .option('-n, --count <n>', 'end after so many lines', wholeNumber(1, 1_000_000_000))
    .option('--json', 'a JSON object a line, prices in paise')
    .addHelpText(
      'after',
      '\nExamples:\n  outcry quotes RELIANCE TCS\n  outcry quotes "NIFTY 50" --mode ltp --json -n 10',
    )
    .action(printQuotes);
}

async function printQuotes(symbols: string[], options: QuotesOptions, command: Command): Promise<void> {
  const config = loadCommandConfig(command);
  const url = options.url ?? clientUrl(config, config.values.port);
  const isOurs = options.url === undefined && config.clientTls !== null;
  const webSocket = isOurs ? await trusting(config.clientTls.certFile) : await socketConstructor();
  // Loaded here: no other command needs the client.
  const { OutcryClient } = await import('../client/outcry-client.ts');
  let left = options.count ?? Number.POSITIVE_INFINITY;
  await new Promise<void>((resolve, reject) => {
    const unreachable = (): void => fail(new OutcryError('NOT_RUNNING', `nothing answers at ${url}`));
    const timer = setTimeout(unreachable, CONNECT_TIMEOUT_MS);
    let opened = false;
    const client: Client = new OutcryClient({
      url,
      webSocket,
      filterBps: 0,
      onState: (state) => {
        // Once it has been there, a server that goes away is waited for.
        if (state === 'open') opened = true;
        else if (state === 'waiting' && !opened) unreachable();
        if (opened) clearTimeout(timer);
      },
      onError: (code, message) => fail(new OutcryError('REQUEST_REFUSED', `${code}: ${message}`)),
      onQuotes: (decoder) => {
        for (let i = 0; i < decoder.changedCount && left > 0; i++) {
          const index = decoder.changed[i] as number;
          const symbol = client.instrument(index)?.symbol ?? String(index);
          process.stdout.write(
            `${options.json ? JSON.stringify(quoteOf(symbol, decoder, index)) : line(symbol, decoder, index)}\n`,
          );
          left--;
        }
        if (left <= 0) done();
      },
    });
    const done = (): void => {
      clearTimeout(timer);
      client.close();
      resolve();
    };
    const fail = (error: Error): void => {
      clearTimeout(timer);
      client.close();
      reject(error);
    };
    process.once('SIGINT', done);
    process.once('SIGTERM', done);
    client.subscribe(symbols, options.mode).then(({ unknown }) => {
      if (unknown.length > 0) process.stderr.write(`not listed: ${unknown.join(', ')}\n`);
      if (unknown.length === symbols.length) fail(new OutcryError('REQUEST_REFUSED', 'none of the symbols is listed'));
    }, fail);
  });
}

function quoteOf(symbol: string, { fields }: QuoteDecoder, index: number): object {
  const row = index * QUOTE_FIELD_COUNT;
  return {
    symbol,
    lastPaise: fields[row + QuoteField.LastPaise],
    bidPaise: fields[row + QuoteField.BidPaise],
    bidQty: fields[row + QuoteField.BidQty],
    askPaise: fields[row + QuoteField.AskPaise],
    askQty: fields[row + QuoteField.AskQty],
    closePaise: fields[row + QuoteField.ClosePaise],
    volume: fields[row + QuoteField.Volume],
    flags: fields[row + QuoteField.Flags],
    tsMillis: fields[row + QuoteField.TsMillis],
  };
}

function line(symbol: string, { fields }: QuoteDecoder, index: number): string {
  const row = index * QUOTE_FIELD_COUNT;
  const rupees = (field: number): string => ((fields[row + field] as number) / 100).toFixed(2).padStart(10);
  const last = fields[row + QuoteField.LastPaise] as number;
  const close = fields[row + QuoteField.ClosePaise] as number;
  const change = close > 0 ? `${(((last - close) / close) * 100).toFixed(2)} %` : '';
  const { LastPaise, BidPaise, AskPaise } = QuoteField;
  return `${symbol.padEnd(20)} ${rupees(LastPaise)} ${change.padStart(9)}   ${rupees(BidPaise)} ${rupees(AskPaise)}`;
}

/** Our own server has the certificate that we have the file of, whatever name it is for. */
async function trusting(certFile: string): Promise<SocketConstructor> {
  const { WebSocket } = await import('ws');
  const trust = { ca: readFileSync(certFile), allowPartialTrustChain: true, checkServerIdentity: () => undefined };
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, trust as object);
    }
  } as unknown as SocketConstructor;
}

/** Node has a WebSocket of its own from version 22 on. */
async function socketConstructor(): Promise<SocketConstructor> {
  const own = (globalThis as { WebSocket?: unknown }).WebSocket ?? (await import('ws')).WebSocket;
  return own as SocketConstructor;
}
