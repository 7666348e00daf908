import { FieldReader, type Parsed } from './field-reader.ts';
import type { FixEncoder } from './fix-encoder.ts';
import type { FixMessage } from './fix-message.ts';
import {
  SecurityListRequestType,
  SecurityRequestResult,
  SessionRejectReason,
  SubscriptionRequestType,
  TradSesStatus,
} from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';

/**
 * Lists of securities and the state of trading, as typed values (FIX 4.4 volume 3; 4.2 has no SecurityList). SecurityStatus (f) is written and
 * read with the market data.
 */

/** Securities in one SecurityList; more come in several, LastFragment(893) marks the end. */
export const LIST_SECURITIES_MAX = 150;

/** SecurityListRequest (x). */
export interface SecurityListRequest {
  securityReqID: string;
  securityListRequestType: SecurityListRequestType;
  /** '' unless the type is Symbol. */
  symbol: string;
}

/** One security of a SecurityList. What FIX 4.4 has no field for stands in InstrAttribValue(872) of type 99, as `NAME=value`. */
export interface ListedSecurity {
  symbol: string;
  /** SecurityID(48) with SecurityIDSource(22)=8: the exchange's own number, which never changes. */
  securityID: string;
  /** SecurityAltID(455) with 456=4; '' for an index. */
  isin: string;
  /** CFICode(461), ISO 10962: `ESXXXX` a share, `MRIXXX` an index. */
  cfiCode: string;
  /** SecurityDesc(107). */
  securityDesc: string;
  /** RoundLot(561). */
  roundLot: number;
  /** By name: TICK (paise), BAND (basis points), FREEZE (quantity), CLOSE (paise). */
  attributes: ReadonlyMap<string, number>;
}

/** SecurityList (y), whole or a part of one. */
export interface SecurityList {
  securityReqID: string;
  securityResponseID: string;
  securityRequestResult: SecurityRequestResult;
  /** Of all parts together. */
  totNoRelatedSym: number;
  lastFragment: boolean;
  securities: readonly ListedSecurity[];
}

/** SecurityStatusRequest (e). */
export interface SecurityStatusRequest {
  securityStatusReqID: string;
  symbol: string;
  subscriptionRequestType: SubscriptionRequestType;
}

/** TradingSessionStatusRequest (g). */
export interface TradingSessionStatusRequest {
  tradSesReqID: string;
  subscriptionRequestType: SubscriptionRequestType;
}

/** TradingSessionStatus (h): of the whole market. */
export interface TradingSessionStatus {
  /** '' when nobody asked. */
  tradSesReqID: string;
  tradingSessionID: string;
  tradSesStatus: TradSesStatus;
  text: string;
}

/** SecurityIDSource(22), SecurityAltIDSource(456). */
const ISIN_SOURCE = 52;
const EXCHANGE_SOURCE = 56;
/** InstrAttribType(871): text. */
const TEXT_ATTRIBUTE = 99;
const YES = 89;
const NO = 78;

export function writeSecurityListRequest(encoder: FixEncoder, request: SecurityListRequest): void {
  encoder.ascii(Tag.SecurityReqID, request.securityReqID);
  encoder.int(Tag.SecurityListRequestType, request.securityListRequestType);
  if (request.symbol !== '') encoder.ascii(Tag.Symbol, request.symbol);
}

export function readSecurityListRequest(message: FixMessage): Parsed<SecurityListRequest> {
  const reader = new FieldReader(message);
  const type = reader.required(Tag.SecurityListRequestType);
  return reader.parsed({
    securityReqID: reader.identifier(reader.required(Tag.SecurityReqID)),
    securityListRequestType: reader.code(type, SecurityListRequestType, SecurityListRequestType.AllSecurities),
    symbol: reader.identifier(reader.optional(Tag.Symbol)),
  });
}

export function writeSecurityList(encoder: FixEncoder, list: SecurityList): void {
  encoder.ascii(Tag.SecurityReqID, list.securityReqID);
  encoder.ascii(Tag.SecurityResponseID, list.securityResponseID);
  encoder.int(Tag.SecurityRequestResult, list.securityRequestResult);
  if (list.securityRequestResult !== SecurityRequestResult.ValidRequest) return;
  encoder.int(Tag.TotNoRelatedSym, list.totNoRelatedSym);
  encoder.char(Tag.LastFragment, list.lastFragment ? YES : NO);
  encoder.int(Tag.NoRelatedSym, list.securities.length);
  for (const security of list.securities) writeSecurity(encoder, security);
}

function writeSecurity(encoder: FixEncoder, security: ListedSecurity): void {
  encoder.ascii(Tag.Symbol, security.symbol);
  encoder.ascii(Tag.SecurityID, security.securityID);
  encoder.char(Tag.SecurityIDSource, EXCHANGE_SOURCE);
  if (security.isin !== '') {
    encoder.int(Tag.NoSecurityAltID, 1);
    encoder.ascii(Tag.SecurityAltID, security.isin);
    encoder.char(Tag.SecurityAltIDSource, ISIN_SOURCE);
  }
  encoder.ascii(Tag.CFICode, security.cfiCode);
  encoder.ascii(Tag.SecurityDesc, security.securityDesc);
  encoder.int(Tag.NoInstrAttrib, security.attributes.size);
  for (const [name, value] of security.attributes) {
    encoder.int(Tag.InstrAttribType, TEXT_ATTRIBUTE);
    encoder.ascii(Tag.InstrAttribValue, `${name}=${value}`);
  }
  encoder.int(Tag.RoundLot, security.roundLot);
}

