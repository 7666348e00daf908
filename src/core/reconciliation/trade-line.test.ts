import t from 'tap';
import {
  formatTradeFileEnd,
  formatTradeLine,
  TRADE_FILE_HEADER,
  TradeFileParser,
  type TradeLine,
} from './trade-line.ts';

const DAY = '2026-11-26';
const TRADE: TradeLine = {
  tradingDay: DAY,
  execID: 'X-E1',
  execRefID: '',
  clOrdID: '1ZK-0',
  symbol: 'M&M',
  side: 'BUY',
  quantity: 10,
  pricePaise: 123_456,
};

function parse(...lines: string[]): (TradeLine | null)[] {
  const parser = new TradeFileParser(DAY);
  const trades = lines.map((line) => parser.take(line));
  parser.end();
  return trades;
}

t.test('what is written is read', (t) => {
  const bust = { ...TRADE, execID: 'X-E2', execRefID: 'X-E1' };
  const lines = [TRADE_FILE_HEADER, formatTradeLine(TRADE), formatTradeLine(bust), formatTradeFileEnd(2)];
  t.same(parse(...lines), [null, TRADE, bust, null]);
  t.same(parse(TRADE_FILE_HEADER, 'end,0'), [null, null], 'a day without trades');
  t.end();
});

t.test('anything else is refused, with its line', (t) => {
  const good = formatTradeLine(TRADE);
  for (const [lines, wanted] of [
    [['execID,tradingDay'], /^line 1: the header/],
    [[TRADE_FILE_HEADER, good], /^line 2: the last line is missing/],
    [[TRADE_FILE_HEADER, good, 'end,2'], /^line 3: it ends after 1 trades/],
    [[TRADE_FILE_HEADER, good, 'end,1,'], /^line 3: it ends after/],
    [[TRADE_FILE_HEADER, 'end,0', good], /^line 3: there is more/],
    [[TRADE_FILE_HEADER, `${good},`], /^line 2: 8 values/],
    [[TRADE_FILE_HEADER, ''], /^line 2: 8 values/],
    [[TRADE_FILE_HEADER, good.replace(DAY, '2026-11-25')], /^line 2: it is of 2026-11-25/],
    [[TRADE_FILE_HEADER, good.replace(DAY, '26-11-2026')], /^line 2: tradingDay/],
    [[TRADE_FILE_HEADER, good.replace('X-E1', '')], /^line 2: execID/],
    [[TRADE_FILE_HEADER, good.replace('1ZK-0', 'a b')], /^line 2: clOrdID/],
    [[TRADE_FILE_HEADER, good.replace('M&M', '')], /^line 2: symbol/],
    [[TRADE_FILE_HEADER, good.replace('BUY', 'Buy')], /^line 2: side/],
    [[TRADE_FILE_HEADER, good.replace(',10,', ',10.0,')], /^line 2: quantity/],
    [[TRADE_FILE_HEADER, good.replace(',10,', ',0,')], /^line 2: quantity/],
    [[TRADE_FILE_HEADER, good.replace('123456', '-1')], /^line 2: pricePaise/],
    [[TRADE_FILE_HEADER, good.replace('123456', '123456\r')], /^line 2: pricePaise/],
    [[TRADE_FILE_HEADER, good.replace('123456', '1234567890123456')], /^line 2: pricePaise/],
  ] as const)
    t.throws(() => parse(...lines), { message: wanted });
  t.end();
});
