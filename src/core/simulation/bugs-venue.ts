import type { ExecutionReportRecord } from '../fix/execution-report-record.ts';
import { ExecType } from '../fix/generated/fix-enums.gen.ts';
import type { PlantedBug } from './planted-bugs.ts';

const ONE_IN = 40;

/** Wrong ways with the exchange: what is sent, when, how often, and what is done with what it says. */
export const VENUE_BUGS = {
  'old-order-sent-again': () => ({ resendsAll: true }),
  'request-leaves-before-it-is-kept': () => ({ leavesUnsynced: true }),
  'fill-lost-on-reconnect': () => ({ learnsAtOnce: true }),
  'lost-order-guessed': () => ({ guessesLost: true }),
  'fill-dropped': (random) => ({ report: (report) => !is(report, ExecType.Trade) || random.below(ONE_IN) > 0 }),
  'cancel-dropped': (random) => ({ report: (report) => !is(report, ExecType.Canceled) || random.below(ONE_IN) > 0 }),
  'bust-ignored': () => ({ report: (report) => !is(report, ExecType.TradeCancel) }),
  'correction-ignored': () => ({ report: (report) => !is(report, ExecType.TradeCorrect) }),
  'cancel-reject-ignored': () => ({ cancelReject: () => false }),
  'replace-ignored': () => ({ report: (report) => !is(report, ExecType.Replace) }),
  'trigger-fires-early': () => ({ trade: (pricePaise) => pricePaise + Math.ceil(pricePaise / 400) }),
  'trade-not-seen': (random) => {
    const seen = new Map<number, number>();
    return {
      trade: (pricePaise, instrumentIndex) => {
        if (!seen.has(instrumentIndex) || random.below(3) > 0) seen.set(instrumentIndex, pricePaise);
        return seen.get(instrumentIndex)!;
      },
    };
  },
} satisfies Record<string, PlantedBug>;

function is({ execType }: ExecutionReportRecord, expected: ExecType): boolean {
  return execType === expected;
}
