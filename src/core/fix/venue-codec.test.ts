import t from 'tap';
import { type ExecutionReport, readExecutionReport, writeExecutionReport } from './execution-report.ts';
import { ExecutionReportRecord } from './execution-report-record.ts';
import { FixDecoder } from './fix-decoder.ts';
import { EncodeStatus, FixEncoder } from './fix-encoder.ts';
import { FixFramer } from './fix-framer.ts';
import { FixMessage } from './fix-message.ts';
import { FixVersion, isInVersion } from './fix-version.ts';
import {
  BusinessRejectReason,
  CxlRejReason,
  CxlRejResponseTo,
  ExecType,
  MassCancelRejectReason,
  MassCancelRequestType,
  MassCancelResponse,
  MassStatusReqType,
  MsgType,
  OrdRejReason,
  OrdStatus,
  OrdType,
  SecurityListRequestType,
  SecurityRequestResult,
  SessionRejectReason,
  Side,
  SubscriptionRequestType,
  TimeInForce,
  TradSesStatus,
} from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { readOrderCancelReject, writeNewOrderSingle, writeOrderCancelReject } from './order-messages.ts';
import * as status from './order-status-messages.ts';
import * as security from './security-messages.ts';
import { SessionHeader } from './session-header.ts';
import {
  businessRejectedCode,
  changeRejectedCode,
  massCancelRejectedCode,
  orderRejectedCode,
  sessionRejectedCode,
} from './venue-refusals.ts';

const SOH = '\u0001';
const encoder = new FixEncoder('FIX.4.4');
encoder.setCompIDs('BUYER', 'VENUE');

function written(msgType: number, write: () => void): { text: string; message: FixMessage } {
  encoder.begin(msgType, 7, 1_795_320_000_123_456);
  write();
  if (encoder.finish() !== EncodeStatus.Ok) throw new Error(`encoder said ${encoder.status}`);
  const copy = encoder.buffer.slice(encoder.start, encoder.end);
  const framer = new FixFramer();
  framer.frame(copy, 0, copy.length);
  const message = new FixMessage();
  new FixDecoder().decode(message, copy, framer.bodyStart, framer.trailerStart);
  new SessionHeader().read(message);
  return { text: Buffer.from(copy).toString('latin1').replaceAll(SOH, '|'), message };
}

function decoded(body: string): FixMessage {
  const message = new FixMessage();
  const buffer = Buffer.from(`35=8|49=A|56=B|34=1|52=20261122-04:00:00|${body}`.replaceAll('|', SOH), 'latin1');
  new FixDecoder().decode(message, buffer, 0, buffer.length);
  new SessionHeader().read(message);
  return message;
}

const fill: ExecutionReport = {
  orderID: 'V-1',
  clOrdID: 'o-1',
  origClOrdID: '',
  execID: 'E-9',
  execRefID: '',
  execType: ExecType.Trade,
  ordStatus: OrdStatus.PartiallyFilled,
  ordRejReason: null,
  account: 'ACC1',
  symbol: 'M&M',
  side: Side.Sell,
  orderQty: 100,
  ordType: OrdType.Limit,
  pricePaise: 300_105,
  timeInForce: TimeInForce.Day,
  lastQty: 40,
  lastPxPaise: 300_110,
  leavesQty: 60,
  cumQty: 40,
  avgPxPaise: 300_110,
  transactTimeMicros: 1_795_320_000_000_000,
  text: '',
  ordStatusReqID: '',
  massStatusReqID: '',
  totNumReports: 0,
  lastRptRequested: false,
};

/** [name, report, ExecTransType(20) and ExecType(150) of 4.2] */
const REPORTS: readonly (readonly [string, Partial<ExecutionReport>, string, string])[] = [
  [
    'New',
    {
      execType: ExecType.New,
      ordStatus: OrdStatus.New,
      lastQty: 0,
      lastPxPaise: 0,
      leavesQty: 100,
      cumQty: 0,
      avgPxPaise: 0,
    },
    '0',
    '0',
  ],
  ['Trade, partial', {}, '0', '1'],
  ['Trade, the last', { ordStatus: OrdStatus.Filled, leavesQty: 0, cumQty: 100 }, '0', '2'],
  [
    'Canceled',
    { execType: ExecType.Canceled, ordStatus: OrdStatus.Canceled, leavesQty: 0, origClOrdID: 'o-0' },
    '0',
    '4',
  ],
  ['Replace', { execType: ExecType.Replace, origClOrdID: 'o-0' }, '0', '5'],
  [
    'Rejected',
    {
      execType: ExecType.Rejected,
      ordStatus: OrdStatus.Rejected,
      ordRejReason: OrdRejReason.UnknownSymbol,
      text: 'no such symbol',
      leavesQty: 0,
    },
    '0',
    '8',
  ],
  ['Expired', { execType: ExecType.Expired, ordStatus: OrdStatus.Expired, leavesQty: 0 }, '0', 'C'],
  ['PendingNew', { execType: ExecType.PendingNew, ordStatus: OrdStatus.PendingNew }, '0', 'A'],
  ['PendingCancel', { execType: ExecType.PendingCancel, ordStatus: OrdStatus.PendingCancel }, '0', '6'],
  ['PendingReplace', { execType: ExecType.PendingReplace, ordStatus: OrdStatus.PendingReplace }, '0', 'E'],
  ['Trade while a cancel is pending', { ordStatus: OrdStatus.PendingCancel }, '0', '1'],
  ['TradeCancel', { execType: ExecType.TradeCancel, execRefID: 'E-8' }, '1', '1'],
  ['TradeCorrect', { execType: ExecType.TradeCorrect, execRefID: 'E-8' }, '2', '1'],
  ['OrderStatus', { execType: ExecType.OrderStatus, ordStatus: OrdStatus.New, lastQty: 0, lastPxPaise: 0 }, '3', '0'],
];

