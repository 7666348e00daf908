import t from 'tap';
import type { ControlMap, ControlValue } from '../fan-out/control-codec.ts';
import { OrderSide, OrderType, Product, Validity } from '../ledger/order.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { parseCommand } from './parse-command.ts';
import { parseRead } from './parse-read.ts';
import { decodeCommand, decodeRead, encodeCommand, encodeRead } from './ring-bodies.ts';

const ORIGIN = { channel: 'fan-out-0', generation: 1, connection: 2, requestID: 3 };
const LIMIT = {
  id: 1,
  action: 'place',
  symbol: 'RELIANCE',
  side: 'BUY',
  product: 'CNC',
  orderType: 'LIMIT',
  quantity: 10,
  pricePaise: 245_000,
} satisfies ControlMap;

t.test('requests become commands, and are the same on the other side of the ring', async (t) => {
  const placed = {
    type: 'place',
    symbol: 'RELIANCE',
    side: OrderSide.Buy,
    product: Product.CNC,
    terms: { ordType: OrderType.Limit, quantity: 10, pricePaise: 245_000, triggerPricePaise: 0 },
    validity: Validity.DAY,
    clientOrderID: '',
    dryRun: false,
  };
  const market = { ...LIMIT, orderType: 'MARKET', pricePaise: 0, side: 'SELL', product: 'MIS', validity: 'IOC' };
  const stop = { ...LIMIT, orderType: 'SL', triggerPricePaise: 246_000, clientOrderId: 'a b', dryRun: true };
  const cases: [ControlMap, object][] = [
    [LIMIT, placed],
    [{ ...LIMIT, validity: null, clientOrderId: null, dryRun: false, triggerPricePaise: 0 }, placed],
    [
      market,
      {
        ...placed,
        side: OrderSide.Sell,
        product: Product.MIS,
        validity: Validity.IOC,
        terms: { ...placed.terms, ordType: OrderType.Market, pricePaise: 0 },
      },
    ],
    [
      stop,
      {
        ...placed,
        clientOrderID: 'a b',
        dryRun: true,
        terms: { ...placed.terms, ordType: OrderType.StopLimit, triggerPricePaise: 246_000 },
      },
    ],
    [
      { action: 'modify', orderId: 2 ** 53 - 1, orderType: 'SL-M', quantity: 1, triggerPricePaise: 1 },
      {
        type: 'modify',
        orderID: 2 ** 53 - 1,
        terms: { ordType: OrderType.StopMarket, quantity: 1, pricePaise: 0, triggerPricePaise: 1 },
      },
    ],
    [
      { action: 'cancel', orderId: 7 },
      { type: 'cancel', orderID: 7 },
    ],
    [{ action: 'cancel_all' }, { type: 'cancel-all', symbol: '' }],
    [
      { action: 'cancel_all', symbol: 'TCS' },
      { type: 'cancel-all', symbol: 'TCS' },
    ],
  ];
  for (const [request, expected] of cases) {
    const command = parseCommand(request);
    t.strictSame(command, expected);
    if (!('code' in command))
      t.same(decodeCommand(encodeCommand(command), ORIGIN, 7), { ...expected, origin: ORIGIN, userId: 7 });
  }
});

t.test('what is wrong is refused with the field, the value and the limit', async (t) => {
  const cases: [string, ControlValue | undefined, RegExp][] = [
    ['quantity', -1, /^quantity is -1; it must be a whole number from 1 to 1000000$/],
    ['quantity', 0, /^quantity is 0; .* 1 to 1000000$/],
    ['quantity', 1.5, /^quantity is 1.5; /],
    ['quantity', Number.NaN, /^quantity is NaN; /],
    ['quantity', Number.POSITIVE_INFINITY, /^quantity is Infinity; /],
    ['quantity', 2 ** 53, /^quantity is 9007199254740992; /],
    ['quantity', 1_000_001, /^quantity is 1000001; /],
    ['quantity', '10', /^quantity is "10"; /],
    ['quantity', undefined, /^quantity is missing; /],
    ['quantity', null, /^quantity is missing; /],
    ['quantity', [1], /^quantity is a list; /],
    ['quantity', {}, /^quantity is a map; /],
    ['quantity', true, /^quantity is true; /],
    ['pricePaise', 0, /^pricePaise is 0; it must be a whole number from 1 to 1000000000$/],
    ['pricePaise', 1e300, /^pricePaise is 1e\+300; /],
    ['triggerPricePaise', 5, /^triggerPricePaise is 5; it must be left out, or 0, for MARKET and LIMIT$/],
    ['side', 'buy', /^side is "buy"; it must be one of BUY, SELL$/],
    ['side', 'constructor', /one of BUY, SELL$/],
    ['product', 'BO', /^product is "BO"; it must be one of CNC, MIS, NRML$/],
    ['orderType', 'STOP', /one of MARKET, LIMIT, SL, SL-M$/],
    ['validity', 'GTC', /^validity is "GTC"; it must be one of DAY, IOC$/],
    ['symbol', '', /^symbol is ""; it must be 1 to 64 printable ASCII characters$/],
    ['symbol', 'x'.repeat(65), /^symbol is "x{40}…"; /],
    ['symbol', 7, /^symbol is 7; /],
    ['clientOrderId', 'é', /^clientOrderId is "é"; it must be 0 to 36 printable ASCII characters$/],
    ['clientOrderId', 'x'.repeat(37), /0 to 36 printable/],
    ['dryRun', 1, /^dryRun is 1; it must be true or false$/],
    ['dryrun', true, /^"dryrun" is no field of this request$/],
    ['userId', 2, /^"userId" is no field/],
  ];
  for (const [field, value, text] of cases) {
    const request: ControlMap = { ...LIMIT };
    if (value === undefined) delete request[field];
    else request[field] = value;
    const refusal = parseCommand(request);
    t.match(refusal, { kind: 'refused', code: RefusalCode.BadField, text, check: null }, `${field} ${String(value)}`);
  }
  t.match(parseCommand({ action: 'place' }), { code: RefusalCode.BadField, text: /^symbol is missing/ });
  t.match(parseCommand({ action: 'cancel', orderId: -4 }), { code: RefusalCode.BadField, text: /orderId is -4/ });
  t.match(parseCommand({ action: 'cancel_all', side: 'BUY' }), { code: RefusalCode.BadField, text: /no field/ });
  t.match(parseCommand({ action: 'square' }), { code: RefusalCode.BadRequest });
  t.match(parseCommand({ ...LIMIT, orderType: 'MARKET' }), { text: /pricePaise is 245000; .* for MARKET and SL-M$/ });
});

t.test('reads are bounded', async (t) => {
  t.strictSame(parseRead({ id: 1, action: 'orders' }, 'orders'), { kind: 'orders', from: 0, limit: 50 });
  const trades = parseRead({ action: 'trades', from: 12, limit: 100 }, 'trades');
  t.strictSame(trades, { kind: 'trades', from: 12, limit: 100 });
  if (!('code' in trades)) t.same(decodeRead(encodeRead(trades)), trades);
  t.match(parseRead({ action: 'orders', limit: 101 }, 'orders'), { code: RefusalCode.BadField, text: /1 to 100$/ });
  t.match(parseRead({ action: 'orders', from: -1 }, 'orders'), { code: RefusalCode.BadField });
  t.match(parseRead({ action: 'funds', limit: 1 }, 'funds'), { code: RefusalCode.BadField, text: /no field/ });
});
