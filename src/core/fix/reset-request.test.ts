import t from 'tap';
import type { FixSession } from './fix-session.ts';
import { MemoryFixStore } from './fix-store.ts';
import { MsgType } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { isResetUnanswered } from './reset-request.ts';
import { DisconnectReason, type FixSessionSettings, SendRefusal } from './session-contract.ts';
import { acceptor, body, carry, from, msgTypes, Side, START_MS, toBroker } from './testing/session-side.ts';

const KEPT = { gapPolicy: 'resend', resetOnLogon: false } as const;

/** Both sides of a session whose stores outlive its connections. */
class Pair {
  readonly brokerStore: MemoryFixStore = new MemoryFixStore();
  readonly venueStore: MemoryFixStore = new MemoryFixStore();
  broker!: Side;
  venue!: Side;
  /** As they were delivered: side, epoch, number, ClOrdID(11). */
  readonly taken: string[] = [];
  readonly #settings: Partial<FixSessionSettings>;

  constructor(settings: Partial<FixSessionSettings> = {}) {
    this.#settings = settings;
    this.connect();
    carry(this.broker, this.venue, START_MS);
  }

  /** New sessions over the same stores, as after a restart. */
  connect(): void {
    this.broker = new Side({ role: 'initiator', ...KEPT, ...this.#settings }, this.brokerStore);
    this.venue = new Side({ role: 'acceptor', ...KEPT, ...this.#settings }, this.venueStore);
    for (const side of [this.broker, this.venue]) {
      const name = side === this.broker ? 'broker' : 'venue';
      side.onMessage = ({ store }, message) => {
        const clOrdID = message.ascii(message.find(Tag.ClOrdID, message.bodyPosition));
        this.taken.push(`${name} ${store.epoch} ${message.msgSeqNum} ${clOrdID}`);
      };
    }
    this.venue.session.connected(START_MS);
    this.broker.session.connected(START_MS);
  }

  side(name: 'broker' | 'venue'): [Side, Side] {
    return name === 'broker' ? [this.broker, this.venue] : [this.venue, this.broker];
  }

  get numbers(): number[] {
    const { broker, venue } = this;
    return [
      broker.session.nextOutSeqNum - venue.session.nextInSeqNum,
      venue.session.nextOutSeqNum - broker.session.nextInSeqNum,
    ];
  }
}

function send(session: FixSession, clOrdID: string): number {
  session.begin(MsgType.NewOrderSingle, START_MS).ascii(Tag.ClOrdID, clOrdID);
  return session.send(START_MS);
}

/** Carries what one side has sent and keeps what the other says to it. */
function deliver(sender: Side, receiver: Side): void {
  for (const message of sender.takeSent()) receiver.receive(message, START_MS);
}

for (const name of ['broker', 'venue'] as const) {
  t.test(`the ${name} asks for a reset`, (t) => {
    const pair = new Pair();
    const [asking, asked] = pair.side(name);
    send(asking.session, 'a');
    send(asked.session, 'b');
    carry(pair.broker, pair.venue, START_MS);
    t.ok(asking.session.resetSeqNums(START_MS));
    t.notOk(asking.session.resetSeqNums(START_MS), 'once is enough');
    t.notOk(asking.session.loggedOn);
    t.equal(send(asking.session, 'c'), SendRefusal.NotLoggedOn, 'nothing follows the TestRequest');
    send(asked.session, 'd');
    carry(pair.broker, pair.venue, START_MS);
    t.same([pair.brokerStore.epoch, pair.venueStore.epoch], [2, 2]);
    t.same([asking.events.at(-1), asked.events.at(-1)], ['reset', 'reset'], 'both are told');
    t.same([asking.session.nextOutSeqNum, asking.session.nextInSeqNum], [2, 2]);
    t.same(pair.numbers, [0, 0]);
    t.equal(send(asking.session, 'e'), 2);
    t.equal(send(asked.session, 'f'), 2);
    carry(pair.broker, pair.venue, START_MS);
    const other = name === 'broker' ? 'venue' : 'broker';
    const expected = [`${other} 1 2 a`, `${name} 1 2 b`, `${name} 1 3 d`, `${other} 2 2 e`, `${name} 2 2 f`];
    t.same(pair.taken.sort(), expected.sort(), 'each once');
    t.notOk(isResetUnanswered(asking.session.store));
    t.end();
  });

  t.test(`the ${name} asks, and what is under way has its old key`, (t) => {
    const pair = new Pair();
    const [asking, asked] = pair.side(name);
    asking.session.resetSeqNums(START_MS);
    deliver(asking, asked);
    deliver(asked, asking);
    t.equal(send(asked.session, 'late'), 3);
    t.equal(msgTypes(asking.sent), 'A', 'our Logon is out');
    deliver(asked, asking);
    t.equal(pair.taken.at(-1), `${name} 1 3 late`);
    t.equal(send(asking.session, 'too early'), SendRefusal.NotLoggedOn);
    asking.session.onTimer(START_MS + 9_000);
    t.equal(msgTypes(asking.sent), 'A', 'and nothing else leaves');
    carry(pair.broker, pair.venue, START_MS);
    t.same([asking.session.store.epoch, asked.session.store.epoch, ...pair.numbers], [2, 2, 0, 0]);
    t.end();
  });

  for (const lost of ['the TestRequest', 'its answer', 'the Logon', 'the answer'] as const) {
    t.test(`the ${name} asks, and ${lost} is lost with the connection`, (t) => {
      const pair = new Pair();
      const [asking, asked] = pair.side(name);
      for (const side of [asking, asked]) for (let i = 0; i < 5; i++) send(side.session, `${i}`);
      carry(pair.broker, pair.venue, START_MS);
      asking.session.resetSeqNums(START_MS);
      const steps = ['the TestRequest', 'its answer', 'the Logon', 'the answer'];
      for (let step = 0; step < steps.indexOf(lost); step++) {
        if (step % 2 === 0) deliver(asking, asked);
        else deliver(asked, asking);
      }
      if (lost === 'the answer') send(asked.session, 'after the answer');
      const begun = lost === 'the Logon' || lost === 'the answer';
      t.equal(isResetUnanswered(asking.session.store), begun);
      const before = pair.taken.length;
      // Several connections are lost before one holds.
      for (let attempt = 0; attempt < 3; attempt++) {
        pair.connect();
        if (attempt === 1) deliver(pair.broker, pair.venue);
      }
      pair.connect();
      carry(pair.broker, pair.venue, START_MS);
      const [again, other] = pair.side(name);
      t.same([again.events, other.events], [['logon'], ['logon']], 'both are logged on');
      t.same(pair.numbers, [0, 0], 'and at the same numbers');
      t.equal(again.session.store.epoch > 1, begun, 'in a new epoch if the Logon was out');
      t.equal(pair.taken.length, before, 'no order comes a second time');
      send(again.session, 'x');
      send(other.session, 'y');
      carry(pair.broker, pair.venue, START_MS);
      t.equal(pair.taken.length, before + 2, 'and on');
      t.equal(new Set(pair.taken.map((line) => line.replace(/ \S+$/, ''))).size, pair.taken.length, 'no key twice');
      t.end();
    });
  }
}

t.test('a reset is asked for when nothing is missing', (t) => {
  const side = new Side({ role: 'acceptor' });
  t.notOk(side.session.resetSeqNums(START_MS), 'not without a connection');
  const gap = acceptor();
  gap.receive(from('D', 5));
  t.notOk(gap.session.resetSeqNums(START_MS), 'not while a gap is being filled');
  const resending = acceptor({}, new MemoryFixStore(8_000_000));
  for (let i = 0; i < 40; i++) {
    resending.session.begin(MsgType.ExecutionReport, START_MS).ascii(Tag.Text, 'x'.repeat(60_000));
    resending.session.send(START_MS);
  }
  resending.receive(from('2', 2, '7=2|16=0'));
  t.notOk(resending.session.resetSeqNums(START_MS), 'nor while one of theirs is');
  for (let ticks = 0; ticks < 4; ticks++) resending.session.onTimer(START_MS);
  t.ok(resending.session.resetSeqNums(START_MS));
  t.end();
});

t.test('a Reject of an order of before is not sent while the numbers turn', (t) => {
  const pair = new Pair();
  pair.venue.session.resetSeqNums(START_MS);
  deliver(pair.venue, pair.broker);
  deliver(pair.broker, pair.venue);
  send(pair.broker.session, 'late');
  pair.venue.onMessage = (session, message) => {
    session.reject(message, { refTagID: 11, sessionRejectReason: 5, text: 'no' }, START_MS);
    session.businessReject(message, '', 0, 'no', START_MS);
  };
  deliver(pair.broker, pair.venue);
  t.equal(msgTypes(pair.venue.sent), 'A');
  carry(pair.broker, pair.venue, START_MS);
  t.same(pair.numbers, [0, 0]);
  t.end();
});

t.test('an unanswered reset ends the connection after the Logon time-out', (t) => {
  const pair = new Pair();
  pair.broker.session.resetSeqNums(START_MS);
  deliver(pair.broker, pair.venue);
  deliver(pair.venue, pair.broker);
  pair.broker.session.onTimer(START_MS + 9_999);
  t.equal(pair.broker.disconnectReason, '');
  pair.broker.session.onTimer(START_MS + 10_000);
  t.equal(pair.broker.disconnectReason, DisconnectReason.ResetNotAnswered);
  t.same(pair.broker.events, ['logon', `logout ${DisconnectReason.ResetNotAnswered}`]);
  t.end();
});

t.test('credentials go with the Logon of a reset, whoever asks, and never come from an acceptor', (t) => {
  const credentials = { username: 'DESK', password: 'open sesame' };
  for (const name of ['broker', 'venue'] as const) {
    const pair = new Pair({ credentials });
    const logons: string[] = [];
    const [asking, asked] = pair.side(name);
    asking.session.resetSeqNums(START_MS);
    for (let round = 0; round < 3; round++) {
      for (const [sender, receiver] of [
        [asking, asked],
        [asked, asking],
      ] as const) {
        logons.push(...sender.sent.filter((message) => message.includes('|35=A|')));
        deliver(sender, receiver);
      }
    }
    const secrets = new Set(logons.map((message) => [/49=(\w+)/.exec(message)?.[1], message.includes('554=')].join()));
    t.same([...secrets].sort(), ['BROKER,true', 'VENUE,false']);
    t.same(pair.numbers, [0, 0]);
  }
  t.end();
});

t.test('a refused Logon between does not make an acceptor forget that it asked', (t) => {
  const credentials = { username: 'DESK', password: 'open sesame' };
  const pair = new Pair({ credentials });
  pair.venue.session.resetSeqNums(START_MS);
  deliver(pair.venue, pair.broker);
  deliver(pair.broker, pair.venue);
  const thief = new Side({ role: 'acceptor', ...KEPT, credentials }, pair.venueStore);
  thief.session.connected(START_MS);
  thief.receive(from('A', 1, '98=0|108=30|553=DESK|554=guess'));
  t.equal(thief.disconnectReason, DisconnectReason.LogonRefused);
  t.same(thief.sent, [], 'there is no number for a Logout');
  t.ok(isResetUnanswered(pair.venueStore));
  pair.connect();
  carry(pair.broker, pair.venue, START_MS);
  t.same([pair.brokerStore.epoch, pair.venueStore.epoch, ...pair.numbers], [2, 2, 0, 0]);
  t.end();
});

t.test('an initiator asks again before it goes on, an acceptor in its answer', (t) => {
  const pair = new Pair();
  pair.broker.session.resetSeqNums(START_MS);
  deliver(pair.broker, pair.venue);
  deliver(pair.venue, pair.broker);
  pair.connect();
  t.match(pair.broker.sent[0], '|34=1|');
  t.equal(body(pair.broker.sent[0]!), '98=0|108=30|141=Y|');
  carry(pair.broker, pair.venue, START_MS);
  pair.venue.session.resetSeqNums(START_MS);
  deliver(pair.venue, pair.broker);
  deliver(pair.broker, pair.venue);
  pair.connect();
  t.equal(body(pair.broker.sent[0]!), '98=0|108=30|', 'the initiator knows nothing of it');
  deliver(pair.broker, pair.venue);
  t.match(pair.venue.sent[0], '|34=1|');
  t.equal(body(pair.venue.sent[0]!), '98=0|108=30|141=Y|');
  deliver(pair.venue, pair.broker);
  t.equal(body(pair.broker.sent[0]!), '98=0|108=30|141=Y|');
  t.same(pair.venue.events, [], 'it is logged on once that is answered');
  carry(pair.broker, pair.venue, START_MS);
  t.same([pair.venue.events, pair.broker.events, ...pair.numbers], [['logon'], ['logon'], 0, 0]);
  t.end();
});

t.test('an acceptor that says ResetSeqNumFlag to a first Logon unasked gets no second one', (t) => {
  const side = new Side({ role: 'initiator', ...KEPT });
  side.session.connected(START_MS);
  side.takeSent();
  side.receive(toBroker('A', 1, '98=0|108=30|141=Y'));
  t.same([side.events, side.sent, side.session.store.epoch], [['logon'], [], 1]);
  t.same([side.session.nextOutSeqNum, side.session.nextInSeqNum], [2, 2]);
  t.end();
});
