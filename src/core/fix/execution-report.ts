import { ExecutionReportRecord } from './execution-report-record.ts';
import type { Parsed } from './field-reader.ts';
import type { FixEncoder } from './fix-encoder.ts';
import type { FixMessage } from './fix-message.ts';
import { FixVersion } from './fix-version.ts';
import { EXEC_TRANS_TYPE, execTransTypeOf, execType42Of } from './fix42-executions.ts';
import {
  type ExecType,
  OrdRejReason,
  type OrdStatus,
  type OrdType,
  type Side,
  type TimeInForce,
} from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';

/**
 * ExecutionReport (8) as a typed value: every state of an order, every fill, and what undoes one. Everything is in the terms of FIX 4.4; with version 4.2 it is
 * written and read in those of 4.2. `execution-report-record.ts` is the reader that allocates nothing.
 */

/** Prices are integer paise, 0 where there is none, identifiers '' where there is none. */
export interface ExecutionReport {
  orderID: string;
  clOrdID: string;
  origClOrdID: string;
  execID: string;
  /** The ExecID(17) that a TradeCancel or TradeCorrect undoes or changes. */
  execRefID: string;
  execType: ExecType;
  ordStatus: OrdStatus;
  /** Only on a rejection. */
  ordRejReason: OrdRejReason | null;
  account: string;
  symbol: string;
  side: Side;
  orderQty: number;
  ordType: OrdType;
  pricePaise: number;
  /** StopPx(99) of a stop order that waits here; a venue, which has none of ours, is not read for it. */
  stopPxPaise?: number;
  timeInForce: TimeInForce;
  /** Of this execution; both 0 when nothing was traded. */
  lastQty: number;
  lastPxPaise: number;
  leavesQty: number;
  cumQty: number;
  /** Rounded to the paisa, for people to read; money is the sum of LastPx × LastQty. */
  avgPxPaise: number;
  transactTimeMicros: number;
  text: string;
  /** Of an answer to an OrderStatusRequest (H) that had one. */
  ordStatusReqID: string;
  /** Of an answer to an OrderMassStatusRequest (AF): which one, how many reports it gets, and whether this is the last. */
  massStatusReqID: string;
  totNumReports: number;
  lastRptRequested: boolean;
}

const ORD_REJ_REASON_42_MAX = OrdRejReason.StaleOrder;
const YES = 89;
const NO = 78;

const record = new ExecutionReportRecord();

/** An ExecutionReport as a typed value, or what is wrong with it. */
export function readExecutionReport(
  message: FixMessage,
  version: FixVersion = FixVersion.Fix44,
): Parsed<ExecutionReport> {
  if (record.read(message, version)) return { ok: true, value: record.toReport() };
  return { ok: false, ...record.problem() };
}

/** Body of an ExecutionReport; with version 4.2 in its terms. */
export function writeExecutionReport(
  encoder: FixEncoder,
  report: ExecutionReport,
  version: FixVersion = FixVersion.Fix44,
): void {
  const is42 = version === FixVersion.Fix42;
  encoder.ascii(Tag.OrderID, report.orderID);
  if (report.clOrdID !== '') encoder.ascii(Tag.ClOrdID, report.clOrdID);
  if (report.origClOrdID !== '') encoder.ascii(Tag.OrigClOrdID, report.origClOrdID);
  if (!is42 && report.ordStatusReqID !== '') encoder.ascii(Tag.OrdStatusReqID, report.ordStatusReqID);
  if (!is42 && report.massStatusReqID !== '') {
    encoder.ascii(Tag.MassStatusReqID, report.massStatusReqID);
    encoder.int(Tag.TotNumReports, report.totNumReports);
    encoder.char(Tag.LastRptRequested, report.lastRptRequested ? YES : NO);
  }
  encoder.ascii(Tag.ExecID, report.execID);
  if (is42) encoder.char(EXEC_TRANS_TYPE, execTransTypeOf(report.execType));
  if (report.execRefID !== '') encoder.ascii(Tag.ExecRefID, report.execRefID);
  encoder.char(
    Tag.ExecType,
    is42 ? execType42Of(report.execType, report.ordStatus, report.leavesQty) : report.execType,
  );
  encoder.char(Tag.OrdStatus, report.ordStatus);
  if (report.ordRejReason !== null) {
    const isKnown = !is42 || report.ordRejReason <= ORD_REJ_REASON_42_MAX;
    encoder.int(Tag.OrdRejReason, isKnown ? report.ordRejReason : OrdRejReason.Broker);
  }
  if (report.account !== '') encoder.ascii(Tag.Account, report.account);
  encoder.ascii(Tag.Symbol, report.symbol);
  encoder.char(Tag.Side, report.side);
  encoder.int(Tag.OrderQty, report.orderQty);
  encoder.char(Tag.OrdType, report.ordType);
  if (report.pricePaise !== 0) encoder.pricePaise(Tag.Price, report.pricePaise);
  if (report.stopPxPaise !== undefined) encoder.pricePaise(Tag.StopPx, report.stopPxPaise);
  encoder.char(Tag.TimeInForce, report.timeInForce);
  if (report.lastQty !== 0) {
    encoder.int(Tag.LastQty, report.lastQty);
    encoder.pricePaise(Tag.LastPx, report.lastPxPaise);
  }
  encoder.int(Tag.LeavesQty, report.leavesQty);
  encoder.int(Tag.CumQty, report.cumQty);
  encoder.pricePaise(Tag.AvgPx, report.avgPxPaise);
  encoder.utcTimestampMicros(Tag.TransactTime, report.transactTimeMicros);
  if (report.text !== '') encoder.ascii(Tag.Text, report.text);
}
