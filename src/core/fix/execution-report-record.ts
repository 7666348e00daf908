// hot: `read`, per ExecutionReport. One pass over the field index, integers and positions; no string, no object, no exception.
import type { ExecutionReport } from './execution-report.ts';
import { type FieldProblem, IDENTIFIER_LENGTH_MAX, TEXT_LENGTH_MAX } from './field-reader.ts';
import { FixMessage } from './fix-message.ts';
import { INVALID_VALUE, readRoundedPricePaise } from './fix-values.ts';
import { FixVersion } from './fix-version.ts';
import { EXEC_TRANS_TYPE, execTypeFrom42 } from './fix42-executions.ts';
import {
  ExecType,
  OrdRejReason,
  OrdStatus,
  OrdType,
  SessionRejectReason,
  Side,
  TimeInForce,
} from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';

const EXEC_TYPES = valueSet(ExecType);
const ORD_STATUSES = valueSet(OrdStatus);
const SIDES = valueSet(Side);
const ORD_TYPES = valueSet(OrdType);
const TIMES_IN_FORCE = valueSet(TimeInForce);
const ORD_REJ_REASONS = valueSet(OrdRejReason);
const YES = 89;
const NO_FIELD = -1;
const NO_MESSAGE = new FixMessage();

/**
 * One ExecutionReport, filled in place by `read` and reused: numbers and codes as integers, identifiers and texts as positions in `message`
 * (−1 for none), whose bytes are the socket's. Copy what outlives the call; `toReport` copies all of it.
 */
export class ExecutionReportRecord {
  message: FixMessage = NO_MESSAGE;
  execType: ExecType = ExecType.New;
  ordStatus: OrdStatus = OrdStatus.New;
  /** −1 when there is none. */
  ordRejReason = -1;
  side: Side = Side.Buy;
  ordType: OrdType = OrdType.Market;
  timeInForce: TimeInForce = TimeInForce.Day;
  orderQty = 0;
  pricePaise = 0;
  lastQty = 0;
  lastPxPaise = 0;
  leavesQty = 0;
  cumQty = 0;
  avgPxPaise = 0;
  transactTimeMicros = 0;
  totNumReports = 0;
  lastRptRequested = false;
  /** Positions of the identifiers and texts in `message`; `text` makes a string of one. */
  orderIDAt = NO_FIELD;
  clOrdIDAt = NO_FIELD;
  origClOrdIDAt = NO_FIELD;
  execIDAt = NO_FIELD;
  execRefIDAt = NO_FIELD;
  accountAt = NO_FIELD;
  symbolAt = NO_FIELD;
  textAt = NO_FIELD;
  ordStatusReqIDAt = NO_FIELD;
  massStatusReqIDAt = NO_FIELD;
  /** Why `read` returned false: the tag, and whether it is missing, of another type, or of a value that does not exist. */
  errorTag = 0;
  errorReason: SessionRejectReason = SessionRejectReason.Other;

  #execTransType = 0;
  #hasLeavesQty = false;
  #hasCumQty = false;
  #hasAvgPx = false;
  #hasSide = false;
  #hasExecType = false;
  #hasOrdStatus = false;

  /** Takes a message in; false, with `errorTag` and `errorReason`, when it is no ExecutionReport that can be used. */
  read(message: FixMessage, version: FixVersion = FixVersion.Fix44): boolean {
    this.#clear(message);
    const { tags, count } = message;
    for (let at = message.bodyPosition; at < count; at++) this.#field(message, tags[at]!, at);
    if (this.errorTag !== 0) return false;
    if (version === FixVersion.Fix42) this.#translateFrom42();
    return this.#isWhole();
  }

  /** Why `read` returned false, in words too. */
  problem(): FieldProblem {
    const { errorTag: refTagID, errorReason: sessionRejectReason } = this;
    const isMissing = sessionRejectReason === SessionRejectReason.RequiredTagMissing;
    return { refTagID, sessionRejectReason, text: isMissing ? 'required tag missing' : 'value is incorrect' };
  }

  /** The string at a position of this record; '' for none. It allocates. */
  text(at: number): string {
    return at < 0 ? '' : this.message.ascii(at);
  }

