import t from 'tap';
import { readExecutionReport, writeExecutionReport } from './execution-report.ts';
import { DecodeStatus, FixDecoder } from './fix-decoder.ts';
import { EncodeStatus, FixEncoder, MESSAGE_BYTES_MAX } from './fix-encoder.ts';
import { FixFramer, FrameVerdict } from './fix-framer.ts';
import { FixMessage, MESSAGE_FIELDS_MAX } from './fix-message.ts';
import { INVALID_VALUE, readInt, readPricePaise, readUtcTimeOnlyMicros, UtcDayCache } from './fix-values.ts';
import {
  CxlRejReason,
  CxlRejResponseTo,
  ExecType,
  OrdRejReason,
  OrdStatus,
  OrdType,
  SessionRejectReason,
  Side,
  SubscriptionRequestType,
  TimeInForce,
} from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import {
  MARKET_DATA_ENTRY_TYPES,
  MARKET_DEPTH,
  MD_UPDATE_INCREMENTAL,
  REQUEST_SYMBOLS_MAX,
  readMarketDataRequest,
  readMarketDataRequestReject,
  writeMarketDataRequest,
  writeMarketDataRequestReject,
} from './market-data-messages.ts';
import {
  readNewOrderSingle,
  readOrderCancelReject,
  readOrderCancelReplaceRequest,
  readOrderCancelRequest,
  writeNewOrderSingle,
  writeOrderCancelReject,
  writeOrderCancelReplaceRequest,
  writeOrderCancelRequest,
} from './order-messages.ts';
import { SessionHeader } from './session-header.ts';
import { seededRandom } from './testing/seeded-random.ts';

const SOH = '\u0001';
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll('|', SOH), 'latin1');

const encoder = new FixEncoder('FIX.4.4');
encoder.setCompIDs('BUYER', 'VENUE');

/** Writes a message, frames and decodes it, as the counterparty would. */
function through(msgType: number, write: () => void): FixMessage {
  encoder.begin(msgType, 7, 1_795_320_000_123_456);
  write();
  if (encoder.finish() !== EncodeStatus.Ok) throw new Error(`encoder said ${encoder.status}`);
  const framer = new FixFramer();
  const message = new FixMessage();
  const copy = encoder.buffer.slice(encoder.start, encoder.end);
  if (framer.frame(copy, 0, copy.length) !== FrameVerdict.Complete) throw new Error('not framed');
  if (new FixDecoder().decode(message, copy, framer.bodyStart, framer.trailerStart) !== DecodeStatus.Ok)
    throw new Error('not decoded');
  new SessionHeader().read(message);
  return message;
}

/** Decodes a body alone, without a frame. */
function decodeBody(body: string): { status: DecodeStatus; errorTag: number; message: FixMessage } {
  const message = new FixMessage();
  const decoder = new FixDecoder();
  const buffer = bytes(body);
  const status = decoder.decode(message, buffer, 0, buffer.length);
  if (message.count > 0) new SessionHeader().read(message);
  return { status, errorTag: decoder.errorTag, message };
}

