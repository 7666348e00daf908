import type { FixMessage } from '../../src/core/fix/fix-message.ts';
import type { FixSession } from '../../src/core/fix/fix-session.ts';
import { MDEntryType, MsgType } from '../../src/core/fix/generated/fix-enums.gen.ts';
import { MarketDataWriter, readMarketDataRequest } from '../../src/core/fix/market-data-messages.ts';
import { type FixApplication, SESSION_DEFAULTS } from '../../src/core/fix/session-contract.ts';
import { type FixAcceptor, listenFix } from '../../src/net/fix-tcp.ts';
import type { Quote } from './quote-stream.ts';

const EXCHANGE_COMP_ID = 'COMPARE';
/** A W of what is listed and not in the stream still wants an entry: an index. */
const NO_QUOTE_PAISE = 100_000;

/** The exchange of the comparison: what is asked for is told once by W, and each tick is one X. */
export class FixExchange implements FixApplication {
  readonly compID = EXCHANGE_COMP_ID;
  readonly #writer = new MarketDataWriter();
  readonly #symbols = new Map<string, Buffer>();
  readonly #now = new Map<string, Quote>();
  #requestID = Buffer.alloc(0);
  #session: FixSession | undefined;
  #acceptor: FixAcceptor | undefined;

  constructor(quotes: readonly Quote[]) {
    for (const quote of quotes) {
      this.#now.set(quote.symbol, quote);
      this.#symbols.set(quote.symbol, Buffer.from(quote.symbol, 'latin1'));
    }
  }

  /** Resolves with the port. */
  async listen(): Promise<number> {
    const session = {
      ...SESSION_DEFAULTS,
      role: 'acceptor',
      senderCompID: EXCHANGE_COMP_ID,
      targetCompID: '',
    } as const;
    this.#acceptor = await listenFix({ port: 0, session: { ...session, gapPolicy: 'resend' }, application: this });
    return this.#acceptor.port;
  }

  publish(tick: readonly Quote[]): void {
    const session = this.#session;
    if (session === undefined) throw new Error('the engine has not logged on');
    const nowMs = Date.now();
    const writer = this.#writer;
    writer.beginIncremental(session.begin(MsgType.MarketDataIncrementalRefresh, nowMs), this.#requestID);
    for (const quote of tick) {
      writer.instrument(this.#symbols.get(quote.symbol)!);
      this.#level(quote);
    }
    writer.end();
    if (session.send(nowMs) < 0) throw new Error('the tick could not be sent');
  }

  async close(): Promise<void> {
    await this.#acceptor?.close('the bench is over');
  }

  onLogon(session: FixSession): void {
    this.#session = session;
  }

  onMessage(session: FixSession, message: FixMessage): void {
    if (message.msgType !== MsgType.MarketDataRequest) return;
    const request = readMarketDataRequest(message);
    if (!request.ok) throw new Error('a MarketDataRequest that cannot be read');
    this.#requestID = Buffer.from(request.value.mdReqID, 'latin1');
    for (const symbol of request.value.symbols) this.#sendSnapshot(session, symbol);
  }

  onGap(): void {}

  onLogout(): void {
    this.#session = undefined;
  }

  #sendSnapshot(session: FixSession, symbol: string): void {
    const writer = this.#writer;
    const quote = this.#now.get(symbol);
    const encoder = session.begin(MsgType.MarketDataSnapshotFullRefresh, session.nowMs);
    writer.beginSnapshot(encoder, this.#requestID, Buffer.from(symbol, 'latin1'));
    if (quote === undefined) writer.price(MDEntryType.IndexValue, NO_QUOTE_PAISE);
    else this.#level(quote);
    writer.end();
    session.send(session.nowMs);
  }

  #level(quote: Quote): void {
    this.#writer.level(MDEntryType.Bid, 1, quote.bidPaise, quote.bidQty, 0);
    this.#writer.level(MDEntryType.Offer, 1, quote.askPaise, quote.askQty, 0);
  }
}