  /** A copy that stays. */
  toReport(): ExecutionReport {
    return {
      orderID: this.text(this.orderIDAt),
      clOrdID: this.text(this.clOrdIDAt),
      origClOrdID: this.text(this.origClOrdIDAt),
      execID: this.text(this.execIDAt),
      execRefID: this.text(this.execRefIDAt),
      execType: this.execType,
      ordStatus: this.ordStatus,
      ordRejReason: this.ordRejReason < 0 ? null : (this.ordRejReason as OrdRejReason),
      account: this.text(this.accountAt),
      symbol: this.text(this.symbolAt),
      side: this.side,
      orderQty: this.orderQty,
      ordType: this.ordType,
      pricePaise: this.pricePaise,
      timeInForce: this.timeInForce,
      lastQty: this.lastQty,
      lastPxPaise: this.lastPxPaise,
      leavesQty: this.leavesQty,
      cumQty: this.cumQty,
      avgPxPaise: this.avgPxPaise,
      transactTimeMicros: this.transactTimeMicros,
      text: this.text(this.textAt).slice(0, TEXT_LENGTH_MAX),
      ordStatusReqID: this.text(this.ordStatusReqIDAt),
      massStatusReqID: this.text(this.massStatusReqIDAt),
      totNumReports: this.totNumReports,
      lastRptRequested: this.lastRptRequested,
    };
  }

