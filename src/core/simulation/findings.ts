/** What must hold whatever fails and when. */
export const Invariant = {
  MoneyConserved: 'money-conserved',
  PostingsZero: 'postings-zero',
  HoldsCoverOrders: 'holds-cover-orders',
  PositionsEqualFills: 'positions-equal-fills',
  AvailableNotNegative: 'available-not-negative',
  SeqWithoutGap: 'seq-without-gap',
  ProjectionsEqualReplay: 'projections-equal-replay',
  FillOnce: 'fill-once',
  AcknowledgedIsDurable: 'acknowledged-is-durable',
  OneAnswer: 'one-answer',
  AnswerIsRight: 'answer-is-right',
  PushesInOrder: 'pushes-in-order',
  SentIsDurable: 'sent-is-durable',
  SentOnce: 'sent-once',
  SentInTime: 'sent-in-time',
  TriggerTraded: 'trigger-traded',
  OneOwner: 'one-owner',
  SessionNumbers: 'session-numbers',
  DatabaseAgrees: 'database-agrees',
  /** Orders, intraday positions, deliveries and notes of a day that has ended. */
  DayEnds: 'day-ends',
  BrokerAndExchangeAgree: 'broker-and-exchange-agree',
  ComesToRest: 'comes-to-rest',
  /** The engine died where nothing had been planned for it. */
  EngineLives: 'engine-lives',
} as const;
export type Invariant = (typeof Invariant)[keyof typeof Invariant];

export interface Finding {
  readonly invariant: Invariant;
  readonly tsMicros: number;
  readonly text: string;
}

/** Findings that are kept of a day; one is enough to fail it, and after many there is nothing to learn. */
const FINDINGS_MAX = 20;

/** The invariants that did not hold, in the order in which it showed. */
export class Findings {
  readonly list: Finding[] = [];
  readonly #nowMicros: () => number;

  constructor(nowMicros: () => number) {
    this.#nowMicros = nowMicros;
  }

  get isBroken(): boolean {
    return this.list.length > 0;
  }

  add(invariant: Invariant, text: string): void {
    if (this.list.length < FINDINGS_MAX) this.list.push({ invariant, tsMicros: this.#nowMicros(), text });
  }

  /** Adds one when `holds` is false. The text is only made then. */
  check(holds: boolean, invariant: Invariant, text: () => string): void {
    if (!holds) this.add(invariant, text());
  }
}