t.test('random messages against a naive reader and writer', (t) => {
  const seed = Number(process.env.OUTCRY_TEST_SEED ?? 20_261_122);
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  for (let round = 0; round < 2_000; round++) {
    const expected: string[] = [];
    const checks: ((message: FixMessage, position: number) => void)[] = [];
    const message = through(random(2) === 0 ? 88 : (65 << 8) | 70, () => {
      for (let field = random(40); field > 0; field--) {
        const tag = [1, 11, 44, 55, 58, 99, 100, 270, 999, 1000, 5001, 20_000][random(12)]!;
        switch (random(5)) {
          case 0: {
            const value = [random(10), random(2 ** 31), random(2 ** 31) * 400_000, -random(100_000)][random(4)]!;
            encoder.int(tag, value);
            expected.push(`${tag}=${value === 0 ? 0 : value}`);
            checks.push((m, at) => t.equal(m.int(at), value === 0 ? 0 : value));
            break;
          }
          case 1: {
            const paise = random(2) === 0 ? random(1_000) : random(2 ** 31);
            encoder.pricePaise(tag, paise);
            expected.push(`${tag}=${paise % 100 === 0 ? paise / 100 : (paise / 100).toFixed(2)}`);
            checks.push((m, at) => t.equal(m.pricePaise(at), paise));
            break;
          }
          case 2: {
            const micros = random(2 ** 31) * 1_000_000 + (random(2) === 0 ? random(1000) * 1000 : random(1_000_000));
            encoder.utcTimestampMicros(tag, micros);
            const iso = new Date(Math.floor(micros / 1000)).toISOString();
            const tail = micros % 1000 === 0 ? '' : String(micros % 1000).padStart(3, '0');
            expected.push(`${tag}=${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 23)}${tail}`);
            checks.push((m, at) => t.equal(m.utcTimestampMicros(at), micros));
            break;
          }
          case 3: {
            const text = Buffer.from(Array.from({ length: 1 + random(30) }, () => 0x20 + random(0x5f))).toString(
              'latin1',
            );
            encoder.ascii(tag, text);
            expected.push(`${tag}=${text}`);
            checks.push((m, at) => t.equal(m.ascii(at), text));
            break;
          }
          default: {
            const micros = random(86_400) * 1_000_000 + random(1_000_000);
            encoder.utcTimeOnlyMicros(tag, micros);
            expected.push(
              `${tag}=${new Date(Math.floor(micros / 1000)).toISOString().slice(11, 23)}${micros % 1000 === 0 ? '' : String(micros % 1000).padStart(3, '0')}`,
            );
            checks.push((m, at) => t.equal(m.utcTimeOnlyMicros(at), micros));
          }
        }
      }
    });
    const text = Buffer.from(encoder.buffer.subarray(encoder.start, encoder.end)).toString('latin1');
    const fields = text.split(SOH);
    // One assertion a message only where something is wrong: ten thousand passing lines would hide it.
    const bodyLength = text.length - fields[0]!.length - fields[1]!.length - 2 - '10=nnn|'.length;
    const byteSum = Buffer.from(text.slice(0, -'10=nnn|'.length), 'latin1').reduce((total, byte) => total + byte, 0);
    const trailer = `10=${String(byteSum % 256).padStart(3, '0')}`;
    if (fields[0] !== '8=FIX.4.4' || fields[1] !== `9=${bodyLength}` || fields.at(-2) !== trailer)
      t.fail(`round ${round}: ${text}`);
    const bodyFields = fields.slice(7, -2);
    if (bodyFields.join(SOH) !== expected.join(SOH)) t.same(bodyFields, expected, `round ${round}`);
    if (message.count - message.bodyPosition !== checks.length) t.fail(`round ${round}: ${message.count} fields`);
    if (round % 100 === 0) for (const [i, check] of checks.entries()) check(message, message.bodyPosition + i);
  }
  t.end();
});

t.test('values that are refused, and those at the edge', (t) => {
  const read = (reader: (b: Uint8Array, s: number, e: number) => number, text: string): number => {
    const value = bytes(text);
    return reader(value, 0, value.length);
  };
  for (const text of ['', '-', '1.0', '+1', ' 1', '1 ', '0x1', '1234567890123456'])
    t.equal(read(readInt, text), INVALID_VALUE, `int ${text}`);
  for (const [text, value] of [
    ['0', 0],
    ['-0', 0],
    ['007', 7],
    ['999999999999999', 999_999_999_999_999],
  ] as const)
    t.equal(read(readInt, text), value);
  for (const text of ['', '.', '-', '1.234', '1.2.3', '1e5', '12,5', '12345678901234']) {
    t.equal(read(readPricePaise, text), INVALID_VALUE, `price ${text}`);
  }
  for (const [text, value] of [
    ['2450.75', 245_075],
    ['.5', 50],
    ['5.', 500],
    ['-1.05', -105],
    ['1.2300', 123],
    ['0.00', 0],
  ] as const) {
    t.equal(read(readPricePaise, text), value, `price ${text}`);
  }
  for (const text of [
    '24:00:00',
    '09:60:00',
    '9:00:00',
    '09:00:00.',
    '09:00:00,1',
    '09-00-00',
    '09:00:61',
    '09:00:00.1234567890',
  ]) {
    t.equal(read(readUtcTimeOnlyMicros, text), INVALID_VALUE, `time ${text}`);
  }
  t.equal(
    read(readUtcTimeOnlyMicros, '09:15:00.123456789'),
    (9 * 3600 + 15 * 60) * 1_000_000 + 123_456,
    'nanoseconds are cut off',
  );
  t.equal(read(readUtcTimeOnlyMicros, '23:59:60'), 86_399_999_999 + 0, 'a leap second');
  const days = new UtcDayCache();
  const timestamp = (text: string): number => read((b, s, e) => days.readTimestampMicros(b, s, e), text);
  for (const text of [
    '20260229-00:00:00',
    '20261301-00:00:00',
    '20260100-00:00:00',
    '2026112-00:00:00',
    '20261122 00:00:00',
    '20261122',
  ]) {
    t.equal(timestamp(text), INVALID_VALUE, `timestamp ${text}`);
  }
  for (const text of ['20240229-12:30:15.5', '19700101-00:00:00', '20991231-23:59:59.999', '20000229-01:02:03.004']) {
    const [, y, mo, d, rest] = /^(\d{4})(\d\d)(\d\d)-(.*)$/.exec(text)!;
    t.equal(timestamp(text), Date.parse(`${y}-${mo}-${d}T${rest}Z`) * 1000, `timestamp ${text}`);
  }
  t.end();
});