export function readSecurityList(message: FixMessage): Parsed<SecurityList> {
  const reader = new FieldReader(message);
  const result = reader.required(Tag.SecurityRequestResult);
  const lastFragment = reader.optional(Tag.LastFragment);
  const noRelatedSym = reader.optional(Tag.NoRelatedSym);
  const count = reader.quantity(noRelatedSym);
  const securities = noRelatedSym < 0 ? [] : readSecurities(message, reader, noRelatedSym);
  if (securities.length !== count) {
    const reason = SessionRejectReason.IncorrectNumInGroupCountForRepeatingGroup;
    reader.refuse(Tag.NoRelatedSym, reason, `NoRelatedSym is ${count}, symbols are ${securities.length}`);
  }
  return reader.parsed({
    securityReqID: reader.identifier(reader.required(Tag.SecurityReqID)),
    securityResponseID: reader.identifier(reader.required(Tag.SecurityResponseID)),
    securityRequestResult: reader.code(result, SecurityRequestResult, SecurityRequestResult.ValidRequest),
    totNoRelatedSym: reader.quantity(reader.optional(Tag.TotNoRelatedSym)),
    lastFragment: lastFragment < 0 || message.char(lastFragment) === YES,
    securities,
  });
}

function readSecurities(message: FixMessage, reader: FieldReader, noRelatedSym: number): ListedSecurity[] {
  const securities: ListedSecurity[] = [];
  for (let at = message.find(Tag.Symbol, noRelatedSym); at >= 0; ) {
    const next = message.find(Tag.Symbol, at + 1);
    securities.push(readSecurity(message, reader, at, next < 0 ? message.count : next));
    at = next;
  }
  return securities;
}

/** The fields from Symbol(55) at `from` to before `to`. */
function readSecurity(message: FixMessage, reader: FieldReader, from: number, to: number): ListedSecurity {
  const attributes = new Map<string, number>();
  const security = { symbol: '', securityID: '', isin: '', cfiCode: '', securityDesc: '', roundLot: 1, attributes };
  let altID = '';
  for (let at = from; at < to; at++) {
    switch (message.tags[at]) {
      case Tag.Symbol:
        security.symbol = reader.identifier(at);
        break;
      case Tag.SecurityID:
        security.securityID = reader.identifier(at);
        break;
      case Tag.SecurityAltID:
        altID = reader.identifier(at);
        break;
      case Tag.SecurityAltIDSource:
        if (message.char(at) === ISIN_SOURCE) security.isin = altID;
        break;
      case Tag.CFICode:
        security.cfiCode = reader.identifier(at);
        break;
      case Tag.SecurityDesc:
        security.securityDesc = reader.text(at);
        break;
      case Tag.RoundLot:
        security.roundLot = reader.quantity(at);
        break;
      case Tag.InstrAttribValue:
        readAttribute(reader.text(at), attributes);
        break;
      default:
      // What a venue adds beyond this is its own.
    }
  }
  return security;
}

/** `NAME=number`; anything else is an attribute that is not ours. */
function readAttribute(text: string, attributes: Map<string, number>): void {
  const match = /^([A-Z]{1,16})=([0-9]{1,12})$/.exec(text);
  if (match) attributes.set(match[1]!, Number(match[2]));
}

export function writeSecurityStatusRequest(encoder: FixEncoder, request: SecurityStatusRequest): void {
  encoder.ascii(Tag.SecurityStatusReqID, request.securityStatusReqID);
  encoder.ascii(Tag.Symbol, request.symbol);
  encoder.char(Tag.SubscriptionRequestType, request.subscriptionRequestType);
}

export function readSecurityStatusRequest(message: FixMessage): Parsed<SecurityStatusRequest> {
  const reader = new FieldReader(message);
  return reader.parsed({
    securityStatusReqID: reader.identifier(reader.required(Tag.SecurityStatusReqID)),
    symbol: reader.identifier(reader.required(Tag.Symbol)),
    subscriptionRequestType: readSubscription(reader),
  });
}

export function writeTradingSessionStatusRequest(encoder: FixEncoder, request: TradingSessionStatusRequest): void {
  encoder.ascii(Tag.TradSesReqID, request.tradSesReqID);
  encoder.char(Tag.SubscriptionRequestType, request.subscriptionRequestType);
}

export function readTradingSessionStatusRequest(message: FixMessage): Parsed<TradingSessionStatusRequest> {
  const reader = new FieldReader(message);
  return reader.parsed({
    tradSesReqID: reader.identifier(reader.required(Tag.TradSesReqID)),
    subscriptionRequestType: readSubscription(reader),
  });
}

export function writeTradingSessionStatus(encoder: FixEncoder, status: TradingSessionStatus): void {
  if (status.tradSesReqID !== '') encoder.ascii(Tag.TradSesReqID, status.tradSesReqID);
  encoder.ascii(Tag.TradingSessionID, status.tradingSessionID);
  encoder.int(Tag.TradSesStatus, status.tradSesStatus);
  if (status.text !== '') encoder.ascii(Tag.Text, status.text);
}

export function readTradingSessionStatus(message: FixMessage): Parsed<TradingSessionStatus> {
  const reader = new FieldReader(message);
  return reader.parsed({
    tradSesReqID: reader.identifier(reader.optional(Tag.TradSesReqID)),
    tradingSessionID: reader.identifier(reader.required(Tag.TradingSessionID)),
    tradSesStatus: reader.code(reader.required(Tag.TradSesStatus), TradSesStatus, TradSesStatus.Unknown),
    text: reader.text(reader.optional(Tag.Text)),
  });
}

function readSubscription(reader: FieldReader): SubscriptionRequestType {
  const position = reader.required(Tag.SubscriptionRequestType);
  return reader.char(position, SubscriptionRequestType, SubscriptionRequestType.Snapshot);
}
