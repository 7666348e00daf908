import { assert } from '../assert.ts';
import indexData from '../market/indices.json' with { type: 'json' };
import niftyData from '../market/nifty50.json' with { type: 'json' };
import bands from '../market/price-bands.json' with { type: 'json' };
import { tickPaiseFor } from '../market/tick-sizes.ts';
import {
  INSTRUMENT_MASTER_FORMAT,
  InstrumentKind,
  InstrumentMaster,
  type MasterEntry,
} from '../market-data/instrument-master.ts';
import { Prng } from './prng.ts';

/** Five digits number a made-up ISIN, and the names still differ. */
const MADE_UP_MAX = 99_000;
const FIRST_INSTRUMENT_ID = 1001;
const SYMBOL_LETTERS_MAX = 10;
/** ₹5 crore of shares in one order, in round thousands: the order of magnitude of the exchange's quantity freeze. */
const FREEZE_VALUE_PAISE = 5_000_000_000;
const INDEX_TICK_PAISE = 5;

const HEADS =
  'AARTI ADVAN AJANT ALOK AMBER ANANT APEX ARIHA ASHOK ATUL AVANT BALAJ BHARA BIRLA BOMBA CAPRI CENTU CHETA COROM CRAFT DALMI DEEPA DELTA DHANU EAST ELGI EVERE FINE FORCE GANES GARWA GLOBA GODAV GUJAR HIMAL HIND INDO INOX ISHAN JAGSO JAIN JINDA JYOTI KALPA KAVER KIRAN KIRLO KRISH LAKSH LOTUS MADHU MAHAL MALWA MEENA METRO MIRZA NAGAR NARMA NAVIN NILKA OMKAR ORIEN PARAS PATEL PRAKA PRIME RADHA RAJES RAMCO RATNA ROYAL SAGAR SANDH SARDA SHAKT SHREE SIGMA SOLAR SUNDA SURYA TARA TEJAS THANE TRIVE UDAY UNITE VARDH VEGA VIJAY VIMAL VISHN YASH ZENIT'.split(
    ' ',
  );
const TAILS = [
  ['BANK', 'Bank'],
  ['CEM', 'Cement'],
  ['CHEM', 'Chemicals'],
  ['ELEC', 'Electricals'],
  ['ENGG', 'Engineering'],
  ['FIN', 'Finance'],
  ['FOOD', 'Foods'],
  ['GAS', 'Gas'],
  ['HOTL', 'Hotels'],
  ['IND', 'Industries'],
  ['INFRA', 'Infrastructure'],
  ['LABS', 'Laboratories'],
  ['MET', 'Metals'],
  ['MOTO', 'Motors'],
  ['OIL', 'Oils'],
  ['PAPER', 'Papers'],
  ['PHARM', 'Pharma'],
  ['POLY', 'Polymers'],
  ['POWER', 'Power'],
  ['SOFT', 'Software'],
  ['STEEL', 'Steels'],
  ['SUGAR', 'Sugars'],
  ['TECH', 'Technologies'],
  ['TEX', 'Textiles'],
  ['TRAD', 'Trading'],
  ['TYRE', 'Tyres'],
] as const;

export interface GeneratorSettings {
  /** The same seed and settings give the same master, byte for byte. */
  readonly seed: number;
  /** Made-up shares beside the NIFTY 50, 0 to 99,000. */
  readonly madeUpCount: number;
  /** Date of every first version, YYYY-MM-DD. */
  readonly from: string;
}

/**
 * An instrument master for the simulator: the shares of the NIFTY 50 by index weight, made-up ones in the style of NSE symbols, then the indices.
 * The order of the file is the order of popularity. NIFTY 50 shares have derivatives, so their band is the dynamic one at its first step.
 */