t.test('what the decoder refuses', (t) => {
  t.match(decodeBody('35=0|34=1|x=1|'), { status: DecodeStatus.Unreadable, message: { count: 2 } }, 'a tag of letters');
  for (const [text, errorTag] of [
    ['0', 0],
    ['-1', -1],
    ['-12', -12],
    ['055', 55],
  ] as const) {
    t.match(
      decodeBody(`35=0|${text}=1|34=7|`),
      { status: DecodeStatus.InvalidTag, errorTag, message: { count: 2, msgSeqNum: 7 } },
      `tag ${text}: the fields behind it are read`,
    );
  }
  t.match(decodeBody('35=0|1234567890=1|'), { status: DecodeStatus.Unreadable }, 'a tag of ten digits');
  t.match(decodeBody('35=0|-=1|'), { status: DecodeStatus.Unreadable }, 'a minus alone');
  t.match(decodeBody('35=0|34|49=A|'), { status: DecodeStatus.Unreadable }, 'a tag without =');
  t.match(
    decodeBody('35=0|34=7|58=|'),
    { status: DecodeStatus.EmptyValue, errorTag: 58, message: { count: 3, msgSeqNum: 7 } },
    'no value',
  );
  t.match(decodeBody('35=B|95=3|96=a|b|34=1|'), { status: DecodeStatus.Ok, message: { count: 4 } }, 'data with SOH');
  t.match(
    decodeBody('35=B|95=9|96=a|b|34=1|'),
    { status: DecodeStatus.DataLength, errorTag: 96 },
    'data longer than the message',
  );
  t.match(
    decodeBody('35=B|95=2|96=a|b|34=1|'),
    { status: DecodeStatus.DataLength, errorTag: 96 },
    'data of another length',
  );
  t.match(decodeBody('96=a|'), { status: DecodeStatus.DataLength }, 'data without a length');
  t.match(decodeBody(`35=0|${'1=1|'.repeat(MESSAGE_FIELDS_MAX - 1)}`), {
    status: DecodeStatus.Ok,
    message: { count: MESSAGE_FIELDS_MAX },
  });
  t.match(decodeBody(`35=0|${'1=1|'.repeat(MESSAGE_FIELDS_MAX)}`), {
    status: DecodeStatus.TooManyFields,
    message: { count: MESSAGE_FIELDS_MAX },
  });
  t.end();
});

t.test('what the encoder refuses', (t) => {
  const verdict = (write: () => void): EncodeStatus => {
    encoder.begin(68, 1, 0);
    write();
    return encoder.finish();
  };
  t.equal(
    verdict(() => encoder.ascii(58, '')),
    EncodeStatus.BadValue,
    'an empty value',
  );
  t.equal(
    verdict(() => encoder.ascii(11, 'a\u000140=1')),
    EncodeStatus.BadValue,
    'a value that would smuggle in a field',
  );
  t.equal(
    verdict(() => encoder.ascii(58, '₹')),
    EncodeStatus.BadValue,
    'what is not ASCII',
  );
  t.equal(
    verdict(() => encoder.bytes(55, bytes('A|B'), 0, 3)),
    EncodeStatus.BadValue,
    'SOH in bytes',
  );
  t.equal(
    verdict(() => encoder.ascii(58, 'x'.repeat(MESSAGE_BYTES_MAX))),
    EncodeStatus.TooLong,
    'one value too long',
  );
  t.equal(
    verdict(() => {
      for (let i = 0; i < 20_000; i++) encoder.int(58, i);
    }),
    EncodeStatus.TooLong,
    'too many fields',
  );
  t.equal(
    verdict(() => encoder.int(58, 1)),
    EncodeStatus.Ok,
    'the next message is none the worse',
  );
  t.end();
});

