import { Owner } from '../exchange/market-maker.ts';
import {
  CancelReason,
  type ExecutionListener,
  MatchingEngine,
  OrderType,
  TimeInForce,
} from '../exchange/matching-engine.ts';
import { OrderEntry, type OrderVenue } from '../exchange/order-entry.ts';
import { NO_ORDER, Side } from '../exchange/order-pool.ts';
import type { Prng } from '../exchange/prng.ts';
import { RejectCode } from '../exchange/reject-codes.ts';
import { type OrderReport, ReportMailboxes } from '../exchange/report-mailboxes.ts';
import type { ExecutionReport } from '../fix/execution-report.ts';
import type { FixMessage } from '../fix/fix-message.ts';
import { FixSession } from '../fix/fix-session.ts';
import { type FixStore, MemoryFixStore } from '../fix/fix-store.ts';
import { ExecType, MsgType } from '../fix/generated/fix-enums.gen.ts';
import { type FixApplication, SESSION_DEFAULTS } from '../fix/session-contract.ts';
import { parseClOrdID } from '../ledger/order.ts';
import type { Instrument } from '../market-data/instrument-master.ts';
import { WireEnd } from './model-wire.ts';
import type { Scheduler } from './scheduler.ts';

export const EXCHANGE_COMP_ID = 'VENUE';
const ORDERS_MAX = 20_000;
const STORE_BYTES = 4_194_304;
/** Orders of the public that rest a side when the book is filled, and how far from the middle they reach, in ticks. */
const RESTING_A_SIDE = 8;
const REACH_TICKS = 12;
/** One order of ours in so many is refused for no reason that we could know. */
const REFUSED_ONE_IN = 60;
/** And one change in so many. */
const CHANGE_REFUSED_ONE_IN = 12;
/** Executions that may be told again or undone. */
const LOOKED_BACK = 40;

/** What the exchange did, as itself knows it: the truth that the broker is held to at the end of a day. */
export interface ExchangeRecord {
  /** Trades, busts and corrections, in order. */
  readonly executions: { readonly compID: string; readonly report: ExecutionReport }[];
  readonly byExecID: Map<string, ExecutionReport>;
  /** The last report of each order that is no answer to a question, by our order id. */
  readonly lastReports: Map<number, ExecutionReport>;
}

/** Keeps what is reported. */
class RecordingMailboxes extends ReportMailboxes {
  readonly record: ExchangeRecord = { executions: [], byExecID: new Map(), lastReports: new Map() };
  #isRedelivery = false;

  override deliver(compID: string, report: OrderReport): void {
    if (report.msgType === MsgType.ExecutionReport && !this.#isRedelivery) this.#note(compID, report.report);
    super.deliver(compID, report);
  }

  override logon(session: FixSession): void {
    this.#isRedelivery = true;
    super.logon(session);
    this.#isRedelivery = false;
  }

  /** Says a thing again that was said before. */
  repeat(compID: string, report: ExecutionReport): void {
    super.deliver(compID, { msgType: MsgType.ExecutionReport, report });
  }

  #note(compID: string, report: ExecutionReport): void {
    const { execType } = report;
    if (execType === ExecType.OrderStatus) return;
    if (execType === ExecType.Trade || execType === ExecType.TradeCancel || execType === ExecType.TradeCorrect) {
      this.record.executions.push({ compID, report });
      this.record.byExecID.set(report.execID, report);
    }
    const orderID = parseClOrdID(report.clOrdID)?.orderID ?? 0;
    // A second placing of an order is refused, and changes nothing of the first.
    if (execType === ExecType.Rejected && this.record.lastReports.has(orderID)) return;
    this.record.lastReports.set(orderID, report);
  }
}

/**
 * The exchange of a simulated day: the order entry and the matching engine of the exchange simulator over a few instruments, with a public that keeps
 * the books filled. It never dies; its sessions do.
 */
export class ModelExchange implements OrderVenue, ExecutionListener, FixApplication {
  readonly engine: MatchingEngine;
  readonly orders: OrderEntry;
  readonly ends = new Map<string, WireEnd>();
  readonly instruments: readonly Instrument[];
  /** Trades as the market sees them. */
  onTrade: (index: number, pricePaise: number) => void = () => {};
  /** Requests as they are taken, in sequence. */
  onRequest: (message: FixMessage) => void = () => {};
  readonly #mailboxes = new RecordingMailboxes();
  readonly #middlePaise: number[];
  readonly #trades: { readonly tsMicros: number; readonly pricePaise: number }[][];
  readonly #scheduler: Scheduler;
  readonly #random: Prng;

