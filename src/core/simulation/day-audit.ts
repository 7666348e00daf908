import type { ExecutionReport } from '../fix/execution-report.ts';
import { ExecType, OrdStatus } from '../fix/generated/fix-enums.gen.ts';
import { isTerminal, type Order, OrderStatus } from '../ledger/order.ts';
import { type Findings, Invariant } from './findings.ts';
import type { LedgerAudit } from './ledger-audit.ts';
import type { ExchangeRecord } from './model-exchange.ts';
import type { ModelTables } from './model-tables.ts';

/** With nothing under way, both sides must say the same of every order, and every execution must be booked. */
export function auditAgreement(
  record: ExchangeRecord,
  tables: ModelTables,
  ledger: LedgerAudit,
  findings: Findings,
): void {
  for (const { report } of record.executions)
    findings.check(
      ledger.booked.has(report.execID),
      Invariant.FillOnce,
      () => `${report.execID} of order ${report.clOrdID} was never booked`,
    );
  for (const order of tables.orders.values()) {
    const last = record.lastReports.get(order.orderID);
    if (last === undefined) auditNeverThere(order, findings);
    else auditOrder(order, last, findings);
  }
}

/** The exchange never had it: it waits for its trigger, or it ended without leaving. */
function auditNeverThere(order: Order, findings: Findings): void {
  findings.check(
    order.status === OrderStatus.TriggerPending || (isTerminal(order.status) && order.cumQty === 0),
    Invariant.BrokerAndExchangeAgree,
    () => `order ${order.orderID} is in status ${order.status} and never reached the exchange`,
  );
}

function auditOrder(order: Order, last: ExecutionReport, findings: Findings): void {
  const endedThere = ENDED[last.ordStatus] === true;
  const isSame =
    order.cumQty === last.cumQty &&
    isTerminal(order.status) === endedThere &&
    order.pendingChanges.length === 0 &&
    (isTerminal(order.status) ||
      (order.terms.quantity === last.orderQty && order.terms.pricePaise === last.pricePaise));
  findings.check(
    isSame,
    Invariant.BrokerAndExchangeAgree,
    () =>
      `order ${order.orderID}: status ${order.status}, ${order.cumQty} of ${order.terms.quantity} at ${order.terms.pricePaise}, ` +
      `${order.pendingChanges.length} changes open; the exchange has ${String.fromCharCode(last.ordStatus)}, ${last.cumQty} of ${last.orderQty} at ${last.pricePaise}`,
  );
  const isRejected = last.execType === ExecType.Rejected;
  findings.check(
    !isRejected || order.status === OrderStatus.Rejected,
    Invariant.BrokerAndExchangeAgree,
    () => `order ${order.orderID} was rejected and is in status ${order.status}`,
  );
}

const ENDED: Partial<Record<number, boolean>> = {
  [OrdStatus.Filled]: true,
  [OrdStatus.Canceled]: true,
  [OrdStatus.Expired]: true,
  [OrdStatus.Rejected]: true,
};