t.test('order messages, written and read', (t) => {
  const terms = {
    clOrdID: 'o-1',
    account: 'U42',
    symbol: 'M&M',
    side: Side.Sell,
    orderQty: 1_000,
    ordType: OrdType.Limit,
    pricePaise: 245_075,
    timeInForce: TimeInForce.ImmediateOrCancel,
    transactTimeMicros: 1_795_320_000_000_001,
  } as const;
  t.same(readNewOrderSingle(through(68, () => writeNewOrderSingle(encoder, terms))), { ok: true, value: terms });
  const market = { ...terms, account: '', ordType: OrdType.Market, pricePaise: 0, timeInForce: TimeInForce.Day };
  t.same(readNewOrderSingle(through(68, () => writeNewOrderSingle(encoder, market))), { ok: true, value: market });
  const replace = { ...terms, origClOrdID: 'o-0' };
  t.same(readOrderCancelReplaceRequest(through(71, () => writeOrderCancelReplaceRequest(encoder, replace))), {
    ok: true,
    value: replace,
  });
  const cancel = {
    clOrdID: 'o-2',
    origClOrdID: 'o-1',
    symbol: 'TCS',
    side: Side.Buy,
    orderQty: 5,
    transactTimeMicros: 1_000_000,
  };
  t.same(readOrderCancelRequest(through(70, () => writeOrderCancelRequest(encoder, cancel))), {
    ok: true,
    value: cancel,
  });
  const report = {
    orderID: 'V-9',
    clOrdID: 'o-1',
    origClOrdID: '',
    execID: 'E-1',
    execType: ExecType.Trade,
    ordStatus: OrdStatus.PartiallyFilled,
    ordRejReason: null,
    account: 'U42',
    symbol: 'TCS',
    side: Side.Buy,
    orderQty: 10,
    ordType: OrdType.Limit,
    pricePaise: 400_000,
    timeInForce: TimeInForce.Day,
    lastQty: 4,
    lastPxPaise: 399_995,
    leavesQty: 6,
    cumQty: 4,
    avgPxPaise: 399_995,
    transactTimeMicros: 1_795_320_000_000_000,
    text: '',
    execRefID: '',
    ordStatusReqID: '',
    massStatusReqID: '',
    totNumReports: 0,
    lastRptRequested: false,
  };
  t.same(readExecutionReport(through(56, () => writeExecutionReport(encoder, report))), { ok: true, value: report });
  const rejection = {
    ...report,
    execType: ExecType.Rejected,
    ordStatus: OrdStatus.Rejected,
    ordRejReason: OrdRejReason.UnknownSymbol,
    lastQty: 0,
    lastPxPaise: 0,
    leavesQty: 0,
    cumQty: 0,
    avgPxPaise: 0,
    text: 'no such symbol',
    origClOrdID: 'o-0',
  };
  t.same(readExecutionReport(through(56, () => writeExecutionReport(encoder, rejection))), {
    ok: true,
    value: rejection,
  });
  const cancelReject = {
    orderID: 'NONE',
    clOrdID: 'o-3',
    origClOrdID: 'o-2',
    ordStatus: OrdStatus.Rejected,
    cxlRejResponseTo: CxlRejResponseTo.OrderCancelReplaceRequest,
    cxlRejReason: CxlRejReason.UnknownOrder,
    transactTimeMicros: 2_000_000,
    text: 'gone',
  };
  t.same(readOrderCancelReject(through(57, () => writeOrderCancelReject(encoder, cancelReject))), {
    ok: true,
    value: cancelReject,
  });
  t.end();
});