t.test('ExecutionReport: each ExecType is written and read, in 4.4 and in 4.2', (t) => {
  for (const [name, change, execTransType, execType] of REPORTS) {
    const report = { ...fill, ...change };
    const in44 = written(MsgType.ExecutionReport, () => writeExecutionReport(encoder, report));
    t.same(readExecutionReport(in44.message), { ok: true, value: report }, `${name}: 4.4`);
    t.notMatch(in44.text, /\|20=/, `${name}: 4.4 has no ExecTransType`);
    const in42 = written(MsgType.ExecutionReport, () => writeExecutionReport(encoder, report, FixVersion.Fix42));
    t.match(in42.text, `|20=${execTransType}|`, `${name}: ExecTransType of 4.2`);
    t.match(in42.text, `|150=${execType}|`, `${name}: ExecType of 4.2`);
    t.same(readExecutionReport(in42.message, FixVersion.Fix42), { ok: true, value: report }, `${name}: 4.2`);
  }
  const mass = {
    ...fill,
    execType: ExecType.OrderStatus,
    massStatusReqID: 'M1',
    totNumReports: 3,
    lastRptRequested: true,
    ordStatusReqID: 'Q1',
  };
  const whole = written(MsgType.ExecutionReport, () => writeExecutionReport(encoder, mass));
  t.same(readExecutionReport(whole.message), { ok: true, value: mass }, 'of a mass status');
  t.end();
});

t.test('ExecutionReport: what 4.2 cannot say is said in its words', (t) => {
  const rejected = {
    ...fill,
    execType: ExecType.Rejected,
    ordStatus: OrdStatus.Rejected,
    ordRejReason: OrdRejReason.IncorrectQuantity,
  };
  const { text } = written(MsgType.ExecutionReport, () => writeExecutionReport(encoder, rejected, FixVersion.Fix42));
  t.match(text, '|103=0|', 'OrdRejReason 13 came later');
  const reject = {
    ...{ orderID: 'V-1', clOrdID: 'c', origClOrdID: 'o', ordStatus: OrdStatus.New, transactTimeMicros: 1, text: '' },
    cxlRejResponseTo: CxlRejResponseTo.OrderCancelRequest,
    cxlRejReason: CxlRejReason.DuplicateClOrdID,
  };
  const cancelReject = written(MsgType.OrderCancelReject, () =>
    writeOrderCancelReject(encoder, reject, FixVersion.Fix42),
  );
  t.match(cancelReject.text, '|102=2|', 'CxlRejReason 6 came later');
  t.match(readOrderCancelReject(cancelReject.message), { ok: true, value: { cxlRejReason: CxlRejReason.Broker } });
  const order = { ...fill, transactTimeMicros: 1 };
  t.match(written(MsgType.NewOrderSingle, () => writeNewOrderSingle(encoder, order, FixVersion.Fix42)).text, '|21=1|');
  t.notMatch(written(MsgType.NewOrderSingle, () => writeNewOrderSingle(encoder, order)).text, '|21=');
  for (const msgType of [MsgType.OrderMassStatusRequest, MsgType.OrderMassCancelRequest, MsgType.SecurityList]) {
    t.notOk(isInVersion(msgType, FixVersion.Fix42));
    t.ok(isInVersion(msgType, FixVersion.Fix44));
  }
  t.ok(isInVersion(MsgType.OrderStatusRequest, FixVersion.Fix42));
  t.end();
});

const WHOLE = '37=V|17=E|150=0|39=0|55=TCS|54=1|151=10|14=0|6=0|';