export function generateInstrumentMaster(settings: GeneratorSettings): InstrumentMaster {
  assert(settings.madeUpCount >= 0 && settings.madeUpCount <= MADE_UP_MAX, `at most ${MADE_UP_MAX} made-up shares`);
  const random = new Prng(settings.seed);
  const entries: MasterEntry[] = [];
  const taken = new Set<string>(indexData.indices.map((index) => index.symbol));
  const add = (
    kind: InstrumentKind,
    symbol: string,
    name: string,
    isin: string | null,
    closePaise: number,
    bandBps: number | null,
  ) => {
    const isIndex = kind === InstrumentKind.Index;
    const tickPaise = isIndex ? INDEX_TICK_PAISE : tickPaiseFor(closePaise, settings.from);
    const previousClosePaise = Math.max(1, Math.round(closePaise / tickPaise)) * tickPaise;
    const freezeQuantity = isIndex
      ? 1
      : Math.max(1000, Math.floor(FREEZE_VALUE_PAISE / previousClosePaise / 1000) * 1000);
    taken.add(symbol);
    entries.push({
      instrumentId: FIRST_INSTRUMENT_ID + entries.length,
      kind,
      delistedOn: null,
      versions: [
        {
          from: settings.from,
          symbol,
          name,
          isin,
          tickPaise,
          lotSize: 1,
          priceBandBps: bandBps,
          freezeQuantity,
          previousClosePaise,
        },
      ],
    });
  };

  const weights = new Map(indexData.indices[0]!.constituents.map((c) => [c.symbol, c.weightBps]));
  const byWeight = [...niftyData.constituents].sort(
    (a, b) => (weights.get(b.symbol) ?? 0) - (weights.get(a.symbol) ?? 0),
  );
  for (const share of byWeight) {
    add(InstrumentKind.Equity, share.symbol, share.name, share.isin, share.closePaise, bands.derivativesDynamicBandBps);
  }
  for (let made = 0; made < settings.madeUpCount; made++) {
    const { symbol, name } = madeUpName(random, taken);
    const bandBps = bands.bandsBps[Math.max(random.below(bands.bandsBps.length), random.below(bands.bandsBps.length))]!;
    add(InstrumentKind.Equity, symbol, name, madeUpIsin(made), madeUpPricePaise(random), bandBps);
  }
  for (const index of indexData.indices)
    add(InstrumentKind.Index, index.symbol, index.name, null, index.basePaise, null);

  return InstrumentMaster.fromDocument({
    format: INSTRUMENT_MASTER_FORMAT,
    source: `${indexData.source}; shares beyond the NIFTY 50 are made up from seed ${settings.seed}`,
    instruments: entries,
  });
}

function madeUpName(random: Prng, taken: ReadonlySet<string>): { symbol: string; name: string } {
  for (;;) {
    const head = HEADS[random.below(HEADS.length)]!;
    const [tail, trade] = TAILS[random.below(TAILS.length)]!;
    const place = String.fromCharCode(65 + random.below(26), 65 + random.below(26));
    const plain = (head + tail).slice(0, SYMBOL_LETTERS_MAX);
    const symbol = taken.has(plain) ? head.slice(0, 4) + tail.slice(0, 4) + place : plain;
    if (taken.has(symbol)) continue;
    const title = head[0] + head.slice(1).toLowerCase();
    return { symbol, name: symbol === plain ? `${title} ${trade} Limited` : `${title} ${trade} (${place}) Limited` };
  }
}

/** INE, six characters that no constituent of the NIFTY 50 has (they begin with Z), security 01, and the check digit of ISO 6166. */
function madeUpIsin(number: number): string {
  const body = `INEZ${String(number).padStart(5, '0')}01`;
  let digits = '';
  for (const character of body) digits += parseInt(character, 36);
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const weighted = i % 2 === 0 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return body + ((10 - (sum % 10)) % 10);
}

/** ₹10 to about ₹20,000, most in the hundreds: each decade as likely as the next, three decades and a third. */
function madeUpPricePaise(random: Prng): number {
  const decade = [1_000, 10_000, 10_000, 100_000, 100_000, 200_000][random.below(6)]!;
  return decade + random.below(decade * 9);
}
