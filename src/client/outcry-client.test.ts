import t, { type Test } from 'tap';
import { type ControlMap, decodeControl, encodeControl } from '../core/fan-out/control-codec.ts';
import { VarintReader, writeVarint } from '../core/fan-out/varint.ts';
import { ACK_BYTES, FrameType, QUOTE_FIELD_COUNT, QuoteField, WIRE_VERSION } from '../core/fan-out/wire.ts';
import { OutcryClient, type OutcryClientOptions } from './outcry-client.ts';

/** A socket whose other end is the test. */
class FakeSocket {
  static readonly made: FakeSocket[] = [];
  readonly url: string;
  readonly protocols: string[];
  binaryType = '';
  readonly sent: Uint8Array[] = [];
  isClosed = false;
  readonly #listeners = new Map<string, (event: unknown) => void>();

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
    FakeSocket.made.push(this);
  }

  static get newest(): FakeSocket {
    return FakeSocket.made.at(-1)!;
  }

  addEventListener(type: string, listener: (event: unknown) => void): void {
    this.#listeners.set(type, listener);
  }

  send(data: Uint8Array): void {
    this.sent.push(data.slice());
  }

  close(): void {
    this.isClosed = true;
  }

  receive(...bytes: number[]): void {
    this.#listeners.get('message')!({ data: Uint8Array.from(bytes).buffer });
  }

  receiveControl(map: ControlMap): void {
    this.receive(...encodeControl([FrameType.Control], map));
  }

  welcome(): void {
    this.receive(...encodeControl([FrameType.Welcome, WIRE_VERSION], {}));
  }

  fail(code: number, reason = ''): void {
    this.#listeners.get('close')!({ code, reason });
  }

  controls(): ControlMap[] {
    return this.sent
      .filter((message) => message[0] === FrameType.Control)
      .map((message) => ({ ...decodeControl(message, 1)! }));
  }

  acks(): number[] {
    const reader = new VarintReader();
    return this.sent
      .filter((message) => message[0] === FrameType.Ack)
      .map((message) => {
        reader.begin(message, 1, message.length);
        return reader.unsigned();
      });
  }
}

function start(t: Test, options: Partial<OutcryClientOptions> = {}): { client: OutcryClient; log: string[] } {
  const log: string[] = [];
  const client = new OutcryClient({
    url: 'ws://test/ws',
    webSocket: FakeSocket,
    onState: (state) => log.push(state),
    onError: (code) => log.push(code),
    ...options,
  });
  t.teardown(() => client.close());
  return { client, log };
}