t.test('ExecutionReport: the record is reused, and nothing of the message before is left in it', (t) => {
  const record = new ExecutionReportRecord();
  const rich = decoded(
    `${WHOLE}11=c|41=o|19=R|1=ACC|58=text|103=1|38=5|44=1.5|32=1|31=2.25|60=20261122-04:00:00|790=Q|584=M|911=2|912=Y|40=2|59=3|`,
  );
  t.ok(record.read(rich));
  t.equal(record.text(record.clOrdIDAt), 'c');
  t.match(record, {
    lastPxPaise: 225,
    ordRejReason: 1,
    totNumReports: 2,
    lastRptRequested: true,
    timeInForce: TimeInForce.ImmediateOrCancel,
  });
  t.ok(record.read(decoded(WHOLE)));
  const fresh = new ExecutionReportRecord();
  fresh.read(decoded(WHOLE));
  t.same(record.toReport(), fresh.toReport());
  t.match(record.toReport(), {
    clOrdID: '',
    text: '',
    ordRejReason: null,
    lastPxPaise: 0,
    massStatusReqID: '',
    lastRptRequested: false,
  });
  t.notOk(record.read(decoded(WHOLE.replace('54=1|', ''))));
  t.equal(record.errorTag, Tag.Side);
  t.ok(record.read(decoded(WHOLE)), 'an error does not stay');
  t.end();
});

t.test('ExecutionReport: what is wrong names the tag and the reason', (t) => {
  for (const tag of [37, 17, 150, 39, 55, 54, 151, 14, 6]) {
    const without = WHOLE.replace(new RegExp(`(^|\\|)${tag}=[^|]*\\|`), '$1');
    t.match(readExecutionReport(decoded(without)), {
      ok: false,
      refTagID: tag,
      sessionRejectReason: SessionRejectReason.RequiredTagMissing,
    });
  }
  for (const [tag, value, reason] of [
    [150, '1', SessionRejectReason.ValueIsIncorrect],
    [150, 'FF', SessionRejectReason.ValueIsIncorrect],
    [39, 'Z', SessionRejectReason.ValueIsIncorrect],
    [54, 'é', SessionRejectReason.ValueIsIncorrect],
    [151, '-1', SessionRejectReason.ValueIsIncorrect],
    [151, '1.5', SessionRejectReason.IncorrectDataFormatForValue],
    [6, 'x', SessionRejectReason.IncorrectDataFormatForValue],
    [37, 'x'.repeat(65), SessionRejectReason.ValueIsIncorrect],
  ] as const) {
    const changed = WHOLE.replace(new RegExp(`(^|\\|)${tag}=[^|]*\\|`), `$1${tag}=${value}|`);
    t.match(
      readExecutionReport(decoded(changed)),
      { ok: false, refTagID: tag, sessionRejectReason: reason },
      `${tag}=${value}`,
    );
  }
  for (const [body, refTagID] of [
    [`${WHOLE}103=98|`, 103],
    [`${WHOLE}103=-1|`, 103],
    [`${WHOLE}44=1.234|`, 44],
    [`${WHOLE}60=now|`, 60],
  ] as const)
    t.match(readExecutionReport(decoded(body)), { ok: false, refTagID });
  t.match(
    readExecutionReport(decoded(WHOLE), FixVersion.Fix42),
    { ok: false, refTagID: 20 },
    '4.2 asks for ExecTransType',
  );
  t.match(readExecutionReport(decoded(`${WHOLE}20=9|`), FixVersion.Fix42), { ok: false, refTagID: 20 });
  t.end();
});

