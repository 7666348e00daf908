import { type Account, type Position, positionKey } from '../ledger/account.ts';
import {
  type Charges,
  type EventDetail,
  EventType,
  type ExecutionDetail,
  LedgerAccount,
  type LedgerEvent,
} from '../ledger/ledger-event.ts';
import { isTerminal, type Order, OrderSide, Product } from '../ledger/order.ts';
import { type Findings, Invariant } from './findings.ts';

/** Margin of an open position, in hundredths of what it is worth. */
const MARGIN_PERCENT: Readonly<Record<Product, number>> = { [Product.CNC]: 0, [Product.MIS]: 20, [Product.NRML]: 100 };

const CHARGE_ACCOUNTS: readonly (readonly [LedgerAccount, keyof Charges])[] = [
  [LedgerAccount.Brokerage, 'brokeragePaise'],
  [LedgerAccount.SecuritiesTransactionTax, 'sttPaise'],
  [LedgerAccount.ExchangeFees, 'exchangePaise'],
  [LedgerAccount.SebiFees, 'sebiPaise'],
  [LedgerAccount.StampDuty, 'stampDutyPaise'],
  [LedgerAccount.Gst, 'gstPaise'],
  [LedgerAccount.DepositoryFees, 'depositoryPaise'],
];

const NOTHING_OPEN: Pick<Position, 'quantity' | 'openValuePaise' | 'marginPaise'> = {
  quantity: 0,
  openValuePaise: 0,
  marginPaise: 0,
};

type Execution = Extract<EventDetail, ExecutionDetail>;

/**
 * What must be true of one event by itself, given the account before it: said again in plain arithmetic, with no code of the ledger's.
 */
export function auditEvent(account: Account, event: LedgerEvent, findings: Findings): void {
  const { detail, userId, seq } = event;
  const name = (): string => `event ${seq} of user ${userId}, type ${detail.type}`;
  const sums = sumsOf(event);
  let total = 0;
  for (const sum of sums.values()) total += sum;
  findings.check(total === 0, Invariant.PostingsZero, () => `${name()}: postings sum to ${total}`);

  const order = account.orders.get(event.orderID);
  const holdBefore = order?.holdPaise ?? 0;
  const holdAfter = 'holdPaise' in detail ? detail.holdPaise : endsOrder(detail) ? 0 : holdBefore;
  const held = sums.get(LedgerAccount.Held) ?? 0;
  findings.check(
    held === holdAfter - holdBefore,
    Invariant.MoneyConserved,
    () => `${name()}: Held moves by ${held}, the order's hold from ${holdBefore} to ${holdAfter}`,
  );
  if (takesMoney(detail)) {
    const available = account.availablePaise + (sums.get(LedgerAccount.Available) ?? 0);
    const takes = (sums.get(LedgerAccount.Available) ?? 0) < 0;
    findings.check(
      !takes || available >= 0,
      Invariant.AvailableNotNegative,
      () => `${name()}: ${available} paise are left`,
    );
  }
  if (detail.type === EventType.OrderPlaced) auditExposure(account, event, detail, findings);
  if (detail.type === EventType.ContractNoteIssued) auditCharges(detail.charges, sums, name, findings);
  if (isExecution(detail)) auditExecution(account, event, detail, sums, findings);
}

/** What a new order may trade beyond the position that no other order counts on is held for. */
function auditExposure(
  account: Account,
  { orderID, instrumentId, product, userId }: LedgerEvent,
  detail: Extract<EventDetail, { type: typeof EventType.OrderPlaced }>,
  findings: Findings,
): void {
  const { side, terms, exposureQty } = detail;
  // A square-off goes before what its user has resting, whose hold is raised in the same batch: that is looked at then.
  if (product === 0 || product === Product.CNC || detail.holdPricePaise === 0) return;
  const open = account.positions.get(positionKey(instrumentId, product))?.quantity ?? 0;
  let closable = side === OrderSide.Buy ? -open : open;
  for (const order of account.orders.values()) {
    const isSame = order.instrumentId === instrumentId && order.product === product && order.side === side;
    if (isSame && !isTerminal(order.status)) closable -= leavesMax(order) - order.exposureQty;
  }
  const needed = Math.max(0, terms.quantity - Math.max(0, closable));
  findings.check(
    exposureQty >= needed,
    Invariant.HoldsCoverOrders,
    () => `order ${orderID} of user ${userId} may open ${needed} and holds for ${exposureQty}`,
  );
}

