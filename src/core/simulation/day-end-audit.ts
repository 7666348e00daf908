import type { Account, Position } from '../ledger/account.ts';
import { EventType, type LedgerEvent } from '../ledger/ledger-event.ts';
import { isTerminal, Product } from '../ledger/order.ts';
import { isExecution } from './event-audit.ts';
import { type Findings, Invariant } from './findings.ts';

/** The moments of the simulated day, epoch microseconds. */
export interface DayMoments {
  readonly openMicros: number;
  readonly squareOffMicros: number;
  readonly closeMicros: number;
  /** T+1: deliveries become holdings. */
  readonly settleMicros: number;
  readonly nextOpenMicros: number;
}

/** What a client order id of a square-off begins with. */
export const SQUARE_OFF_PREFIX = 'SQUAREOFF-';
const PAISE_A_RUPEE = 100;

/** Charged for the executions since the last note. */
interface Charged {
  executionCount: number;
  sttPaise: number;
  stampDutyPaise: number;
}

/** The end of the day, said again in plain arithmetic: each of its events, and what must be so when it is over. */
export class DayEndAudit {
  readonly #findings: Findings;
  readonly #moments: DayMoments;
  readonly #charged = new Map<number, Charged>();

  constructor(findings: Findings, moments: DayMoments) {
    this.#findings = findings;
    this.#moments = moments;
  }

  /** An event, with the account as it is before it. */
  event(account: Account, event: LedgerEvent): void {
    const { detail } = event;
    if (isExecution(detail)) {
      const charged = this.#chargedOf(event.userId);
      charged.executionCount++;
      charged.sttPaise += detail.charges.sttPaise;
      charged.stampDutyPaise += detail.charges.stampDutyPaise;
      return;
    }
    switch (detail.type) {
      case EventType.OrderPlaced:
        this.#auditPlaced(event);
        break;
      case EventType.OrderExpired:
        this.#auditExpired(account, event);
        break;
      case EventType.ContractNoteIssued:
        this.#auditNote(event);
        break;
      case EventType.PositionSettled:
        this.#auditSettled(account, event);
        break;
      default:
    }
  }

  /** When all is at rest. */
  atRest(accounts: Iterable<Account>, nowMicros: number): void {
    const { squareOffMicros, closeMicros, settleMicros } = this.#moments;
    for (const account of accounts) {
      if (nowMicros >= squareOffMicros && nowMicros < closeMicros) this.#auditIntraday(account);
      if (nowMicros >= closeMicros) this.#auditOrdersOver(account);
      if (nowMicros >= settleMicros) this.#auditSettledAll(account, nowMicros);
    }
  }

