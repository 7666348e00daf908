// Generated from the FIX 4.4 dictionary by scripts/generate-fix.ts: change it there, then `npm run generate`.

/** MsgType(35): one character as its code, two as `(first << 8) | second`. */
export const MsgType = {
  /** 0 */
  Heartbeat: 48,
  /** 1 */
  TestRequest: 49,
  /** 2 */
  ResendRequest: 50,
  /** 3 */
  Reject: 51,
  /** 4 */
  SequenceReset: 52,
  /** 5 */
  Logout: 53,
  /** A */
  Logon: 65,
  /** 8 */
  ExecutionReport: 56,
  /** 9 */
  OrderCancelReject: 57,
  /** D */
  NewOrderSingle: 68,
  /** F */
  OrderCancelRequest: 70,
  /** G */
  OrderCancelReplaceRequest: 71,
  /** V */
  MarketDataRequest: 86,
  /** W */
  MarketDataSnapshotFullRefresh: 87,
  /** X */
  MarketDataIncrementalRefresh: 88,
  /** Y */
  MarketDataRequestReject: 89,
  /** f */
  SecurityStatus: 102,
  /** j */
  BusinessMessageReject: 106,
  /** H */
  OrderStatusRequest: 72,
  /** AF */
  OrderMassStatusRequest: 16710,
  /** q */
  OrderMassCancelRequest: 113,
  /** r */
  OrderMassCancelReport: 114,
  /** x */
  SecurityListRequest: 120,
  /** y */
  SecurityList: 121,
  /** e */
  SecurityStatusRequest: 101,
  /** g */
  TradingSessionStatusRequest: 103,
  /** h */
  TradingSessionStatus: 104,
} as const;
export type MsgType = (typeof MsgType)[keyof typeof MsgType];

/** Side(54) */
export const Side = {
  /** 1 */
  Buy: 49,
  /** 2 */
  Sell: 50,
  /** 3 */
  BuyMinus: 51,
  /** 4 */
  SellPlus: 52,
  /** 5 */
  SellShort: 53,
  /** 6 */
  SellShortExempt: 54,
  /** 7 */
  Undisclosed: 55,
  /** 8 */
  Cross: 56,
  /** 9 */
  CrossShort: 57,
  /** A */
  CrossShortExempt: 65,
  /** B */
  AsDefined: 66,
  /** C */
  Opposite: 67,
  /** D */
  Subscribe: 68,
  /** E */
  Redeem: 69,
  /** F */
  Lend: 70,
  /** G */
  Borrow: 71,
} as const;
export type Side = (typeof Side)[keyof typeof Side];

/** OrdType(40) */
export const OrdType = {
  /** 1 */
  Market: 49,
  /** 2 */
  Limit: 50,
  /** 3 */
  Stop: 51,
  /** 4 */
  StopLimit: 52,
  /** 6 */
  WithOrWithout: 54,
  /** 7 */
  LimitOrBetter: 55,
  /** 8 */
  LimitWithOrWithout: 56,
  /** 9 */
  OnBasis: 57,
  /** D */
  PreviouslyQuoted: 68,
  /** E */
  PreviouslyIndicated: 69,
  /** G */
  Forex: 71,
  /** I */
  Funari: 73,
  /** J */
  MarketIfTouched: 74,
  /** K */
  MarketWithLeftoverAsLimit: 75,
  /** L */
  PreviousFundValuationPoint: 76,
  /** M */
  NextFundValuationPoint: 77,
  /** P */
  Pegged: 80,
} as const;
export type OrdType = (typeof OrdType)[keyof typeof OrdType];

/** TimeInForce(59) */
export const TimeInForce = {
  /** 0 */
  Day: 48,
  /** 1 */
  GoodTillCancel: 49,
  /** 2 */
  AtTheOpening: 50,
  /** 3 */
  ImmediateOrCancel: 51,
  /** 4 */
  FillOrKill: 52,
  /** 5 */
  GoodTillCrossing: 53,
  /** 6 */
  GoodTillDate: 54,
  /** 7 */
  AtTheClose: 55,
} as const;
export type TimeInForce = (typeof TimeInForce)[keyof typeof TimeInForce];