t.test('order messages that are refused name the tag and the reason', (t) => {
  const order = '35=D|49=A|56=B|34=1|52=20261122-04:00:00|11=o|55=TCS|54=1|60=20261122-04:00:00|38=10|40=2|44=1|';
  const refused = (change: (text: string) => string): object => readNewOrderSingle(decodeBody(change(order)).message);
  t.match(
    refused((s) => s),
    { ok: true },
  );
  t.match(
    refused((s) => s.replace('55=TCS|', '')),
    { refTagID: Tag.Symbol, sessionRejectReason: SessionRejectReason.RequiredTagMissing },
  );
  t.match(
    refused((s) => s.replace('54=1', '54=Z')),
    { refTagID: Tag.Side, sessionRejectReason: SessionRejectReason.ValueIsIncorrect },
  );
  t.match(
    refused((s) => s.replace('54=1', '54=12')),
    { refTagID: Tag.Side, sessionRejectReason: SessionRejectReason.ValueIsIncorrect },
  );
  t.match(
    refused((s) => s.replace('38=10', '38=ten')),
    { refTagID: Tag.OrderQty, sessionRejectReason: SessionRejectReason.IncorrectDataFormatForValue },
  );
  t.match(
    refused((s) => s.replace('38=10', '38=-10')),
    { refTagID: Tag.OrderQty, sessionRejectReason: SessionRejectReason.ValueIsIncorrect },
  );
  t.match(
    refused((s) => s.replace('44=1', '44=1.005')),
    { refTagID: Tag.Price, sessionRejectReason: SessionRejectReason.IncorrectDataFormatForValue },
  );
  t.match(
    refused((s) => s.replace('60=2026', '60=x026')),
    { refTagID: Tag.TransactTime, sessionRejectReason: SessionRejectReason.IncorrectDataFormatForValue },
  );
  t.match(
    refused((s) => s.replace('11=o', `11=${'o'.repeat(65)}`)),
    { refTagID: Tag.ClOrdID, sessionRejectReason: SessionRejectReason.ValueIsIncorrect },
  );
  const report = '35=8|49=A|56=B|34=1|52=20261122-04:00:00|37=1|17=2|150=F|39=1|55=TCS|54=1|151=0|14=3|6=';
  for (const [average, paise] of [
    ['10.004', 1000],
    ['10.005', 1001],
    ['3.333333', 333],
    ['10', 1000],
    ['0', 0],
  ] as const) {
    t.match(
      readExecutionReport(decodeBody(`${report}${average}|`).message),
      { ok: true, value: { avgPxPaise: paise } },
      `AvgPx ${average}`,
    );
  }
  t.match(readExecutionReport(decodeBody(`${report}1.00x|`).message), { ok: false, refTagID: Tag.AvgPx });
  t.end();
});

t.test('market data requests, written and read', (t) => {
  const symbols = Array.from({ length: REQUEST_SYMBOLS_MAX }, (_, i) => `SYM${i}`);
  const request = { mdReqID: 'md-1', subscriptionRequestType: SubscriptionRequestType.SnapshotPlusUpdates, symbols };
  t.same(readMarketDataRequest(through(86, () => writeMarketDataRequest(encoder, request))), {
    ok: true,
    value: {
      ...request,
      marketDepth: MARKET_DEPTH,
      mdUpdateType: MD_UPDATE_INCREMENTAL,
      entryTypes: MARKET_DATA_ENTRY_TYPES,
    },
  });
  const topOfBook = decodeBody('35=V|262=a|263=1|264=1|267=2|269=0|269=1|146=1|55=TCS|').message;
  t.match(readMarketDataRequest(topOfBook), {
    ok: true,
    value: { marketDepth: 1, mdUpdateType: MD_UPDATE_INCREMENTAL, entryTypes: [48, 49] },
  });
  const tooMany = { ...request, symbols: [...symbols, 'ONEMORE'] };
  t.match(readMarketDataRequest(through(86, () => writeMarketDataRequest(encoder, tooMany))), {
    ok: false,
    refTagID: Tag.NoRelatedSym,
  });
  const miscounted = decodeBody('35=V|262=a|263=1|264=5|267=1|269=0|146=2|55=TCS|').message;
  t.match(readMarketDataRequest(miscounted), { ok: false, refTagID: Tag.NoRelatedSym, sessionRejectReason: 16 });
  const miscountedTypes = decodeBody('35=V|262=a|263=1|264=5|267=2|269=0|146=1|55=TCS|').message;
  t.match(readMarketDataRequest(miscountedTypes), {
    ok: false,
    refTagID: Tag.NoMDEntryTypes,
    sessionRejectReason: 16,
  });
  const reject = { mdReqID: 'md-1', mdReqRejReason: 48 as const, text: 'XYZ' };
  t.same(readMarketDataRequestReject(through(89, () => writeMarketDataRequestReject(encoder, reject))), {
    ok: true,
    value: reject,
  });
  t.end();
});