  constructor(
    instruments: readonly Instrument[],
    compIDs: readonly string[],
    idPrefix: string,
    scheduler: Scheduler,
    random: Prng,
  ) {
    this.instruments = instruments;
    this.#scheduler = scheduler;
    this.#random = random;
    this.engine = new MatchingEngine(instruments.length, ORDERS_MAX, this);
    this.orders = new OrderEntry(() => this, this.#mailboxes, idPrefix);
    this.#middlePaise = instruments.map(({ previousClosePaise }) => previousClosePaise);
    this.#trades = instruments.map(() => []);
    instruments.forEach((instrument, index) => {
      this.engine.list(index, instrument);
    });
    for (const compID of compIDs) {
      const end = new WireEnd(scheduler, random);
      end.use(this.#session(compID, end, new MemoryFixStore(STORE_BYTES)), null);
      this.ends.set(compID, end);
    }
  }

  get record(): ExchangeRecord {
    return this.#mailboxes.record;
  }

  execution(execID: string): ExecutionReport | undefined {
    return this.record.byExecID.get(execID);
  }

  hasTraded(instrumentId: number, isAtOrAbove: boolean, pricePaise: number, sinceMicros: number): boolean {
    const trades = this.#tradesOf(instrumentId);
    for (let at = trades.length - 1; at >= 0 && trades[at]!.tsMicros >= sinceMicros; at--) {
      const traded = trades[at]!.pricePaise;
      if (isAtOrAbove ? traded >= pricePaise : traded <= pricePaise) return true;
    }
    return false;
  }

  /** 0 before the first trade. */
  lastTradedPaise(instrumentId: number): number {
    return this.#tradesOf(instrumentId).at(-1)?.pricePaise ?? 0;
  }

  get isOpen(): boolean {
    return this.engine.marketOpen;
  }

  indexOfSymbol(symbol: string): number {
    return this.instruments.findIndex((instrument) => instrument.symbol === symbol);
  }

  submit(
    index: number,
    side: Side,
    type: OrderType,
    timeInForce: TimeInForce,
    pricePaise: number,
    quantity: number,
    reference: number,
  ): RejectCode {
    this.engine.nowMicros = this.#scheduler.nowMicros;
    if (this.#random.below(REFUSED_ONE_IN) === 0) return RejectCode.Halted;
    return this.engine.submit(index, side, type, timeInForce, pricePaise, quantity, Owner.Outside, reference);
  }

  cancel(order: number): RejectCode {
    this.engine.nowMicros = this.#scheduler.nowMicros;
    return this.engine.cancel(order);
  }

  replace(order: number, pricePaise: number, quantity: number): RejectCode {
    this.engine.nowMicros = this.#scheduler.nowMicros;
    if (this.#random.below(CHANGE_REFUSED_ONE_IN) === 0) return RejectCode.Halted;
    return this.engine.replace(order, pricePaise, quantity);
  }

  open(): void {
    this.engine.marketOpen = true;
    this.fillBooks();
  }

  /** The close: what rests expires. */
  close(): void {
    this.#setNow();
    this.instruments.forEach((_, index) => {
      this.engine.cancelAll(index, CancelReason.Expired);
    });
    this.engine.marketOpen = false;
  }

  /** Somebody of the public trades, or places an order. */
  act(): void {
    this.#setNow();
    const random = this.#random;
    const index = random.below(this.instruments.length);
    const { tickPaise, lotSize } = this.instruments[index]!;
    this.#middlePaise[index] = this.#inBand(index, this.#middlePaise[index]! + (random.below(5) - 2) * tickPaise);
    const side = random.below(2) === 0 ? Side.Buy : Side.Sell;
    if (random.below(3) === 0) {
      const quantity = (1 + random.below(40)) * lotSize;
      this.engine.submit(index, side, OrderType.Market, TimeInForce.Day, 0, quantity, Owner.Taker, 0);
    } else {
      this.#rest(index, side);
    }
  }

  middlePaise(index: number): number {
    return this.#middlePaise[index]!;
  }

  /** The public's orders around the middle, both sides. */
  fillBooks(): void {
    this.#setNow();
    for (let index = 0; index < this.instruments.length; index++) this.#fillBook(index);
  }

  #fillBook(index: number): void {
    for (let i = 0; i < RESTING_A_SIDE; i++) {
      this.#rest(index, Side.Buy);
      this.#rest(index, Side.Sell);
    }
  }

  /** Undoes or corrects one of the last executions of ours that still stand; false when there was none. */
  undoOne(): boolean {
    const { executions } = this.record;
    const last = executions.slice(-LOOKED_BACK).map(({ report }) => report);
    const undone = new Set(last.map(({ execRefID }) => execRefID));
    const standing = last.filter(({ execID, execType }) => execType !== ExecType.TradeCancel && !undone.has(execID));
    const chosen = standing[this.#random.below(standing.length)];
    if (chosen === undefined) return false;
    this.#setNow();
    const { tickPaise, lotSize } = this.instruments[this.indexOfSymbol(chosen.symbol)]!;
    const tsMicros = this.#scheduler.nowMicros;
    if (this.#random.below(2) === 0) this.orders.trades.bust(chosen.execID, tsMicros);
    else {
      const pricePaise = Math.max(tickPaise, chosen.lastPxPaise + (this.#random.below(5) - 2) * tickPaise);
      const quantity = (1 + this.#random.below(chosen.lastQty / lotSize)) * lotSize;
      this.orders.trades.correct(chosen.execID, pricePaise, quantity, tsMicros);
    }
    return true;
  }

  /** Tells one of the last executions of a session once more, under a number of its own. */
  repeatOne(compID: string): boolean {
    const { session } = this.ends.get(compID)!;
    const last = this.record.executions.slice(-LOOKED_BACK).filter((execution) => execution.compID === compID);
    const chosen = last[this.#random.below(last.length)]?.report;
    if (chosen === undefined || session === null || !session.loggedOn) return false;
    this.#setNow();
    this.#mailboxes.repeat(compID, chosen);
    return true;
  }

  /** The exchange's end of a session dies, with all that it had not sent, and a new one goes on from its store. */
  crashSession(compID: string): void {
    const end = this.ends.get(compID)!;
    const { store } = end.session!;
    end.disconnect();
    end.session!.disconnected(this.#scheduler.nowMs);
    end.use(this.#session(compID, end, store), null);
  }

  accepted(row: number): void {
    if (this.#isOutside(row)) this.orders.accepted(row);
  }

  traded(maker: number, taker: number, pricePaise: number, quantity: number): void {
    if (this.#isOutside(maker) || this.#isOutside(taker)) this.orders.traded(maker, taker, pricePaise, quantity);
    const index = this.engine.pool.instrument[taker]!;
    this.#trades[index]!.push({ tsMicros: this.#scheduler.nowMicros, pricePaise });
    this.onTrade(index, pricePaise);
  }

  canceled(row: number, reason: CancelReason): void {
    if (this.#isOutside(row)) this.orders.canceled(row, reason);
  }

  replaced(row: number): void {
    if (this.#isOutside(row)) this.orders.replaced(row);
  }

  onLogon(session: FixSession): void {
    this.#setNow();
    this.#mailboxes.logon(session);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    this.#setNow();
    this.onRequest(message);
    this.orders.take(session, message);
  }

  onGap(): void {}

  onLogout(session: FixSession): void {
    this.#mailboxes.logout(session);
  }

  #tradesOf(instrumentId: number): { readonly tsMicros: number; readonly pricePaise: number }[] {
    return this.#trades[this.instruments.findIndex((each) => each.instrumentId === instrumentId)]!;
  }

  #isOutside(row: number): boolean {
    return this.engine.pool.owner[row] === Owner.Outside;
  }

  #setNow(): void {
    this.engine.nowMicros = this.#scheduler.nowMicros;
    this.#mailboxes.nowMs = this.#scheduler.nowMs;
  }

  #rest(index: number, side: Side): void {
    const random = this.#random;
    const { tickPaise, lotSize } = this.instruments[index]!;
    const away = (1 + random.below(REACH_TICKS)) * tickPaise;
    const pricePaise = this.#inBand(index, this.#middlePaise[index]! + (side === Side.Buy ? -away : away));
    const quantity = (5 + random.below(60)) * lotSize;
    this.engine.submit(index, side, OrderType.Limit, TimeInForce.Day, pricePaise, quantity, Owner.Public, NO_ORDER);
  }

  #inBand(index: number, pricePaise: number): number {
    return Math.min(this.engine.upperBandPaise(index), Math.max(this.engine.lowerBandPaise(index), pricePaise));
  }

  #session(compID: string, end: WireEnd, store: FixStore): FixSession {
    const settings = {
      ...SESSION_DEFAULTS,
      role: 'acceptor' as const,
      senderCompID: EXCHANGE_COMP_ID,
      targetCompID: compID,
      gapPolicy: 'resend' as const,
      resetOnLogon: false,
      heartBtIntSeconds: 0,
    };
    return new FixSession(settings, end, this, store);
  }
}