/** ExecType(150) */
export const ExecType = {
  /** 0 */
  New: 48,
  /** 3 */
  DoneForDay: 51,
  /** 4 */
  Canceled: 52,
  /** 5 */
  Replace: 53,
  /** 6 */
  PendingCancel: 54,
  /** 7 */
  Stopped: 55,
  /** 8 */
  Rejected: 56,
  /** 9 */
  Suspended: 57,
  /** A */
  PendingNew: 65,
  /** B */
  Calculated: 66,
  /** C */
  Expired: 67,
  /** D */
  Restated: 68,
  /** E */
  PendingReplace: 69,
  /** F */
  Trade: 70,
  /** G */
  TradeCorrect: 71,
  /** H */
  TradeCancel: 72,
  /** I */
  OrderStatus: 73,
} as const;
export type ExecType = (typeof ExecType)[keyof typeof ExecType];

/** OrdStatus(39) */
export const OrdStatus = {
  /** 0 */
  New: 48,
  /** 1 */
  PartiallyFilled: 49,
  /** 2 */
  Filled: 50,
  /** 3 */
  DoneForDay: 51,
  /** 4 */
  Canceled: 52,
  /** 6 */
  PendingCancel: 54,
  /** 7 */
  Stopped: 55,
  /** 8 */
  Rejected: 56,
  /** 9 */
  Suspended: 57,
  /** A */
  PendingNew: 65,
  /** B */
  Calculated: 66,
  /** C */
  Expired: 67,
  /** D */
  AcceptedForBidding: 68,
  /** E */
  PendingReplace: 69,
} as const;
export type OrdStatus = (typeof OrdStatus)[keyof typeof OrdStatus];

/** OrdRejReason(103) */
export const OrdRejReason = {
  Broker: 0,
  UnknownSymbol: 1,
  ExchangeClosed: 2,
  OrderExceedsLimit: 3,
  TooLateToEnter: 4,
  UnknownOrder: 5,
  DuplicateOrder: 6,
  DuplicateOfAVerballyCommunicatedOrder: 7,
  StaleOrder: 8,
  TradeAlongRequired: 9,
  InvalidInvestorId: 10,
  UnsupportedOrderCharacteristic: 11,
  IncorrectQuantity: 13,
  IncorrectAllocatedQuantity: 14,
  UnknownAccount: 15,
  Other: 99,
} as const;
export type OrdRejReason = (typeof OrdRejReason)[keyof typeof OrdRejReason];

/** CxlRejReason(102) */
export const CxlRejReason = {
  TooLateToCancel: 0,
  UnknownOrder: 1,
  Broker: 2,
  OrderAlreadyInPendingCancelOrPendingReplaceStatus: 3,
  UnableToProcessOrderMassCancelRequest: 4,
  OrigOrdModTime: 5,
  DuplicateClOrdID: 6,
  Other: 99,
} as const;
export type CxlRejReason = (typeof CxlRejReason)[keyof typeof CxlRejReason];

/** CxlRejResponseTo(434) */
export const CxlRejResponseTo = {
  /** 1 */
  OrderCancelRequest: 49,
  /** 2 */
  OrderCancelReplaceRequest: 50,
} as const;
export type CxlRejResponseTo = (typeof CxlRejResponseTo)[keyof typeof CxlRejResponseTo];

/** SubscriptionRequestType(263) */
export const SubscriptionRequestType = {
  /** 0 */
  Snapshot: 48,
  /** 1 */
  SnapshotPlusUpdates: 49,
  /** 2 */
  DisablePreviousSnapshotPlusUpdateRequest: 50,
} as const;
export type SubscriptionRequestType = (typeof SubscriptionRequestType)[keyof typeof SubscriptionRequestType];