async function newSocket(before: number): Promise<FakeSocket> {
  while (FakeSocket.made.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
  return FakeSocket.newest;
}

t.test('requests wait for the welcome, and are asked again when a connection is lost before the answer', async (t) => {
  const { client, log } = start(t, { filterBps: 5, timing: true });
  const first = FakeSocket.newest;
  t.strictSame(first.protocols, ['outcry.v1']);
  t.equal(first.binaryType, 'arraybuffer');
  const answered = client.subscribe(['A', 'B'], 'full');
  t.equal(first.sent.length, 0, 'nothing before the welcome');
  first.welcome();
  const asked = { id: 1, action: 'subscribe', symbols: ['A', 'B'], mode: 'full' };
  t.strictSame(first.controls(), [{ action: 'set', filterBps: 5, timing: true }, asked]);
  const before = FakeSocket.made.length;
  first.fail(1006);
  const second = await newSocket(before);
  second.welcome();
  t.strictSame(second.controls()[1], asked);
  second.receiveControl({
    id: 1,
    action: 'subscribed',
    mode: 'full',
    instruments: [['A', 4, 'A Limited', 'equity', 5, 1]],
    unknown: ['B'],
  });
  t.equal(client.instrument(4)?.symbol, 'A', 'known at once: the quotes may be next');
  t.match(await answered, { instruments: [{ symbol: 'A', instrumentIndex: 4 }], unknown: ['B'] });
  second.fail(4500);
  const third = await newSocket(before + 1);
  third.welcome();
  t.strictSame(third.controls()[1], { action: 'subscribe', symbols: ['A'], mode: 'full' }, 'what is wanted and known');
  t.equal(client.instrument(4), undefined, 'indices of another connection are forgotten');
  t.strictSame(log, ['connecting', 'open', 'waiting', 'connecting', 'open', 'waiting', 'connecting', 'open']);
});

t.test('an unsubscribe that overtakes the answer of its subscribe is not undone by it', async (t) => {
  const { client } = start(t);
  const first = FakeSocket.newest;
  first.welcome();
  const subscribed = client.subscribe(['A', 'B'], 'ltp');
  const unsubscribed = client.unsubscribe(['A']);
  const facts = ['A', 'B'].map((symbol, i) => [symbol, i, symbol, 'equity', 5, 1]);
  first.receiveControl({ id: 1, action: 'subscribed', mode: 'ltp', instruments: facts, unknown: [] });
  first.receiveControl({ id: 2, action: 'unsubscribed', count: 1 });
  await Promise.all([subscribed, unsubscribed]);
  const before = FakeSocket.made.length;
  first.fail(1006);
  const second = await newSocket(before);
  second.welcome();
  t.strictSame(second.controls(), [{ action: 'subscribe', symbols: ['B'], mode: 'ltp' }]);
});

t.test('frames are applied and acknowledged; one that makes no sense begins a new connection', async (t) => {
  let quotes = 0;
  const { client } = start(t, {
    onQuotes: (decoder) => {
      quotes += decoder.changedCount;
    },
  });
  const socket = FakeSocket.newest;
  socket.welcome();
  // Keyframe of instrument 1, last 100; then a change of 5 in each frame.
  socket.receive(FrameType.Quotes, 1, 0, 3, 1, 200, 1);
  t.equal(client.decoder.fields[QUOTE_FIELD_COUNT + QuoteField.LastPaise], 100);
  const tick = new Uint8Array(8);
  let frames = 0;
  for (let received = 7; received < ACK_BYTES; frames++) {
    const end = writeVarint(tick, 0, 2 + frames);
    const frame = [FrameType.Quotes, ...tick.subarray(0, end), 1, 2, 1, 10];
    received += frame.length;
    socket.receive(...frame);
  }
  t.equal(quotes, 1 + frames);
  t.strictSame(socket.acks(), [1 + frames], 'acknowledged once 8 KiB had come');
  const before = FakeSocket.made.length;
  socket.receive(FrameType.Quotes, 9, 3, 2, 1, 10);
  t.ok(socket.isClosed, 'a gap');
  const next = await newSocket(before);
  socket.receive(FrameType.Quotes, 1, 0, 3, 1, 200, 1);
  t.equal(quotes, 1 + frames, 'what the old socket still brings is nobody’s');
  next.welcome();
  t.equal(client.decoder.fields[QUOTE_FIELD_COUNT + QuoteField.LastPaise], 0, 'forgotten');
});

t.test('a refusal rejects; a close for the client’s fault, another version and close() end it', async (t) => {
  const { client, log } = start(t);
  FakeSocket.newest.welcome();
  const refused = client.subscribe(['A']);
  FakeSocket.newest.receiveControl({ id: 1, error: { code: 'TOO_MANY_SUBSCRIPTIONS', message: 'the limit is 0' } });
  await t.rejects(refused, { code: 'TOO_MANY_SUBSCRIPTIONS', message: 'the limit is 0' });
  FakeSocket.newest.receiveControl({ error: { code: 'BAD_MESSAGE', message: '' } });
  const unanswered = client.unsubscribe(['A']);
  const made = FakeSocket.made.length;
  FakeSocket.newest.fail(4402, 'too many messages');
  await t.rejects(unanswered, { code: 'CLOSED' });
  await t.rejects(client.subscribe(['A']), { code: 'CLOSED' });
  t.equal(FakeSocket.made.length, made, 'no other attempt');
  t.strictSame(log, ['connecting', 'open', 'BAD_MESSAGE', '4402', 'closed']);

  const other = start(t);
  FakeSocket.newest.receive(FrameType.Welcome, WIRE_VERSION + 1, 0x80);
  t.strictSame(other.log, ['connecting', 'VERSION', 'closed']);
  t.ok(FakeSocket.newest.isClosed);

  const third = start(t);
  FakeSocket.newest.welcome();
  const waiting = third.client.subscribe(['A']);
  third.client.close();
  third.client.close();
  await t.rejects(waiting, { code: 'CLOSED' });
  t.ok(FakeSocket.newest.isClosed);
});
