import t from 'tap';
import { type FixStore, MemoryFixStore } from './fix-store.ts';
import { MsgType } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { OrderResendRule } from './order-resend-rule.ts';
import type { FixSessionSettings } from './session-contract.ts';
import { acceptor, body, from, msgTypes, Side, START_MS, toBroker } from './testing/session-side.ts';

t.test('ResendRequest is answered from the store', (t) => {
  const stored = (settings: Partial<FixSessionSettings>, store?: FixStore): Side => {
    const side = acceptor(settings, store);
    for (let i = 0; i < 3; i++) {
      side.session.begin(MsgType.ExecutionReport, START_MS).ascii(Tag.OrderID, `V-${i}`);
      side.session.send(START_MS);
    }
    side.takeSent();
    return side;
  };
  const side = stored({});
  side.receive(from('2', 2, '7=2|16=0', '20261122-04:00:07.000'), START_MS + 7_000);
  t.same(side.takeSent().map(body), [
    '43=Y|122=20261122-04:00:00.000|37=V-0|',
    '43=Y|122=20261122-04:00:00.000|37=V-1|',
    '43=Y|122=20261122-04:00:00.000|37=V-2|',
  ]);
  t.equal(side.session.nextOutSeqNum, 5, 'what is sent again uses up no number');
  const choosy = stored({ resendable: (message, nowMs) => message.msgSeqNum !== 3 && nowMs === START_MS });
  choosy.receive(from('2', 2, '7=1|16=4'));
  t.same(choosy.takeSent().map(body), [
    '43=Y|122=20261122-04:00:00.000|123=Y|36=2|',
    '43=Y|122=20261122-04:00:00.000|37=V-0|',
    '43=Y|122=20261122-04:00:00.000|123=Y|36=4|',
    '43=Y|122=20261122-04:00:00.000|37=V-2|',
  ]);
  const forgetful = stored({}, new MemoryFixStore(0));
  forgetful.receive(from('2', 2, '7=1|16=0'));
  t.same(forgetful.takeSent().map(body), ['43=Y|122=20261122-04:00:00.000|123=Y|36=5|'], 'nothing was kept');
  t.end();
});

t.test('a long answer to a ResendRequest goes out in pieces', (t) => {
  const side = acceptor({}, new MemoryFixStore(8_000_000));
  const text = 'x'.repeat(60_000);
  for (let i = 0; i < 40; i++) {
    side.session.begin(MsgType.ExecutionReport, START_MS).ascii(Tag.Text, text);
    side.session.send(START_MS);
  }
  side.takeSent();
  side.receive(from('2', 2, '7=2|16=0'));
  const first = side.takeSent().length;
  t.ok(first > 10 && first < 20, `${first} at once`);
  side.receive(from('2', 3, '7=30|16=41'));
  t.match(side.sent[0], /\|34=\d+\|/);
  const numbers = new Set(Array.from({ length: first }, (_, i) => i + 2));
  for (let ticks = 0; ticks < 10; ticks++) {
    for (const message of side.takeSent()) numbers.add(Number(/\|34=(\d+)\|/.exec(message)?.[1]));
    side.session.onTimer(START_MS + 250);
  }
  t.equal(numbers.size, 40, 'all of them, and a request in between loses none');
  side.receive(from('A', 1, '98=0|108=30|141=Y'));
  t.equal(side.session.nextOutSeqNum, 2);
  side.session.onTimer(START_MS + 500);
  t.equal(msgTypes(side.takeSent()), 'A', 'a reset ends it');
  t.end();
});

t.test('numbers live in the store: a session of a later process goes on', (t) => {
  const store = new MemoryFixStore();
  const first = new Side({ role: 'initiator', resetOnLogon: false }, store);
  first.session.connected(START_MS);
  first.receive(toBroker('A', 1, '98=0|108=30') + toBroker('8', 2));
  first.session.begin(MsgType.NewOrderSingle, START_MS).ascii(Tag.ClOrdID, 'o-1');
  t.equal(first.session.send(START_MS), 2);
  t.same([store.nextSenderMsgSeqNum, store.nextTargetMsgSeqNum, store.epoch], [3, 3, 1]);
  const second = new Side({ role: 'initiator', resetOnLogon: false }, store);
  second.session.connected(START_MS);
  t.match(second.takeSent()[0], '|34=3|');
  second.receive(toBroker('A', 5, '98=0|108=30'));
  t.equal(body(second.takeSent()[0]!), '7=3|16=0|');
  second.receive(toBroker('2', 6, '7=2|16=2'));
  t.equal(body(second.takeSent()[0]!), '43=Y|122=20261122-04:00:00.000|11=o-1|', 'what an earlier process sent');
  t.equal(store.nextTargetMsgSeqNum, 3, 'what waits behind a gap is not taken yet');
  const reset = new Side({ role: 'initiator' }, store);
  reset.session.connected(START_MS);
  t.same([store.nextSenderMsgSeqNum, store.nextTargetMsgSeqNum, store.epoch], [2, 1, 2]);
  t.end();
});

t.test('the store learns a number once the application has taken the message', (t) => {
  const store = new MemoryFixStore();
  const side = acceptor({}, store);
  const seen: number[] = [];
  side.onMessage = (session) => seen.push(store.nextTargetMsgSeqNum, session.nextInSeqNum);
  side.receive(from('D', 2) + from('D', 3));
  t.same(seen, [2, 3, 3, 4]);
  t.equal(store.nextTargetMsgSeqNum, 4);
  t.end();
});

t.test('what an order session sends again', (t) => {
  const rule = new OrderResendRule(3_000);
  const side = acceptor({ resendable: rule.resendable });
  const send = (msgType: number, clOrdID: string, origClOrdID: string, nowMs: number): void => {
    const encoder = side.session.begin(msgType, nowMs);
    if (origClOrdID !== '') encoder.ascii(Tag.OrigClOrdID, origClOrdID);
    encoder.ascii(Tag.ClOrdID, clOrdID);
    side.session.send(nowMs);
  };
  send(MsgType.NewOrderSingle, 'old', '', START_MS);
  send(MsgType.OrderCancelRequest, 'cancel-old', 'old', START_MS + 4_000);
  send(MsgType.NewOrderSingle, 'young', '', START_MS + 4_000);
  send(MsgType.OrderCancelReplaceRequest, 'change-young', 'young', START_MS + 4_000);
  send(MsgType.OrderCancelReplaceRequest, 'change-old', 'old', START_MS + 4_000);
  send(MsgType.OrderCancelRequest, 'cancel-young', 'young', START_MS);
  side.takeSent();
  side.receive(from('2', 2, '7=2|16=0', '20261122-04:00:05.000'), START_MS + 5_000);
  t.equal(msgTypes(side.sent), '4 D G 4 F');
  t.same(
    side.sent.map((message) => /\|(?:36|11)=([^|]*)\|/.exec(message)?.[1]),
    ['4', 'young', 'change-young', '7', 'cancel-young'],
    'no order of before, no change or cancel of one',
  );
  t.end();
});
