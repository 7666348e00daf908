import t from 'tap';
import { CREDENTIAL_LENGTH_MAX } from './expected-credentials.ts';
import { GARBAGE_BYTES_MAX } from './fix-session.ts';
import { MemoryFixStore } from './fix-store.ts';
import { BusinessRejectReason, MsgType, SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { HELD_MESSAGES_MAX } from './held-messages.ts';
import { DisconnectReason, SendRefusal } from './session-contract.ts';
import { acceptor, body, carry, fix, from, LOGON, msgTypes, Side, START_MS } from './testing/session-side.ts';

const SOH = '\u0001';

t.test('two sessions, from Logon to Logout', (t) => {
  const initiator = new Side({ role: 'initiator', heartBtIntSeconds: 10 });
  const venue = new Side({ role: 'acceptor', targetCompID: '' });
  venue.session.connected(START_MS);
  initiator.session.connected(START_MS);
  t.match(
    initiator.sent[0],
    /^8=FIX\.4\.4\|9=\d+\|35=A\|49=BROKER\|56=VENUE\|34=1\|52=20261122-04:00:00\.000\|98=0\|108=10\|141=Y\|10=\d{3}\|$/,
  );
  carry(initiator, venue, START_MS);
  t.same(initiator.events, ['logon']);
  t.same(venue.events, ['logon']);
  t.equal(venue.session.counterpartyCompID, 'BROKER');
  initiator.session.begin(MsgType.NewOrderSingle, START_MS).ascii(Tag.ClOrdID, 'o-1');
  t.equal(initiator.session.send(START_MS), 2, 'the number of the order');
  venue.onMessage = (session) => {
    session.begin(MsgType.ExecutionReport, session.nowMs).ascii(Tag.OrderID, 'V-1');
    session.send(session.nowMs);
  };
  carry(initiator, venue, START_MS);
  t.same(venue.events, ['logon', 'D2']);
  t.same(initiator.events, ['logon', '82']);
  let now = START_MS;
  for (; now < START_MS + 60_000; now += 250) {
    initiator.session.onTimer(now);
    venue.session.onTimer(now);
    carry(initiator, venue, now);
  }
  t.equal(initiator.session.nextOutSeqNum, venue.session.nextInSeqNum, 'heartbeats were counted alike');
  t.equal(initiator.session.nextOutSeqNum, 8, 'five heartbeats in a minute');
  initiator.session.logout('end of day', now);
  carry(initiator, venue, now);
  t.same(venue.events.at(-1), 'logout end of day');
  t.equal(initiator.disconnectReason, DisconnectReason.LogoutComplete);
  t.equal(venue.disconnectReason, '', 'who asked for the Logout hangs up');
  venue.session.disconnected(now);
  t.equal(venue.events.length, 3, 'a connection ends once');
  t.end();
});

t.test('Logon: what is refused', (t) => {
  const cases: [string, string, DisconnectReason, string][] = [
    ['first message no Logon', from('D', 1), DisconnectReason.ProtocolViolation, ''],
    [
      'unknown SenderCompID',
      fix('35=A|49=STRANGER|56=VENUE|34=1|52=20261122-04:00:00|98=0|108=30'),
      DisconnectReason.LogonRefused,
      '',
    ],
    [
      'wrong TargetCompID',
      fix('35=A|49=BROKER|56=OTHER|34=1|52=20261122-04:00:00|98=0|108=30'),
      DisconnectReason.LogonRefused,
      '',
    ],
    [
      'wrong BeginString',
      fix('35=A|49=BROKER|56=VENUE|34=1|52=20261122-04:00:00|98=0|108=30', 'FIX.4.2'),
      DisconnectReason.LogonRefused,
      '',
    ],
    ['encryption', from('A', 1, '98=1|108=30'), DisconnectReason.LogonRefused, 'tag 98'],
    ['no HeartBtInt', from('A', 1, '98=0'), DisconnectReason.LogonRefused, 'tag 108'],
    ['HeartBtInt too long', from('A', 1, '98=0|108=3601'), DisconnectReason.LogonRefused, 'tag 108'],
    ['empty value', from('A', 1, '98=0|108='), DisconnectReason.LogonRefused, 'without a value'],
    ['SendingTime far off', from('A', 1, '98=0|108=30', '20261122-03:57:59'), DisconnectReason.LogonRefused, ''],
    ['number too low', from('A', 0, '98=0|108=30'), DisconnectReason.SequenceTooLow, 'expecting 1 but received 0'],
  ];
  for (const [name, bytes, reason, text] of cases) {
    const side = new Side({ role: 'acceptor' });
    side.session.connected(START_MS);
    side.receive(bytes);
    t.equal(side.disconnectReason, reason, name);
    t.equal(
      msgTypes(side.sent),
      text === '' ? '' : '5',
      `${name}: ${text === '' ? 'a stranger is told nothing' : 'Logout'}`,
    );
    if (text !== '') t.match(side.sent[0], text, name);
    t.notOk(side.events.includes('logon'), name);
    t.equal(side.events.length, 1, `${name}: onLogout once`);
  }
  const side = new Side({ role: 'acceptor' });
  side.refusal = 'not today';
  side.session.connected(START_MS);
  side.receive(LOGON);
  t.match(side.sent[0], '58=not today');
  const open = new Side({ role: 'acceptor', targetCompID: '' });
  open.session.connected(START_MS);
  open.receive(fix(`35=A|49=${'S'.repeat(65)}|56=VENUE|34=1|52=20261122-04:00:00|98=0|108=30`));
  t.same([open.disconnectReason, open.sent], [DisconnectReason.LogonRefused, []], 'a name longer than any');
  const silent = new Side({ role: 'acceptor' });
  silent.session.connected(START_MS);
  silent.session.onTimer(START_MS + 9_999);
  t.equal(silent.disconnectReason, '');
  silent.session.onTimer(START_MS + 10_000);
  t.equal(silent.disconnectReason, DisconnectReason.LogonTimeout);
  t.end();
});

t.test('wrong credentials leave the session that comes next whole', (t) => {
  const credentials = { username: 'DESK', password: 'open sesame' };
  const store = new MemoryFixStore();
  const kept = { gapPolicy: 'resend', resetOnLogon: false } as const;
  const attempt = (password: string, brokerStore: MemoryFixStore): [Side, Side] => {
    const venue = new Side({ role: 'acceptor', ...kept, credentials }, store);
    const broker = new Side({ role: 'initiator', ...kept, credentials: { ...credentials, password } }, brokerStore);
    venue.session.connected(START_MS);
    broker.session.connected(START_MS);
    carry(broker, venue, START_MS);
    return [broker, venue];
  };
  const brokerStore = new MemoryFixStore();
  for (let i = 0; i < 3; i++) {
    const [broker, venue] = attempt(`guess ${i}`, brokerStore);
    t.same(broker.events, ['logout Username(553) or Password(554) not accepted']);
    t.equal(venue.disconnectReason, DisconnectReason.LogonRefused);
  }
  // Somebody else's attempts: the counterparty never sees the numbers of these Logouts.
  attempt('stolen', new MemoryFixStore());
  t.same([store.epoch, store.nextTargetMsgSeqNum], [1, 1], 'nothing of theirs was counted');
  const [broker, venue] = attempt(credentials.password, brokerStore);
  t.same([broker.events, venue.events], [['logon'], ['logon']]);
  for (const side of [broker, venue]) {
    side.session.begin(MsgType.NewOrderSingle, START_MS).ascii(Tag.ClOrdID, 'o-1');
    side.session.send(START_MS);
  }
  carry(broker, venue, START_MS);
  t.equal(broker.events.length, 2, 'what follows is delivered');
  t.equal(venue.events.length, 2, 'both ways');
  t.same(
    [broker.session.nextInSeqNum, venue.session.nextInSeqNum],
    [venue.session.nextOutSeqNum, broker.session.nextOutSeqNum],
    'and no gap is left',
  );
  t.end();
});

t.test('wrong credentials reset nothing', (t) => {
  const credentials = { username: 'DESK', password: 'open sesame' };
  const store = new MemoryFixStore();
  store.setNextSenderMsgSeqNum(40);
  store.setNextTargetMsgSeqNum(30);
  const side = new Side({ role: 'acceptor', credentials }, store);
  side.session.connected(START_MS);
  side.receive(from('A', 1, '98=0|108=30|141=Y|553=DESK|554=guess'));
  t.same([store.epoch, store.nextSenderMsgSeqNum, store.nextTargetMsgSeqNum], [1, 41, 30]);
  t.notMatch(side.sent.join(), 'guess');
  t.end();
});

t.test('credentials as long as they may be, and a byte longer', (t) => {
  const password = 'x'.repeat(CREDENTIAL_LENGTH_MAX);
  for (const [sent, types] of [
    [password, 'A'],
    [`${password}x`, '5'],
    [password.slice(1), '5'],
  ] as const) {
    const side = new Side({ role: 'acceptor', credentials: { username: 'DESK', password } });
    side.session.connected(START_MS);
    side.receive(from('A', 1, `98=0|108=30|553=DESK|554=${sent}`));
    t.equal(msgTypes(side.sent), types, `${sent.length} characters`);
  }
  for (const wrong of ['', `${password}x`, 'pässword']) {
    t.throws(() => new Side({ role: 'acceptor', credentials: { username: 'DESK', password: wrong } }));
  }
  t.end();
});

t.test('Logon: numbers', (t) => {
  const high = new Side({ role: 'acceptor' });
  high.session.connected(START_MS);
  high.receive(from('A', 5, '98=0|108=30'));
  t.equal(msgTypes(high.sent), 'A 2', 'a number too high is answered, then the missing ones are asked for');
  t.equal(body(high.sent[1]!), '7=1|16=0|');
  const feed = new Side({ role: 'acceptor', gapPolicy: 'feed' });
  feed.session.connected(START_MS);
  feed.receive(from('A', 5, '98=0|108=30'));
  t.same(feed.events, ['logon', 'gap 1-4']);
  t.equal(feed.session.nextInSeqNum, 6);
  const kept = new Side({ role: 'initiator', resetOnLogon: false });
  kept.session.connected(START_MS);
  t.notMatch(kept.sent[0], '141=');
  kept.session.disconnected(START_MS);
  kept.session.connected(START_MS);
  t.match(kept.sent[1], '|34=2|', 'numbers go on without a reset');
  const reset = new Side({ role: 'initiator' });
  reset.session.connected(START_MS);
  reset.session.disconnected(START_MS);
  reset.session.connected(START_MS);
  t.match(reset.sent[1], '|34=1|', 'and begin again with one');
  t.same(reset.events, ['logout the connection was lost']);
  t.end();
});

t.test('an initiator whose Logon is refused says why', (t) => {
  const side = new Side({ role: 'initiator' });
  side.session.connected(START_MS);
  side.receive(fix('35=5|49=VENUE|56=BROKER|34=1|52=20261122-04:00:00|58=come back tomorrow'));
  t.same(side.events, ['logout come back tomorrow']);
  t.equal(side.disconnectReason, DisconnectReason.LogonRefused);
  t.equal(side.session.send(START_MS), SendRefusal.NotLoggedOn);
  t.end();
});

t.test('a number too high: held, asked for once, delivered in order', (t) => {
  const side = acceptor();
  side.receive(from('D', 4) + from('D', 5) + from('F', 6));
  t.same(side.events, [], 'nothing before the gap is filled');
  t.equal(msgTypes(side.sent), '2', 'one ResendRequest');
  t.equal(body(side.takeSent()[0]!), '7=2|16=0|');
  side.receive(from('D', 2, '43=Y|122=20261122-03:59:59'));
  t.same(side.events, ['D2']);
  side.receive(from('D', 3, '43=Y|122=20261122-03:59:59'));
  t.same(side.events, ['D2', 'D3', 'D4', 'D5', 'F6']);
  t.equal(side.session.nextInSeqNum, 7);
  t.same(side.sent, []);
  t.end();
});

t.test('a gap that is filled by SequenceReset', (t) => {
  const side = acceptor();
  side.receive(from('D', 7));
  side.receive(from('4', 2, '43=Y|122=20261122-04:00:00|123=Y|36=7'));
  t.same(side.events, ['D7']);
  side.receive(from('D', 12));
  t.equal(body(side.sent.at(-1)!), '7=8|16=0|', 'the next gap is asked for anew');
  side.receive(from('4', 8, '43=Y|122=20261122-04:00:00|123=Y|36=13'));
  t.same(side.events, ['D7'], 'a held message that the fill passes over is not delivered');
  t.equal(side.session.nextInSeqNum, 13);
  t.end();
});

t.test('both sides miss messages at once', (t) => {
  const side = acceptor();
  side.receive(from('2', 5, '7=1|16=0'));
  t.equal(msgTypes(side.sent), '4 2', 'a ResendRequest ahead of a gap is answered at once');
  t.equal(body(side.sent[0]!), '43=Y|122=20261122-04:00:00.000|123=Y|36=2|'.replace('43=Y|', '43=Y|'));
  side.takeSent();
  side.receive(from('4', 2, '43=Y|122=20261122-04:00:00|123=Y|36=5'));
  t.equal(side.session.nextInSeqNum, 6, 'and is not answered again in its turn');
  t.same(side.sent, []);
  t.end();
});

t.test('more than can be held is asked for again', (t) => {
  const side = acceptor();
  const last = HELD_MESSAGES_MAX + 10;
  for (let seqNum = 3; seqNum <= last; seqNum++) side.receive(from('D', seqNum));
  t.equal(msgTypes(side.takeSent()), '2');
  side.receive(from('D', 2, '43=Y|122=20261122-04:00:00'));
  t.equal(side.events.length, HELD_MESSAGES_MAX + 1);
  side.receive(from('D', last + 1));
  t.equal(body(side.sent[0]!), `7=${HELD_MESSAGES_MAX + 3}|16=0|`);
  t.end();
});

t.test('a gap that nobody fills ends the session', (t) => {
  const side = acceptor();
  side.receive(from('D', 3));
  side.session.onTimer(START_MS + 29_999);
  t.equal(side.disconnectReason, '');
  side.session.onTimer(START_MS + 30_000);
  t.equal(side.disconnectReason, DisconnectReason.GapNotFilled);
  t.end();
});

t.test('a feed session goes on over a gap', (t) => {
  const side = acceptor({ gapPolicy: 'feed' });
  side.receive(from('W', 4) + from('X', 5));
  t.same(side.events, ['gap 2-3', 'W4', 'X5']);
  t.equal(side.session.gapCount, 1);
  t.same(side.sent, [], 'nothing is asked for again');
  t.end();
});

t.test('a number too low', (t) => {
  const side = acceptor();
  side.receive(from('D', 2));
  side.receive(from('D', 2, '43=Y|122=20261122-03:59:59'));
  t.same(side.events, ['D2'], 'PossDup of what was seen is ignored');
  t.equal(side.disconnectReason, '');
  side.receive(from('D', 2) + from('D', 3));
  t.equal(side.disconnectReason, DisconnectReason.SequenceTooLow);
  t.match(side.sent[0], '58=MsgSeqNum too low, expecting 3 but received 2');
  t.same(side.events.slice(0, 1), ['D2']);
  t.equal(side.events.length, 2, 'and nothing after it is delivered');
  t.end();
});

t.test('PossResend is handed on, marked', (t) => {
  const side = acceptor();
  side.receive(from('D', 2).replace(/.*/, () => fix('35=D|49=BROKER|56=VENUE|34=2|97=Y|52=20261122-04:00:00|11=o')));
  t.same(side.events, ['D2 PossResend']);
  t.end();
});

t.test('SequenceReset in reset mode', (t) => {
  const side = acceptor();
  side.receive(from('4', 99, '36=10'));
  t.equal(side.session.nextInSeqNum, 10, 'its own number does not matter');
  side.receive(from('4', 99, '123=N|36=5'));
  t.equal(side.session.nextInSeqNum, 10, 'never backwards');
  t.match(body(side.sent[0]!), /^45=99\|372=4\|373=5\|/);
  side.receive(from('4', 10, '123=Y|36=3'));
  t.equal(side.session.nextInSeqNum, 11, 'nor in gap-fill mode');
  t.match(body(side.sent[1]!), /^45=10\|372=4\|373=5\|/);
  t.end();
});

t.test('TestRequest and Heartbeat', (t) => {
  const side = acceptor();
  side.receive(from('1', 2, '112=are you there'));
  t.equal(body(side.takeSent()[0]!), '112=are you there|');
  side.receive(from('1', 3));
  t.match(body(side.takeSent()[0]!), /^45=3\|371=112\|372=1\|373=1\|/);
  side.session.onTimer(START_MS + 29_999);
  t.same(side.sent, []);
  side.session.onTimer(START_MS + 30_000);
  t.equal(msgTypes(side.takeSent()), '0', 'after HeartBtInt of our silence');
  side.session.onTimer(START_MS + 36_000);
  side.session.onTimer(START_MS + 36_250);
  t.equal(msgTypes(side.takeSent()), '1', 'after 1.2 × HeartBtInt of theirs, once');
  side.receive(from('0', 4, '', '20261122-04:00:40'), START_MS + 40_000);
  side.session.onTimer(START_MS + 40_000 + 71_999);
  t.equal(side.disconnectReason, '', 'any message ends the silence');
  side.session.onTimer(START_MS + 40_000 + 72_000);
  t.equal(side.disconnectReason, DisconnectReason.PeerSilent, 'after 2.4 ×');
  const without = new Side({ role: 'acceptor' });
  without.session.connected(START_MS);
  without.receive(from('A', 1, '98=0|108=0|141=Y'));
  without.takeSent();
  without.session.onTimer(START_MS + 10_000_000);
  t.same([without.sent, without.disconnectReason], [[], ''], 'HeartBtInt 0: no heartbeats');
  t.end();
});

t.test('Logout', (t) => {
  const asked = acceptor();
  asked.receive(from('5', 2, '58=bye'));
  t.equal(msgTypes(asked.takeSent()), '5');
  t.same(asked.events, ['logout bye']);
  t.equal(
    asked.session.begin(MsgType.ExecutionReport, START_MS) !== null && asked.session.send(START_MS),
    SendRefusal.NotLoggedOn,
  );
  asked.session.onTimer(START_MS + 2_000);
  t.equal(
    asked.disconnectReason,
    DisconnectReason.LogoutComplete,
    'a counterparty that does not hang up is hung up on',
  );
  const asking = acceptor();
  asking.session.logout('closing', START_MS);
  asking.receive(from('D', 2));
  t.same(asking.events, ['D2'], 'what was under way is still taken');
  asking.session.onTimer(START_MS + 2_000);
  t.equal(asking.disconnectReason, DisconnectReason.LogoutTimeout);
  const ahead = acceptor();
  ahead.receive(from('5', 9));
  t.equal(msgTypes(ahead.sent), '5', 'a Logout is answered whatever its number');
  t.end();
});

t.test('header checks in a session', (t) => {
  const cases: [string, string, number][] = [
    ['SenderCompID', fix('35=D|49=OTHER|56=VENUE|34=2|52=20261122-04:00:00'), SessionRejectReason.CompIDProblem],
    ['TargetCompID', fix('35=D|49=BROKER|56=OTHER|34=2|52=20261122-04:00:00'), SessionRejectReason.CompIDProblem],
    ['SendingTime', from('D', 2, '', '20261122-04:02:01'), SessionRejectReason.SendingTimeAccuracyProblem],
  ];
  for (const [name, bytes, reason] of cases) {
    const side = acceptor();
    side.receive(bytes);
    t.equal(msgTypes(side.sent), '3 5', `${name}: Reject, Logout`);
    t.match(side.sent[0], `|373=${reason}|`, name);
    t.equal(side.session.nextInSeqNum, 3, `${name}: the number is used up`);
    side.receive(from('D', 3));
    t.equal(side.disconnectReason, '', `${name}: their Logout is waited for`);
    side.session.onTimer(START_MS + 2_000);
    t.equal(side.disconnectReason, DisconnectReason.ProtocolViolation, `${name}: for two seconds`);
    t.equal(side.events.length, 1, `${name}: nothing is delivered any more`);
  }
  const version = acceptor();
  version.receive(fix('35=0|49=BROKER|56=VENUE|34=2|52=20261122-04:00:00', 'FIX.4.2'));
  version.receive(from('5', 3));
  t.equal(version.disconnectReason, DisconnectReason.ProtocolViolation);
  const numberless = acceptor();
  numberless.receive(fix('35=0|49=BROKER|56=VENUE|52=20261122-04:00:00'));
  t.match(numberless.sent[0], '58=MsgSeqNum(34) missing');
  const loose = acceptor({ sendingTimeToleranceMs: 0 });
  loose.receive(from('D', 2, '', '20200101-00:00:00'));
  t.same(loose.events, ['D2'], 'no tolerance set, no check');
  t.end();
});

t.test('messages that are rejected use up their number', (t) => {
  const side = acceptor();
  side.receive(fix('35=D|49=BROKER|56=VENUE|34=2|52=20261122-04:00:00|58=|11=o'));
  side.receive(fix('35=D|49=BROKER|56=VENUE|34=3|52=20261122-04:00:00|0=1'));
  side.receive(fix('35=D|49=BROKER|56=VENUE|34=4'));
  side.receive(fix('35=D|49=BROKER|56=VENUE|34=5|52=yesterday'));
  side.receive(from('D', 6));
  t.same(side.events, ['D6']);
  t.same(
    side.takeSent().map((message) => /\|45=(\d+)\|(?:371=(\d+)\|)?372=D\|373=(\d+)\|/.exec(message)?.slice(1).join()),
    ['2,58,4', '3,0,0', '4,52,1', '5,52,6'],
  );
  side.onMessage = (session, message) => {
    session.reject(
      message,
      { refTagID: 11, sessionRejectReason: SessionRejectReason.ValueIsIncorrect, text: 'seen before' },
      session.nowMs,
    );
    session.businessReject(
      message,
      'o-7',
      BusinessRejectReason.UnsupportedMessageType,
      'no such thing here',
      session.nowMs,
    );
  };
  side.receive(from('q', 7));
  t.same(side.takeSent().map(body), [
    '45=7|371=11|372=q|373=5|58=seen before|',
    '45=7|372=q|379=o-7|380=3|58=no such thing here|',
  ]);
  side.receive(from('3', 8, '45=2|58=bad'));
  t.equal(side.events.at(-1), 'reject of 2', 'their Reject is handed on');
  t.end();
});

t.test('garbled messages use up no number', (t) => {
  const side = acceptor();
  const good = from('D', 2);
  side.receive(good.replace('34=2', '34=9'));
  side.receive(`junk${good}`);
  t.same(side.events, ['D2']);
  t.equal(side.disconnectReason, '');
  t.equal(side.session.garbledBytes, good.length + 4);
  const flooded = acceptor();
  flooded.receive('x'.repeat(GARBAGE_BYTES_MAX));
  t.equal(flooded.disconnectReason, '');
  flooded.receive('x');
  t.equal(flooded.disconnectReason, DisconnectReason.GarbageLimit);
  t.end();
});

t.test('what cannot be sent uses up no number', (t) => {
  const side = acceptor();
  side.session.begin(MsgType.ExecutionReport, START_MS).ascii(Tag.Text, `a${SOH}b`);
  t.equal(side.session.send(START_MS), SendRefusal.BadValue);
  side.session.begin(MsgType.ExecutionReport, START_MS).ascii(Tag.Text, 'x'.repeat(100_000));
  t.equal(side.session.send(START_MS), SendRefusal.TooLong);
  side.session.begin(MsgType.ExecutionReport, START_MS).ascii(Tag.Text, 'fine');
  t.equal(side.session.send(START_MS), 2);
  t.equal(side.sent.length, 1);
  t.end();
});

t.test('a session ends in the middle of a read', (t) => {
  const side = acceptor();
  side.onMessage = (session) => session.slowConsumer(session.nowMs);
  side.receive(from('D', 2) + from('D', 3));
  t.same(side.events, ['D2', `logout ${DisconnectReason.SlowConsumer}`]);
  side.receive(from('D', 3));
  t.equal(side.events.length, 2);
  t.end();
});