t.test('H, AF, q, r, j, 3, x, y, e, g and h are written and read', (t) => {
  const round = <T>(msgType: number, value: T, write: (e: FixEncoder, v: T) => void, read: (m: FixMessage) => object) =>
    t.same(
      read(written(msgType, () => write(encoder, value)).message),
      { ok: true, value },
      String.fromCharCode(msgType & 0xff),
    );
  const side = Side.Buy;
  const transactTimeMicros = 1_795_320_000_000_000;
  round(
    MsgType.OrderStatusRequest,
    { ordStatusReqID: 'Q1', clOrdID: 'o', symbol: 'TCS', side },
    status.writeOrderStatusRequest,
    status.readOrderStatusRequest,
  );
  const massStatusReqType = MassStatusReqType.StatusForAllOrders;
  round(
    MsgType.OrderMassStatusRequest,
    { massStatusReqID: 'M', massStatusReqType, symbol: '' },
    status.writeOrderMassStatusRequest,
    status.readOrderMassStatusRequest,
  );
  const massCancelRequestType = MassCancelRequestType.CancelOrdersForASecurity;
  round(
    MsgType.OrderMassCancelRequest,
    { clOrdID: 'q', massCancelRequestType, symbol: 'TCS', side, transactTimeMicros },
    status.writeOrderMassCancelRequest,
    status.readOrderMassCancelRequest,
  );
  round(
    MsgType.OrderMassCancelReport,
    {
      ...{
        clOrdID: 'q',
        orderID: 'q',
        massCancelRequestType,
        symbol: '',
        transactTimeMicros,
        text: 'no',
        totalAffectedOrders: 0,
      },
      massCancelResponse: MassCancelResponse.CancelRequestRejected,
      massCancelRejectReason: MassCancelRejectReason.Other,
    },
    status.writeOrderMassCancelReport,
    status.readOrderMassCancelReport,
  );
  t.match(status.readBusinessMessageReject(decoded('45=12|372=D|379=o|380=3|58=not here|')), {
    value: {
      refSeqNum: 12,
      refMsgType: 'D',
      businessRejectRefID: 'o',
      businessRejectReason: BusinessRejectReason.UnsupportedMessageType,
      text: 'not here',
    },
  });
  t.match(status.readSessionReject(decoded('45=12|371=44|373=5|58=no|')), {
    value: { refSeqNum: 12, refTagID: 44, sessionRejectReason: SessionRejectReason.ValueIsIncorrect, text: 'no' },
  });
  const securityListRequestType = SecurityListRequestType.AllSecurities;
  round(
    MsgType.SecurityListRequest,
    { securityReqID: 'x', securityListRequestType, symbol: '' },
    security.writeSecurityListRequest,
    security.readSecurityListRequest,
  );
  const subscriptionRequestType = SubscriptionRequestType.SnapshotPlusUpdates;
  round(
    MsgType.SecurityStatusRequest,
    { securityStatusReqID: 'e', symbol: 'TCS', subscriptionRequestType },
    security.writeSecurityStatusRequest,
    security.readSecurityStatusRequest,
  );
  round(
    MsgType.TradingSessionStatusRequest,
    { tradSesReqID: 'g', subscriptionRequestType },
    security.writeTradingSessionStatusRequest,
    security.readTradingSessionStatusRequest,
  );
  const halted = TradSesStatus.Halted;
  round(
    MsgType.TradingSessionStatus,
    { tradSesReqID: 'g', tradingSessionID: 'NORMAL', tradSesStatus: halted, text: 'x' },
    security.writeTradingSessionStatus,
    security.readTradingSessionStatus,
  );
  const shares = Array.from({ length: security.LIST_SECURITIES_MAX }, (_, i) => ({
    ...{
      symbol: `S${i}`,
      securityID: `${1000 + i}`,
      isin: i % 2 ? 'INE002A01018' : '',
      cfiCode: 'ESXXXX',
      securityDesc: 'n'.repeat(200),
      roundLot: i + 1,
    },
    attributes: new Map([
      ['TICK', 5],
      ['CLOSE', 148_000],
    ]),
  }));
  const list = {
    ...{ securityReqID: 'x', securityResponseID: 'L1', securityRequestResult: SecurityRequestResult.ValidRequest },
    ...{ totNoRelatedSym: 2_000, lastFragment: false, securities: shares },
  };
  round(MsgType.SecurityList, list, security.writeSecurityList, security.readSecurityList);
  const short = decoded('320=x|322=L|560=0|393=2|893=Y|146=2|55=TCS|48=1|22=8|');
  t.match(security.readSecurityList(short), { ok: false, refTagID: Tag.NoRelatedSym });
  t.end();
});

t.test('refusal codes stay in their bands', (t) => {
  t.same(
    [
      orderRejectedCode(OrdRejReason.Broker),
      orderRejectedCode(OrdRejReason.UnknownAccount),
      orderRejectedCode(OrdRejReason.Other),
      orderRejectedCode(null),
    ],
    [420, 435, 439, 439],
  );
  t.same(
    [
      changeRejectedCode(CxlRejReason.TooLateToCancel),
      changeRejectedCode(CxlRejReason.DuplicateClOrdID),
      changeRejectedCode(CxlRejReason.Other),
    ],
    [440, 446, 449],
  );
  t.same(
    [
      massCancelRejectedCode(MassCancelRejectReason.InvalidOrUnknownSecurity),
      massCancelRejectedCode(MassCancelRejectReason.Other),
    ],
    [451, 459],
  );
  t.same(
    [
      businessRejectedCode(BusinessRejectReason.Other),
      businessRejectedCode(BusinessRejectReason.UnsupportedMessageType),
    ],
    [460, 463],
  );
  t.same(
    [
      sessionRejectedCode(SessionRejectReason.InvalidTagNumber),
      sessionRejectedCode(SessionRejectReason.ValueIsIncorrect),
      sessionRejectedCode(SessionRejectReason.Other),
    ],
    [470, 475, 499],
  );
  t.end();
});