  #clear(message: FixMessage): void {
    this.message = message;
    this.execType = ExecType.New;
    this.ordStatus = OrdStatus.New;
    this.ordRejReason = -1;
    this.side = Side.Buy;
    this.ordType = OrdType.Market;
    this.timeInForce = TimeInForce.Day;
    this.orderQty = 0;
    this.pricePaise = 0;
    this.lastQty = 0;
    this.lastPxPaise = 0;
    this.leavesQty = 0;
    this.cumQty = 0;
    this.avgPxPaise = 0;
    this.transactTimeMicros = 0;
    this.totNumReports = 0;
    this.lastRptRequested = false;
    this.orderIDAt = NO_FIELD;
    this.clOrdIDAt = NO_FIELD;
    this.origClOrdIDAt = NO_FIELD;
    this.execIDAt = NO_FIELD;
    this.execRefIDAt = NO_FIELD;
    this.accountAt = NO_FIELD;
    this.symbolAt = NO_FIELD;
    this.textAt = NO_FIELD;
    this.ordStatusReqIDAt = NO_FIELD;
    this.massStatusReqIDAt = NO_FIELD;
    this.errorTag = 0;
    this.errorReason = SessionRejectReason.Other;
    this.#execTransType = 0;
    this.#hasLeavesQty = false;
    this.#hasCumQty = false;
    this.#hasAvgPx = false;
    this.#hasSide = false;
    this.#hasExecType = false;
    this.#hasOrdStatus = false;
  }

  #field(message: FixMessage, tag: number, at: number): void {
    switch (tag) {
      case Tag.OrderID:
        this.orderIDAt = this.#identifier(message, at);
        break;
      case Tag.ClOrdID:
        this.clOrdIDAt = this.#identifier(message, at);
        break;
      case Tag.OrigClOrdID:
        this.origClOrdIDAt = this.#identifier(message, at);
        break;
      case Tag.ExecID:
        this.execIDAt = this.#identifier(message, at);
        break;
      case Tag.ExecRefID:
        this.execRefIDAt = this.#identifier(message, at);
        break;
      case Tag.Account:
        this.accountAt = this.#identifier(message, at);
        break;
      case Tag.Symbol:
        this.symbolAt = this.#identifier(message, at);
        break;
      case Tag.OrdStatusReqID:
        this.ordStatusReqIDAt = this.#identifier(message, at);
        break;
      case Tag.MassStatusReqID:
        this.massStatusReqIDAt = this.#identifier(message, at);
        break;
      case Tag.Text:
        this.textAt = at;
        break;
      case Tag.ExecType:
        // 4.2's own two are looked at when the version is known.
        this.execType = message.char(at) as ExecType;
        this.#hasExecType = true;
        break;
      case EXEC_TRANS_TYPE:
        this.#execTransType = message.char(at);
        break;
      case Tag.OrdStatus:
        this.ordStatus = this.#code(message, at, ORD_STATUSES) as OrdStatus;
        this.#hasOrdStatus = true;
        break;
      case Tag.Side:
        this.side = this.#code(message, at, SIDES) as Side;
        this.#hasSide = true;
        break;
      case Tag.OrdType:
        this.ordType = this.#code(message, at, ORD_TYPES) as OrdType;
        break;
      case Tag.TimeInForce:
        this.timeInForce = this.#code(message, at, TIMES_IN_FORCE) as TimeInForce;
        break;
      case Tag.OrdRejReason: {
        const reason = message.int(at);
        this.ordRejReason = reason;
        if (reason < 0 || reason >= ORD_REJ_REASONS.length || ORD_REJ_REASONS[reason] === 0)
          this.#refuse(tag, SessionRejectReason.ValueIsIncorrect);
        break;
      }
      case Tag.OrderQty:
        this.orderQty = this.#number(tag, message.int(at));
        break;
      case Tag.LastQty:
        this.lastQty = this.#number(tag, message.int(at));
        break;
      case Tag.LeavesQty:
        this.leavesQty = this.#number(tag, message.int(at));
        this.#hasLeavesQty = true;
        break;
      case Tag.CumQty:
        this.cumQty = this.#number(tag, message.int(at));
        this.#hasCumQty = true;
        break;
      case Tag.TotNumReports:
        this.totNumReports = this.#number(tag, message.int(at));
        break;
      case Tag.LastRptRequested:
        this.lastRptRequested = message.char(at) === YES;
        break;
      case Tag.Price:
        this.pricePaise = this.#number(tag, message.pricePaise(at));
        break;
      case Tag.LastPx:
        this.lastPxPaise = this.#number(tag, message.pricePaise(at));
        break;
      case Tag.AvgPx:
        this.avgPxPaise = this.#number(
          tag,
          readRoundedPricePaise(message.buffer, message.starts[at]!, message.ends[at]!),
        );
        this.#hasAvgPx = true;
        break;
      case Tag.TransactTime:
        this.transactTimeMicros = this.#number(tag, message.utcTimestampMicros(at));
        break;
      default:
      // What a venue adds beyond this is its own.
    }
  }

  #translateFrom42(): void {
    const execType = execTypeFrom42(this.#execTransType, this.execType);
    if (execType >= 0) this.execType = execType as ExecType;
    else if (this.#execTransType === 0) this.#refuse(EXEC_TRANS_TYPE, SessionRejectReason.RequiredTagMissing);
    else this.#refuse(EXEC_TRANS_TYPE, SessionRejectReason.ValueIsIncorrect);
  }

  #isWhole(): boolean {
    const missing = SessionRejectReason.RequiredTagMissing;
    if (this.orderIDAt < 0) this.#refuse(Tag.OrderID, missing);
    if (this.execIDAt < 0) this.#refuse(Tag.ExecID, missing);
    if (this.symbolAt < 0) this.#refuse(Tag.Symbol, missing);
    if (!this.#hasExecType) this.#refuse(Tag.ExecType, missing);
    else if (this.execType < 0 || EXEC_TYPES[this.execType] !== 1)
      this.#refuse(Tag.ExecType, SessionRejectReason.ValueIsIncorrect);
    if (!this.#hasOrdStatus) this.#refuse(Tag.OrdStatus, missing);
    if (!this.#hasSide) this.#refuse(Tag.Side, missing);
    if (!this.#hasLeavesQty) this.#refuse(Tag.LeavesQty, missing);
    if (!this.#hasCumQty) this.#refuse(Tag.CumQty, missing);
    if (!this.#hasAvgPx) this.#refuse(Tag.AvgPx, missing);
    return this.errorTag === 0;
  }

  #identifier(message: FixMessage, at: number): number {
    if (message.ends[at]! - message.starts[at]! > IDENTIFIER_LENGTH_MAX)
      this.#refuse(message.tags[at]!, SessionRejectReason.ValueIsIncorrect);
    return at;
  }

  #code(message: FixMessage, at: number, values: Uint8Array): number {
    const code = message.char(at);
    if (code < 0 || values[code] !== 1) this.#refuse(message.tags[at]!, SessionRejectReason.ValueIsIncorrect);
    return code;
  }

  #number(tag: number, value: number): number {
    if (value >= 0) return value;
    const isOtherType = value === INVALID_VALUE;
    this.#refuse(
      tag,
      isOtherType ? SessionRejectReason.IncorrectDataFormatForValue : SessionRejectReason.ValueIsIncorrect,
    );
    return 0;
  }

  /** The first problem is kept. */
  #refuse(tag: number, reason: SessionRejectReason): void {
    if (this.errorTag !== 0) return;
    this.errorTag = tag;
    this.errorReason = reason;
  }
}

/** Values of a closed set as a table by code. */
function valueSet(values: Readonly<Record<string, number>>): Uint8Array {
  const table = new Uint8Array(128);
  for (const value of Object.values(values)) table[value] = 1;
  return table;
}
