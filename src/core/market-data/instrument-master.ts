import { OutcryError } from '../errors.ts';

/**
 * The instrument master: one JSON document, every fact dated.
 *
 * ```json
 * { "format": "outcry-instruments/1",
 *   "source": "where the facts come from",
 *   "instruments": [
 *     { "instrumentId": 1001, "kind": "equity", "delistedOn": null,
 *       "versions": [
 *         { "from": "2026-01-01", "symbol": "RELIANCE", "name": "Reliance Industries Limited", "isin": "INE002A01018",
 *           "tickPaise": 10, "lotSize": 1, "priceBandBps": 2000, "freezeQuantity": 100000, "previousClosePaise": 148000 } ] } ] }
 * ```
 * `instrumentId` never changes or is given again; a rename, a new tick or a new close is a further version, dated, in ascending order. `kind` is
 * `equity` or `index`; an index has `isin` null and is not traded. `priceBandBps` null means no band. `delistedOn`, null or absent while listed,
 * is the first date on which the instrument is gone.
 */
export const INSTRUMENT_MASTER_FORMAT = 'outcry-instruments/1';
export const INSTRUMENT_MASTER_MAX_COUNT = 1_000_000;
export const SYMBOL_MAX_BYTES = 32;

export const InstrumentKind = { Equity: 'equity', Index: 'index' } as const;
export type InstrumentKind = (typeof InstrumentKind)[keyof typeof InstrumentKind];

export interface InstrumentVersion {
  readonly from: string;
  readonly symbol: string;
  readonly name: string;
  readonly isin: string | null;
  readonly tickPaise: number;
  readonly lotSize: number;
  readonly priceBandBps: number | null;
  readonly freezeQuantity: number;
  readonly previousClosePaise: number;
}

export interface MasterEntry {
  readonly instrumentId: number;
  readonly kind: InstrumentKind;
  readonly delistedOn: string | null;
  readonly versions: readonly InstrumentVersion[];
}

/** An instrument as it is on one date. */
export interface Instrument extends InstrumentVersion {
  readonly instrumentId: number;
  readonly kind: InstrumentKind;
}

export class InstrumentMaster {
  readonly source: string;
  readonly entries: readonly MasterEntry[];

  private constructor(source: string, entries: readonly MasterEntry[]) {
    this.source = source;
    this.entries = entries;
  }

  /** Checks a parsed document whole; the first fault is an INSTRUMENTS_INVALID that names its entry and field. */
  static fromDocument(document: unknown): InstrumentMaster {
    const root = object(document, 'the document');
    if (root.format !== INSTRUMENT_MASTER_FORMAT) {
      refuse('format', `must be "${INSTRUMENT_MASTER_FORMAT}", is ${show(root.format)}`);
    }
    const source = text(root.source, 'source', 1, 500);
    if (!Array.isArray(root.instruments)) refuse('instruments', 'must be an array');
    const list = root.instruments as unknown[];
    if (list.length > INSTRUMENT_MASTER_MAX_COUNT) {
      refuse('instruments', `has ${list.length} entries, the limit is ${INSTRUMENT_MASTER_MAX_COUNT}`);
    }
    const entries = list.map(readEntry);
    refuseClashes(entries);
    return new InstrumentMaster(source, entries);
  }

  /** Parses the text of a master file. */
  static fromText(json: string): InstrumentMaster {
    let document: unknown;
    try {
      document = JSON.parse(json);
    } catch (error) {
      throw new OutcryError('INSTRUMENTS_INVALID', `not JSON: ${(error as Error).message}`, error);
    }
    return InstrumentMaster.fromDocument(document);
  }

  toText(): string {
    const lines = this.entries.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n');
    const head = `  "format": ${JSON.stringify(INSTRUMENT_MASTER_FORMAT)},\n  "source": ${JSON.stringify(this.source)},\n`;
    return `{\n${head}  "instruments": [\n${lines}\n  ]\n}\n`;
  }

  /** What is listed on `date` (YYYY-MM-DD), in the file's order, each by its last version of that date or before. */
  asOf(date: string): Instrument[] {
    const listed: Instrument[] = [];
    for (const entry of this.entries) {
      if (entry.delistedOn !== null && entry.delistedOn <= date) continue;
      let current: InstrumentVersion | undefined;
      for (const version of entry.versions) if (version.from <= date) current = version;
      if (current) listed.push({ instrumentId: entry.instrumentId, kind: entry.kind, ...current });
    }
    return listed;
  }

  /**
   * What every instrument, listed or not, is called on a trading day, by instrumentId. One that came later has its first name: a trading day round the clock goes on over
   * midnight, and instruments are listed and gone by the calendar.
   */
  symbolsOn(tradingDay: string): Map<number, string> {
    const symbols = new Map<number, string>();
    for (const { instrumentId, versions } of this.entries)
      symbols.set(instrumentId, (versions.findLast(({ from }) => from <= tradingDay) ?? versions[0]!).symbol);
    return symbols;
  }
}