/** MDEntryType(269) */
export const MDEntryType = {
  /** 0 */
  Bid: 48,
  /** 1 */
  Offer: 49,
  /** 2 */
  Trade: 50,
  /** 3 */
  IndexValue: 51,
  /** 4 */
  OpeningPrice: 52,
  /** 5 */
  ClosingPrice: 53,
  /** 6 */
  SettlementPrice: 54,
  /** 7 */
  TradingSessionHighPrice: 55,
  /** 8 */
  TradingSessionLowPrice: 56,
  /** 9 */
  TradingSessionVwapPrice: 57,
  /** A */
  Imbalance: 65,
  /** B */
  TradeVolume: 66,
  /** C */
  OpenInterest: 67,
} as const;
export type MDEntryType = (typeof MDEntryType)[keyof typeof MDEntryType];

/** MDUpdateAction(279) */
export const MDUpdateAction = {
  /** 0 */
  New: 48,
  /** 1 */
  Change: 49,
  /** 2 */
  Delete: 50,
} as const;
export type MDUpdateAction = (typeof MDUpdateAction)[keyof typeof MDUpdateAction];

/** MDReqRejReason(281) */
export const MDReqRejReason = {
  /** 0 */
  UnknownSymbol: 48,
  /** 1 */
  DuplicateMDReqID: 49,
  /** 2 */
  InsufficientBandwidth: 50,
  /** 3 */
  InsufficientPermissions: 51,
  /** 4 */
  UnsupportedSubscriptionRequestType: 52,
  /** 5 */
  UnsupportedMarketDepth: 53,
  /** 6 */
  UnsupportedMDUpdateType: 54,
  /** 7 */
  UnsupportedAggregatedBook: 55,
  /** 8 */
  UnsupportedMDEntryType: 56,
  /** 9 */
  UnsupportedTradingSessionID: 57,
  /** A */
  UnsupportedScope: 65,
  /** B */
  UnsupportedOpenclosesettleflag: 66,
  /** C */
  UnsupportedMDImplicitDelete: 67,
} as const;
export type MDReqRejReason = (typeof MDReqRejReason)[keyof typeof MDReqRejReason];

/** SecurityTradingStatus(326) */
export const SecurityTradingStatus = {
  OpeningDelay: 1,
  TradingHalt: 2,
  Resume: 3,
  NoOpenNoResume: 4,
  PriceIndication: 5,
  TradingRangeIndication: 6,
  MarketImbalanceBuy: 7,
  MarketImbalanceSell: 8,
  MarketOnCloseImbalanceBuy: 9,
  MarketOnCloseImbalanceSell: 10,
  NoMarketImbalance: 12,
  NoMarketOnCloseImbalance: 13,
  ItsPreOpening: 14,
  NewPriceIndication: 15,
  TradeDisseminationTime: 16,
  ReadyToTrade: 17,
  NotAvailableForTrading: 18,
  NotTradedOnThisMarket: 19,
  UnknownOrInvalid: 20,
  PreOpen: 21,
  OpeningRotation: 22,
  FastMarket: 23,
} as const;
export type SecurityTradingStatus = (typeof SecurityTradingStatus)[keyof typeof SecurityTradingStatus];

/** SessionRejectReason(373) */
export const SessionRejectReason = {
  InvalidTagNumber: 0,
  RequiredTagMissing: 1,
  TagNotDefinedForThisMessageType: 2,
  UndefinedTag: 3,
  TagSpecifiedWithoutAValue: 4,
  ValueIsIncorrect: 5,
  IncorrectDataFormatForValue: 6,
  DecryptionProblem: 7,
  SignatureProblem: 8,
  CompIDProblem: 9,
  SendingTimeAccuracyProblem: 10,
  InvalidMsgType: 11,
  XmlValidationError: 12,
  TagAppearsMoreThanOnce: 13,
  TagSpecifiedOutOfRequiredOrder: 14,
  RepeatingGroupFieldsOutOfOrder: 15,
  IncorrectNumInGroupCountForRepeatingGroup: 16,
  NonDataValueIncludesFieldDelimiter: 17,
  Other: 99,
} as const;
export type SessionRejectReason = (typeof SessionRejectReason)[keyof typeof SessionRejectReason];