  /** The engine says that a session of these orders may begin anew. */
  mayReset(sessionName: string, live: Iterable<{ readonly orderID: number; readonly placedMicros: number }>): void {
    for (const { orderID, placedMicros } of live)
      this.#findings.check(
        placedMicros >= this.#moments.closeMicros,
        Invariant.DayEnds,
        () => `${sessionName} may begin anew, and order ${orderID} of the day is alive`,
      );
  }

  /** From the square-off to the close nothing intraday is begun. */
  #auditPlaced({ detail, product, orderID, tsMicros }: LedgerEvent): void {
    const { squareOffMicros, closeMicros } = this.#moments;
    if (detail.type !== EventType.OrderPlaced || product !== Product.MIS) return;
    const isLate = tsMicros >= squareOffMicros && tsMicros < closeMicros;
    this.#findings.check(
      !isLate || detail.clientOrderID.startsWith(SQUARE_OFF_PREFIX),
      Invariant.DayEnds,
      () => `intraday order ${orderID} is placed after the square-off`,
    );
  }

  #auditExpired(account: Account, { orderID, tsMicros }: LedgerEvent): void {
    const placedMicros = account.orders.get(orderID)?.placedMicros ?? 0;
    const { closeMicros } = this.#moments;
    this.#findings.check(
      placedMicros < closeMicros && tsMicros >= closeMicros,
      Invariant.DayEnds,
      () => `order ${orderID} expires before its day is over`,
    );
  }

  /** Tax and duty are whole rupees with it, nothing else is charged, and it is about something. */
  #auditNote({ userId, detail, tsMicros, seq }: LedgerEvent): void {
    if (detail.type !== EventType.ContractNoteIssued) return;
    const { sttPaise, stampDutyPaise, ...others } = detail.charges;
    const charged = this.#chargedOf(userId);
    const isRight =
      charged.executionCount > 0 &&
      tsMicros >= this.#moments.closeMicros &&
      isRounding(charged.sttPaise, sttPaise) &&
      isRounding(charged.stampDutyPaise, stampDutyPaise) &&
      Object.values(others).every((paise) => paise === 0);
    this.#findings.check(
      isRight,
      Invariant.DayEnds,
      () => `note ${seq} of user ${userId} rounds ${JSON.stringify(charged)} by ${JSON.stringify(detail.charges)}`,
    );
    this.#charged.delete(userId);
  }

  /** What leaves the position is what the holding gets, and what it cost. */
  #auditSettled(account: Account, { userId, detail, instrumentId, tsMicros }: LedgerEvent): void {
    if (detail.type !== EventType.PositionSettled) return;
    const before = positionsOf(account, Product.CNC).find((position) => position.instrumentId === instrumentId);
    const { position: after, holdingQuantity, holdingValuePaise } = detail;
    const isRight =
      before !== undefined &&
      tsMicros >= this.#moments.settleMicros &&
      holdingQuantity === before.quantity - after.quantity &&
      holdingValuePaise === before.openValuePaise - after.openValuePaise + after.realisedPaise;
    this.#findings.check(
      isRight,
      Invariant.DayEnds,
      () =>
        `user ${userId} gets ${holdingQuantity} of ${instrumentId} for ${holdingValuePaise} out of ${JSON.stringify(before)}`,
    );
  }

  #auditIntraday(account: Account): void {
    for (const { instrumentId, quantity } of positionsOf(account, Product.MIS))
      this.#findings.check(
        quantity === 0,
        Invariant.DayEnds,
        () => `user ${account.userId} has ${quantity} of ${instrumentId} open after the square-off`,
      );
    for (const { orderID, product, status } of account.orders.values())
      this.#findings.check(
        product !== Product.MIS || isTerminal(status),
        Invariant.DayEnds,
        () => `intraday order ${orderID} is alive after the square-off`,
      );
  }

  #auditOrdersOver(account: Account): void {
    for (const { orderID, placedMicros, status } of account.orders.values())
      this.#findings.check(
        isTerminal(status) || placedMicros >= this.#moments.closeMicros,
        Invariant.DayEnds,
        () => `order ${orderID} is alive after the close of its day`,
      );
  }

  #auditSettledAll(account: Account, nowMicros: number): void {
    const { closeMicros, nextOpenMicros } = this.#moments;
    const { userId } = account;
    const closeDate = dateOf(closeMicros);
    for (const { instrumentId, quantity, tradingDay } of positionsOf(account, Product.CNC))
      this.#findings.check(
        quantity === 0 || tradingDay > closeDate,
        Invariant.DayEnds,
        () => `${quantity} of ${instrumentId} of user ${userId} are not in the holdings`,
      );
    // What was open at the close is closed when the market opens.
    if (nowMicros >= nextOpenMicros)
      for (const { instrumentId, quantity, tradingDay } of positionsOf(account, Product.MIS))
        this.#findings.check(
          quantity === 0 || tradingDay > closeDate,
          Invariant.DayEnds,
          () => `user ${userId} has ${quantity} of ${instrumentId} open since the day before`,
        );
    else
      this.#findings.check(
        this.#chargedOf(userId).executionCount === 0,
        Invariant.DayEnds,
        () => `user ${userId} has no note of ${this.#chargedOf(userId).executionCount} executions`,
      );
  }

  #chargedOf(userId: number): Charged {
    let charged = this.#charged.get(userId);
    if (charged === undefined) {
      charged = { executionCount: 0, sttPaise: 0, stampDutyPaise: 0 };
      this.#charged.set(userId, charged);
    }
    return charged;
  }
}

function isRounding(chargedPaise: number, byPaise: number): boolean {
  return (chargedPaise + byPaise) % PAISE_A_RUPEE === 0 && Math.abs(byPaise) <= PAISE_A_RUPEE / 2;
}

function positionsOf(account: Account, product: Product): Position[] {
  return [...account.positions.values()].filter((position) => position.product === product);
}

/** The Indian date of a moment of the trading day, which is that of UTC. */
function dateOf(tsMicros: number): string {
  return new Date(tsMicros / 1_000).toISOString().slice(0, 10);
}
