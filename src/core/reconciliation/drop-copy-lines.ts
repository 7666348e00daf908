import type { ExecutionReport } from '../fix/execution-report.ts';
import { ExecType, Side } from '../fix/generated/fix-enums.gen.ts';
import { indianDate, lastOpenMicros, type MarketHours } from '../market/calendar.ts';
import type { TradeLine } from './trade-line.ts';

/** The trades that an ExecutionReport of a drop copy tells of: one, or for a correction what it takes back and what holds now; none for other reports. */
export function tradeLinesOf(report: ExecutionReport, marketHours: MarketHours): TradeLine[] {
  const { execType, execID, execRefID, clOrdID, symbol, lastQty, lastPxPaise } = report;
  const tradingDay = indianDate(lastOpenMicros(report.transactTimeMicros, marketHours));
  const side = report.side === Side.Buy ? 'BUY' : 'SELL';
  const line = { tradingDay, execID, clOrdID, symbol, side } as const;
  const made = { ...line, execRefID: '', quantity: lastQty, pricePaise: lastPxPaise };
  // What was taken back, only the trade itself has told.
  const takenBack = { ...line, execRefID, quantity: 0, pricePaise: 0 };
  if (execType === ExecType.Trade) return [made];
  if (execType === ExecType.TradeCancel) return [takenBack];
  return execType === ExecType.TradeCorrect ? [takenBack, made] : [];
}
