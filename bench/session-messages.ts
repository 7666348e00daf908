import type { ExecutionReport } from '../src/core/fix/execution-report.ts';
import { ExecType, OrdStatus, OrdType, Side, TimeInForce } from '../src/core/fix/generated/fix-enums.gen.ts';
import type { NewOrderSingle } from '../src/core/fix/order-messages.ts';

export const SESSION_COMP_IDS = { broker: 'OUTCRY', venue: 'VENUE' } as const;

const SYMBOLS = ['RELIANCE', 'TCS', 'M&M', 'HDFCBANK', 'BAJAJ-AUTO', 'INFY', 'SBIN', 'LT'];
/** 2026-03-02 09:15 Asia/Kolkata. */
const FIRST_MICROS = Date.UTC(2026, 2, 2, 3, 45) * 1_000;
const KINDS = 1_024;

/** Orders and reports are made before they are measured, and used over and over. */
const orders = Array.from({ length: KINDS }, (_, i) => makeOrder(i));
const reports = Array.from({ length: KINDS }, (_, i) => makeReport(i));

export function benchOrder(number: number): NewOrderSingle {
  return orders[number % KINDS]!;
}

export function benchReport(number: number): ExecutionReport {
  return reports[number % KINDS]!;
}

function makeOrder(number: number): NewOrderSingle {
  return {
    clOrdID: `5${String(number).padStart(17, '0')}`,
    account: `A${number % 97}`,
    symbol: SYMBOLS[number % SYMBOLS.length]!,
    side: number % 2 === 0 ? Side.Buy : Side.Sell,
    orderQty: 1 + (number % 500),
    ordType: OrdType.Limit,
    pricePaise: 100_000 + number * 5,
    timeInForce: TimeInForce.Day,
    transactTimeMicros: FIRST_MICROS + number * 1_000,
  };
}

/** A trade, half of the order each. */
function makeReport(number: number): ExecutionReport {
  const order = makeOrder(number);
  return {
    ...order,
    orderID: `V${String(number).padStart(12, '0')}`,
    origClOrdID: '',
    execID: `X${String(number).padStart(12, '0')}`,
    execRefID: '',
    execType: ExecType.Trade,
    ordStatus: OrdStatus.PartiallyFilled,
    ordRejReason: null,
    orderQty: order.orderQty * 2,
    lastQty: order.orderQty,
    lastPxPaise: order.pricePaise,
    leavesQty: order.orderQty,
    cumQty: order.orderQty,
    avgPxPaise: order.pricePaise,
    text: '',
    ordStatusReqID: '',
    massStatusReqID: '',
    totNumReports: 0,
    lastRptRequested: false,
  };
}
