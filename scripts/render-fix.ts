import { OutcryError } from '../src/core/errors.ts';

/**
 * Renders the FIX constants of `src/core/fix/generated` from a QuickFIX-style XML dictionary. Pure: text in, text out.
 * The dictionary is regular (one element a line, single-quoted attributes), so that lines are scanned and no XML parser is needed.
 */

/** Fields that the engine reads or writes, in the order of their tags. */
const TAG_NAMES = [
  ...['Account', 'AvgPx', 'BeginSeqNo', 'BeginString', 'BodyLength', 'CheckSum', 'ClOrdID', 'CumQty', 'EndSeqNo'],
  ...['ExecID', 'LastPx', 'LastQty', 'MsgSeqNum', 'MsgType', 'NewSeqNo', 'OrderID', 'OrderQty', 'OrdStatus', 'OrdType'],
  ...['OrigClOrdID', 'PossDupFlag', 'Price', 'StopPx', 'RefSeqNum', 'SenderCompID', 'SendingTime', 'Side', 'Symbol'],
  ...['TargetCompID', 'Text', 'TimeInForce', 'TransactTime', 'PossResend', 'EncryptMethod', 'CxlRejReason'],
  ...['OrdRejReason', 'HeartBtInt', 'TestReqID', 'OrigSendingTime', 'GapFillFlag', 'ResetSeqNumFlag', 'NoRelatedSym'],
  ...['ExecType', 'LeavesQty', 'MDReqID', 'SubscriptionRequestType', 'MarketDepth', 'MDUpdateType', 'NoMDEntryTypes'],
  ...['NoMDEntries', 'MDEntryType', 'MDEntryPx', 'MDEntrySize', 'MDEntryDate', 'MDEntryTime', 'MDUpdateAction'],
  ...['MDReqRejReason', 'MDEntryPositionNo', 'SecurityTradingStatus', 'NumberOfOrders', 'RefTagID', 'RefMsgType'],
  ...['SessionRejectReason', 'BusinessRejectRefID', 'BusinessRejectReason', 'CxlRejResponseTo', 'OnBehalfOfCompID'],
  ...['OnBehalfOfSubID', 'OnBehalfOfLocationID', 'DeliverToCompID', 'DeliverToSubID', 'DeliverToLocationID'],
  ...['ExecRefID', 'HandlInst', 'OrdStatusReqID', 'MassStatusReqID', 'MassStatusReqType', 'TotNumReports'],
  ...['LastRptRequested', 'MassCancelRequestType', 'MassCancelResponse', 'MassCancelRejectReason'],
  ...['TotalAffectedOrders', 'Username', 'Password', 'SecurityReqID', 'SecurityResponseID', 'SecurityListRequestType'],
  ...['SecurityRequestResult', 'TotNoRelatedSym', 'LastFragment', 'SecurityID', 'SecurityIDSource', 'NoSecurityAltID'],
  ...['SecurityAltID', 'SecurityAltIDSource', 'CFICode', 'SecurityDesc', 'NoInstrAttrib', 'InstrAttribType'],
  ...['InstrAttribValue', 'RoundLot', 'SecurityStatusReqID', 'TradSesReqID', 'TradingSessionID', 'TradSesStatus'],
] as const;

/** Fields whose values get names. */
const ENUM_NAMES = [
  ...['Side', 'OrdType', 'TimeInForce', 'ExecType', 'OrdStatus', 'OrdRejReason', 'CxlRejReason', 'CxlRejResponseTo'],
  ...['SubscriptionRequestType', 'MDEntryType', 'MDUpdateAction', 'MDReqRejReason', 'SecurityTradingStatus'],
  ...['SessionRejectReason', 'BusinessRejectReason', 'MassStatusReqType', 'MassCancelRequestType'],
  ...['MassCancelResponse', 'MassCancelRejectReason', 'SecurityListRequestType', 'SecurityRequestResult'],
  'TradSesStatus',
] as const;

const MESSAGE_NAMES = [
  ...['Heartbeat', 'TestRequest', 'ResendRequest', 'Reject', 'SequenceReset', 'Logout', 'Logon', 'ExecutionReport'],
  ...['OrderCancelReject', 'NewOrderSingle', 'OrderCancelRequest', 'OrderCancelReplaceRequest', 'MarketDataRequest'],
  ...['MarketDataSnapshotFullRefresh', 'MarketDataIncrementalRefresh', 'MarketDataRequestReject', 'SecurityStatus'],
  ...['BusinessMessageReject', 'OrderStatusRequest', 'OrderMassStatusRequest', 'OrderMassCancelRequest'],
  ...['OrderMassCancelReport', 'SecurityListRequest', 'SecurityList', 'SecurityStatusRequest'],
  ...['TradingSessionStatusRequest', 'TradingSessionStatus'],
] as const;

interface DictionaryField {
  tag: number;
  type: string;
  values: { code: string; description: string }[];
}

interface Dictionary {
  fields: Map<string, DictionaryField>;
  msgTypes: Map<string, string>;
  /** Names of the header's fields, its Hop group included. */
  headerNames: string[];
}

function attribute(line: string, name: string): string {
  const value = new RegExp(`\\s${name}='([^']*)'`).exec(line)?.[1];
  if (value === undefined)
    throw new OutcryError('CONFIG_INVALID', `FIX dictionary: no attribute ${name} in: ${line.trim()}`);
  return value;
}

