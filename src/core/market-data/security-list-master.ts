import { OutcryError } from '../errors.ts';
import type { ListedSecurity } from '../fix/security-messages.ts';
import {
  INSTRUMENT_MASTER_FORMAT,
  type Instrument,
  InstrumentKind,
  InstrumentMaster,
  type InstrumentVersion,
  type MasterEntry,
} from './instrument-master.ts';

/**
 * Instruments as a venue lists them (SecurityList, y) to and from the instrument master. What FIX 4.4 has no field for travels as named attributes: TICK and CLOSE
 * in paise, BAND in basis points, FREEZE in shares; a venue that sends none gets the defaults below.
 */

/** CFICode(461), ISO 10962. */
const CFI_SHARE = 'ESXXXX';
const CFI_INDEX = 'MRIXXX';
const CFI_INDEX_GROUP = 'MRI';
const DEFAULT_TICK_PAISE = 5;
const DEFAULT_FREEZE_QUANTITY = 100_000;

/** An instrument as a SecurityList has it. */
export function listedSecurity(instrument: Instrument): ListedSecurity {
  const attributes = new Map([['TICK', instrument.tickPaise]]);
  if (instrument.priceBandBps !== null) attributes.set('BAND', instrument.priceBandBps);
  attributes.set('FREEZE', instrument.freezeQuantity);
  attributes.set('CLOSE', instrument.previousClosePaise);
  return {
    symbol: instrument.symbol,
    securityID: String(instrument.instrumentId),
    isin: instrument.isin ?? '',
    cfiCode: instrument.kind === InstrumentKind.Index ? CFI_INDEX : CFI_SHARE,
    // FIX strings are ASCII here.
    securityDesc: instrument.name.replace(/[^ -~]/g, '?'),
    roundLot: instrument.lotSize,
    attributes,
  };
}

/**
 * The master of what a venue lists on `date` (YYYY-MM-DD), on top of the master that was there (null for none): an instrument that changed gets a further
 * version, one that is no longer listed is delisted. INSTRUMENTS_INVALID names the symbol and field that cannot be.
 */
export function masterOfSecurityList(
  securities: readonly ListedSecurity[],
  previous: InstrumentMaster | null,
  date: string,
): InstrumentMaster {
  const known = new Map(previous?.entries.map((entry) => [entry.instrumentId, entry]));
  const instruments: MasterEntry[] = [];
  const listed = new Set<number>();
  for (const security of securities) {
    const instrumentId = instrumentIdOf(security);
    if (listed.has(instrumentId)) refuse(security, `SecurityID(48) ${instrumentId} is listed twice`);
    listed.add(instrumentId);
    const entry = known.get(instrumentId);
    const kind = security.cfiCode.startsWith(CFI_INDEX_GROUP) ? InstrumentKind.Index : InstrumentKind.Equity;
    if (entry !== undefined && entry.kind !== kind) refuse(security, `was ${entry.kind}, CFICode(461) says ${kind}`);
    instruments.push({
      ...{ instrumentId, kind, delistedOn: null },
      versions: versionsWith(entry?.versions ?? [], versionOf(security, kind, date)),
    });
  }
  for (const entry of previous?.entries ?? []) {
    if (!listed.has(entry.instrumentId)) instruments.push(delisted(entry, date));
  }
  return InstrumentMaster.fromDocument({
    format: INSTRUMENT_MASTER_FORMAT,
    source: 'the list of securities of the venue',
    instruments,
  });
}

function versionOf(security: ListedSecurity, kind: InstrumentKind, from: string): InstrumentVersion {
  const { attributes, symbol, isin, roundLot } = security;
  const tickPaise = attributes.get('TICK') ?? DEFAULT_TICK_PAISE;
  return {
    from,
    symbol,
    name: security.securityDesc === '' ? symbol : security.securityDesc,
    isin: kind === InstrumentKind.Index ? null : isin,
    tickPaise,
    lotSize: roundLot,
    priceBandBps: attributes.get('BAND') ?? null,
    freezeQuantity: attributes.get('FREEZE') ?? Math.max(DEFAULT_FREEZE_QUANTITY, roundLot),
    // Without a close the tick stands for it: a price must be there, and a band around it there is none.
    previousClosePaise: attributes.get('CLOSE') ?? tickPaise,
  };
}

/** A version of today replaces one of today; one that says nothing new is left out. */
function versionsWith(versions: readonly InstrumentVersion[], next: InstrumentVersion): readonly InstrumentVersion[] {
  const last = versions.at(-1);
  if (last === undefined) return [next];
  if (JSON.stringify({ ...last, from: next.from }) === JSON.stringify(next)) return versions;
  return [...versions.filter((version) => version.from < next.from), next];
}

/** A master names a later date of delisting than the last version's, so what was listed today goes tomorrow. */
function delisted(entry: MasterEntry, date: string): MasterEntry {
  if (entry.delistedOn !== null) return entry;
  const last = entry.versions.at(-1)!.from;
  if (last < date) return { ...entry, delistedOn: date };
  const next = new Date(Date.parse(last) + 86_400_000).toISOString().slice(0, 10);
  return { ...entry, delistedOn: next };
}

function instrumentIdOf(security: ListedSecurity): number {
  const instrumentId = Number(security.securityID);
  if (!/^[0-9]{1,10}$/.test(security.securityID) || instrumentId < 1 || instrumentId > 0x7fffffff)
    refuse(security, `SecurityID(48) must be a whole number from 1 to 2147483647, is ${security.securityID}`);
  return instrumentId;
}

function refuse(security: ListedSecurity, fault: string): never {
  throw new OutcryError('INSTRUMENTS_INVALID', `${security.symbol} of the venue's list: ${fault}`);
}