/** The most that may still be traded for an order, whatever of its changes is taken. */
export function leavesMax({ terms, pendingChanges, cumQty }: Order): number {
  let quantity = terms.quantity;
  for (const change of pendingChanges) quantity = Math.max(quantity, change.terms?.quantity ?? 0);
  return Math.max(0, quantity - cumQty);
}

function auditExecution(
  account: Account,
  event: LedgerEvent,
  detail: Execution,
  sums: ReadonlyMap<LedgerAccount, number>,
  findings: Findings,
): void {
  const order = account.orders.get(event.orderID);
  if (order === undefined) {
    findings.add(Invariant.PositionsEqualFills, `an execution of order ${event.orderID}, which nobody placed`);
    return;
  }
  const before = account.positions.get(positionKey(order.instrumentId, order.product)) ?? NOTHING_OPEN;
  const sign = order.side === OrderSide.Buy ? 1 : -1;
  const { quantity, valuePaise } = executed(detail);
  const after = detail.position;
  const name = (): string => `execution ${detail.execID} of order ${order.orderID}`;
  findings.check(
    after.quantity === before.quantity + sign * quantity,
    Invariant.PositionsEqualFills,
    () => `${name()}: ${before.quantity} and ${sign * quantity} make ${after.quantity}`,
  );
  findings.check(
    after.openValuePaise === before.openValuePaise + sign * valuePaise + after.realisedPaise,
    Invariant.MoneyConserved,
    () =>
      `${name()}: ${before.openValuePaise} open, ${sign * valuePaise} traded, ${after.realisedPaise} realised, ${after.openValuePaise} open after`,
  );
  const margin = Math.ceil((Math.abs(after.openValuePaise) * MARGIN_PERCENT[order.product]) / 100);
  findings.check(
    after.marginPaise === margin,
    Invariant.HoldsCoverOrders,
    () => `${name()}: margin ${after.marginPaise} for ${after.openValuePaise} open`,
  );
  const marginMoved = sums.get(LedgerAccount.Margin) ?? 0;
  findings.check(
    marginMoved === after.marginPaise - before.marginPaise,
    Invariant.MoneyConserved,
    () =>
      `${name()}: Margin moves by ${marginMoved}, the position's from ${before.marginPaise} to ${after.marginPaise}`,
  );
  const owed = order.product === Product.CNC ? sign * valuePaise : -after.realisedPaise;
  const moved = sums.get(LedgerAccount.Exchange) ?? 0;
  findings.check(
    moved === owed,
    Invariant.MoneyConserved,
    () => `${name()}: Exchange moves by ${moved} where ${owed} is owed`,
  );
  auditCharges(detail.charges, sums, name, findings);
}

/** Each item is posted to whom it is owed. */
function auditCharges(
  charges: Charges,
  sums: ReadonlyMap<LedgerAccount, number>,
  name: () => string,
  findings: Findings,
): void {
  for (const [ledgerAccount, item] of CHARGE_ACCOUNTS) {
    const posted = sums.get(ledgerAccount) ?? 0;
    findings.check(
      posted === charges[item],
      Invariant.MoneyConserved,
      () => `${name()}: ${item} is ${charges[item]}, ${posted} is posted`,
    );
  }
}

/** Shares and value that an execution adds, negative where it takes back. */
export function executed(detail: Execution): { readonly quantity: number; readonly valuePaise: number } {
  const { lastQty, lastPxPaise } = detail;
  if (detail.type === EventType.OrderFilled) return { quantity: lastQty, valuePaise: lastQty * lastPxPaise };
  const { undone } = detail;
  const undonePaise = undone.lastQty * undone.lastPxPaise;
  if (detail.type === EventType.TradeBusted) return { quantity: -undone.lastQty, valuePaise: -undonePaise };
  return { quantity: lastQty - undone.lastQty, valuePaise: lastQty * lastPxPaise - undonePaise };
}

export function isExecution(detail: EventDetail): detail is Execution {
  const { type } = detail;
  return type === EventType.OrderFilled || type === EventType.TradeBusted || type === EventType.TradeCorrected;
}

function endsOrder({ type }: EventDetail): boolean {
  return type === EventType.OrderCanceled || type === EventType.OrderRejected || type === EventType.OrderExpired;
}

/** What is only done when it is paid for. */
function takesMoney({ type }: EventDetail): boolean {
  return type === EventType.OrderPlaced || type === EventType.ModifyRequested || type === EventType.Withdrawn;
}

function sumsOf(event: LedgerEvent): Map<LedgerAccount, number> {
  const sums = new Map<LedgerAccount, number>();
  for (const { account, amountPaise } of event.postings) sums.set(account, (sums.get(account) ?? 0) + amountPaise);
  return sums;
}