function readEntry(value: unknown, position: number): MasterEntry {
  const where = `instruments[${position}]`;
  const entry = object(value, where);
  const instrumentId = integer(entry.instrumentId, `${where}.instrumentId`, 1, 0x7fffffff);
  const kind = entry.kind;
  if (kind !== InstrumentKind.Equity && kind !== InstrumentKind.Index) {
    refuse(`${where}.kind`, `must be "equity" or "index", is ${show(kind)}`);
  }
  if (!Array.isArray(entry.versions) || entry.versions.length === 0) {
    refuse(`${where}.versions`, 'must be an array with at least one version');
  }
  const versions = (entry.versions as unknown[]).map((v, i) => readVersion(v, `${where}.versions[${i}]`, kind));
  for (let i = 1; i < versions.length; i++) {
    if (versions[i]!.from <= versions[i - 1]!.from) {
      refuse(`${where}.versions[${i}].from`, `must be after ${versions[i - 1]!.from}, is ${versions[i]!.from}`);
    }
  }
  const delistedOn = entry.delistedOn ?? null;
  if (delistedOn !== null && date(delistedOn, `${where}.delistedOn`) <= versions.at(-1)!.from) {
    refuse(
      `${where}.delistedOn`,
      `must be after the last version's date ${versions.at(-1)!.from}, is ${show(delistedOn)}`,
    );
  }
  return { instrumentId, kind, delistedOn: delistedOn as string | null, versions };
}

function readVersion(value: unknown, where: string, kind: InstrumentKind): InstrumentVersion {
  const version = object(value, where);
  const symbol = text(version.symbol, `${where}.symbol`, 1, SYMBOL_MAX_BYTES);
  if (!/^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(symbol)) {
    refuse(`${where}.symbol`, `must be printable ASCII with single spaces inside only, is ${show(symbol)}`);
  }
  let isin: string | null = null;
  if (kind === InstrumentKind.Equity) {
    isin = text(version.isin, `${where}.isin`, 12, 12);
    if (!/^[A-Z]{2}[A-Z0-9]{9}[0-9]$/.test(isin)) refuse(`${where}.isin`, `is not an ISIN: ${show(isin)}`);
  } else if (version.isin !== null && version.isin !== undefined) {
    refuse(`${where}.isin`, 'must be null for an index');
  }
  const tickPaise = integer(version.tickPaise, `${where}.tickPaise`, 1, 1_000_000);
  const lotSize = integer(version.lotSize, `${where}.lotSize`, 1, 1_000_000);
  const freezeQuantity = integer(version.freezeQuantity, `${where}.freezeQuantity`, 1, 1_000_000_000);
  const previousClosePaise = integer(version.previousClosePaise, `${where}.previousClosePaise`, 1, 1_000_000_000);
  const priceBandBps =
    version.priceBandBps === null ? null : integer(version.priceBandBps, `${where}.priceBandBps`, 1, 9_999);
  if (previousClosePaise % tickPaise !== 0) {
    refuse(`${where}.previousClosePaise`, `${previousClosePaise} is not a multiple of tickPaise ${tickPaise}`);
  }
  if (freezeQuantity < lotSize) refuse(`${where}.freezeQuantity`, `${freezeQuantity} is less than lotSize ${lotSize}`);
  return {
    from: date(version.from, `${where}.from`),
    symbol,
    name: text(version.name, `${where}.name`, 1, 200),
    isin,
    tickPaise,
    lotSize,
    priceBandBps,
    freezeQuantity,
    previousClosePaise,
  };
}

/** An id belongs to one entry, and a symbol to one instrument at a time. */
function refuseClashes(entries: readonly MasterEntry[]): void {
  const positions = new Map<number, number>();
  const uses = new Map<string, { from: string; to: string; position: number }[]>();
  entries.forEach((entry, position) => {
    const first = positions.get(entry.instrumentId);
    if (first !== undefined) {
      refuse(`instruments[${position}].instrumentId`, `${entry.instrumentId} is already instruments[${first}]`);
    }
    positions.set(entry.instrumentId, position);
    entry.versions.forEach((version, i) => {
      const to = entry.versions[i + 1]?.from ?? entry.delistedOn ?? '9999-12-31';
      const others = uses.get(version.symbol) ?? [];
      for (const other of others) {
        if (other.position !== position && version.from < other.to && other.from < to) {
          refuse(
            `instruments[${position}].versions[${i}].symbol`,
            `${show(version.symbol)} from ${version.from} is instruments[${other.position}] at that time`,
          );
        }
      }
      others.push({ from: version.from, to, position });
      uses.set(version.symbol, others);
    });
  });
}

function refuse(where: string, fault: string): never {
  throw new OutcryError('INSTRUMENTS_INVALID', `${where} ${fault}`);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 60);
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(where, 'must be an object');
  return value as Record<string, unknown>;
}

function text(value: unknown, where: string, min: number, max: number): string {
  if (typeof value !== 'string' || value.length < min || value.length > max) {
    const length = min === max ? `${min}` : `${min} to ${max}`;
    refuse(where, `must be a string of ${length} characters, is ${show(value)}`);
  }
  return value as string;
}

function integer(value: unknown, where: string, min: number, max: number): number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    refuse(where, `must be a whole number from ${min} to ${max}, is ${show(value)}`);
  }
  return value as number;
}

function date(value: unknown, where: string): string {
  const valid = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value));
  if (!valid) refuse(where, `must be a date as YYYY-MM-DD, is ${show(value)}`);
  return value as string;
}