/** BusinessRejectReason(380) */
export const BusinessRejectReason = {
  Other: 0,
  UnknownId: 1,
  UnknownSecurity: 2,
  UnsupportedMessageType: 3,
  ApplicationNotAvailable: 4,
  ConditionallyRequiredFieldMissing: 5,
  NotAuthorized: 6,
  DelivertoFirmNotAvailableAtThisTime: 7,
} as const;
export type BusinessRejectReason = (typeof BusinessRejectReason)[keyof typeof BusinessRejectReason];

/** MassStatusReqType(585) */
export const MassStatusReqType = {
  StatusForOrdersForASecurity: 1,
  StatusForOrdersForAnUnderlyingSecurity: 2,
  StatusForOrdersForAProduct: 3,
  StatusForOrdersForACFICode: 4,
  StatusForOrdersForASecurityType: 5,
  StatusForOrdersForATradingSession: 6,
  StatusForAllOrders: 7,
  StatusForOrdersForAPartyID: 8,
} as const;
export type MassStatusReqType = (typeof MassStatusReqType)[keyof typeof MassStatusReqType];

/** MassCancelRequestType(530) */
export const MassCancelRequestType = {
  /** 1 */
  CancelOrdersForASecurity: 49,
  /** 2 */
  CancelOrdersForAnUnderlyingSecurity: 50,
  /** 3 */
  CancelOrdersForAProduct: 51,
  /** 4 */
  CancelOrdersForACFICode: 52,
  /** 5 */
  CancelOrdersForASecurityType: 53,
  /** 6 */
  CancelOrdersForATradingSession: 54,
  /** 7 */
  CancelAllOrders: 55,
} as const;
export type MassCancelRequestType = (typeof MassCancelRequestType)[keyof typeof MassCancelRequestType];

/** MassCancelResponse(531) */
export const MassCancelResponse = {
  /** 0 */
  CancelRequestRejected: 48,
  /** 1 */
  CancelOrdersForASecurity: 49,
  /** 2 */
  CancelOrdersForAnUnderlyingSecurity: 50,
  /** 3 */
  CancelOrdersForAProduct: 51,
  /** 4 */
  CancelOrdersForACFICode: 52,
  /** 5 */
  CancelOrdersForASecurityType: 53,
  /** 6 */
  CancelOrdersForATradingSession: 54,
  /** 7 */
  CancelAllOrders: 55,
} as const;
export type MassCancelResponse = (typeof MassCancelResponse)[keyof typeof MassCancelResponse];

/** MassCancelRejectReason(532) */
export const MassCancelRejectReason = {
  MassCancelNotSupported: 0,
  InvalidOrUnknownSecurity: 1,
  InvalidOrUnknownUnderlying: 2,
  InvalidOrUnknownProduct: 3,
  InvalidOrUnknownCFICode: 4,
  InvalidOrUnknownSecurityType: 5,
  InvalidOrUnknownTradingSession: 6,
  Other: 99,
} as const;
export type MassCancelRejectReason = (typeof MassCancelRejectReason)[keyof typeof MassCancelRejectReason];

/** SecurityListRequestType(559) */
export const SecurityListRequestType = {
  Symbol: 0,
  SecurityTypeAndOrCFICode: 1,
  Product: 2,
  TradingSessionID: 3,
  AllSecurities: 4,
} as const;
export type SecurityListRequestType = (typeof SecurityListRequestType)[keyof typeof SecurityListRequestType];

/** SecurityRequestResult(560) */
export const SecurityRequestResult = {
  ValidRequest: 0,
  InvalidOrUnsupportedRequest: 1,
  NoInstrumentsFoundThatMatchSelectionCriteria: 2,
  NotAuthorizedToRetrieveInstrumentData: 3,
  InstrumentDataTemporarilyUnavailable: 4,
  RequestForInstrumentDataNotSupported: 5,
} as const;
export type SecurityRequestResult = (typeof SecurityRequestResult)[keyof typeof SecurityRequestResult];

/** TradSesStatus(340) */
export const TradSesStatus = {
  Unknown: 0,
  Halted: 1,
  Open: 2,
  Closed: 3,
  PreOpen: 4,
  PreClose: 5,
  RequestRejected: 6,
} as const;
export type TradSesStatus = (typeof TradSesStatus)[keyof typeof TradSesStatus];