function scan(xml: string): Dictionary {
  const dictionary: Dictionary = { fields: new Map(), msgTypes: new Map(), headerNames: [] };
  let current: DictionaryField | undefined;
  let inHeader = false;
  for (const line of xml.split('\n')) {
    if (/<header>|<component name='Hop'>/.test(line)) inHeader = true;
    if (/<\/header>|<\/component>/.test(line)) inHeader = false;
    if (inHeader && /<(field|group) /.test(line)) dictionary.headerNames.push(attribute(line, 'name'));
    if (/<message /.test(line)) {
      dictionary.msgTypes.set(attribute(line, 'name'), attribute(line, 'msgtype'));
    } else if (/<field (?:.*\s)?number=/.test(line)) {
      current = { tag: Number(attribute(line, 'number')), type: attribute(line, 'type'), values: [] };
      dictionary.fields.set(attribute(line, 'name'), current);
    } else if (/<value /.test(line)) {
      current?.values.push({ code: attribute(line, 'enum'), description: attribute(line, 'description') });
    }
  }
  return dictionary;
}

function fieldOf(dictionary: Dictionary, name: string): DictionaryField {
  const field = dictionary.fields.get(name);
  if (field === undefined) throw new OutcryError('CONFIG_INVALID', `FIX dictionary: no field ${name}`);
  return field;
}

/** Slips of the dictionary's descriptions, put right. */
const CORRECTED_DESCRIPTIONS: Readonly<Record<string, string>> = {
  UNSUPPORTED_ORDER_CHARACTERISTIC12_SURVEILLENCE_OPTION: 'UNSUPPORTED_ORDER_CHARACTERISTIC',
  UNKOWN_ID: 'UNKNOWN_ID',
};

/** FIX's own spelling of words that are no field's name. */
const SPELLINGS: readonly (readonly [string, string])[] = [
  ['COMPID', 'CompID'],
  ['NUMINGROUP', 'NumInGroup'],
];

/** `PARTIALLY_FILLED` as `PartiallyFilled`; a word that is a field's name keeps FIX's spelling: `DUPLICATE_MDREQID` as `DuplicateMDReqID`. */
function pascalCase(description: string, spellings: ReadonlyMap<string, string>): string {
  return (CORRECTED_DESCRIPTIONS[description] ?? description)
    .split('_')
    .map((word) => spellings.get(word) ?? word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
}

/** A character code; of two characters the first is the high byte. */
function codeOf(text: string): number {
  return text.length === 1 ? text.charCodeAt(0) : (text.charCodeAt(0) << 8) | text.charCodeAt(1);
}

function ascending(tags: readonly number[]): string {
  return [...tags].sort((a, b) => a - b).join(', ');
}

const HEADER =
  '// Generated from the FIX 4.4 dictionary by scripts/generate-fix.ts: change it there, then `npm run generate`.\n';

/** Tag numbers under FIX's own spelling, and the fields of type data, whose value may contain SOH. */
export function renderFixTags(xml: string): string {
  const dictionary = scan(xml);
  const tags = TAG_NAMES.map((name) => ({ name, tag: fieldOf(dictionary, name).tag })).sort((a, b) => a.tag - b.tag);
  const dataTags = [...dictionary.fields.values()].filter((field) => field.type === 'DATA').map((field) => field.tag);
  const headerTags = dictionary.headerNames.map((name) => fieldOf(dictionary, name).tag);
  let text = `${HEADER}\nexport const Tag = {\n`;
  for (const { name, tag } of tags) text += `  ${name}: ${tag},\n`;
  text += '} as const;\n\n/** Fields of the standard header. */\n';
  text += `export const HEADER_TAGS: readonly number[] = [${ascending(headerTags)}];\n`;
  text += '\n/** Fields of type data: as long as the field before them says, SOH or not. */\n';
  return `${text}export const DATA_TAGS: readonly number[] = [${ascending(dataTags)}];\n`;
}

/** Values by name: char fields and MsgType as character codes, int fields as their number. */
export function renderFixEnums(xml: string): string {
  const dictionary = scan(xml);
  let text = `${HEADER}\n/** MsgType(35): one character as its code, two as \`(first << 8) | second\`. */\nexport const MsgType = {\n`;
  for (const name of MESSAGE_NAMES) {
    const msgType = dictionary.msgTypes.get(name);
    if (msgType === undefined) throw new OutcryError('CONFIG_INVALID', `FIX dictionary: no message ${name}`);
    text += `  /** ${msgType} */\n  ${name}: ${codeOf(msgType)},\n`;
  }
  text += '} as const;\nexport type MsgType = (typeof MsgType)[keyof typeof MsgType];\n';
  const spellings = new Map([
    ...[...dictionary.fields.keys()].map((name): [string, string] => [name.toUpperCase(), name]),
    ...SPELLINGS,
  ]);
  for (const name of ENUM_NAMES) {
    const field = fieldOf(dictionary, name);
    text += `\n/** ${name}(${field.tag}) */\nexport const ${name} = {\n`;
    // MassCancelRejectReason(532) is a char of the dictionary with a value 99: a number in truth.
    const isNumber = field.type === 'INT' || field.values.some(({ code }) => code.length > 1);
    for (const { code, description } of field.values) {
      const value = isNumber ? Number(code) : codeOf(code);
      text += `${isNumber ? '' : `  /** ${code} */\n`}  ${pascalCase(description, spellings)}: ${value},\n`;
    }
    text += `} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];\n`;
  }
  return text;
}
