import { DecodeStatus, FixDecoder } from '../fix-decoder.ts';
import { FixEncoder } from '../fix-encoder.ts';
import type { FixFramer } from '../fix-framer.ts';
import { FixMessage } from '../fix-message.ts';
import { FixReceiver, type FrameSink } from '../fix-receiver.ts';
import { DATA_TAGS } from '../generated/fix-tags.gen.ts';
import { mutate, repair, SOH_CHARACTER, textOf } from './message-mutations.ts';
import { seededRandom } from './seeded-random.ts';

/**
 * Mutated messages through receiver, framer and decoder, each batch twice: as one run of bytes and in random cuts. What must hold: both ways find
 * the same messages and pass over as many bytes; no byte is lost or counted twice; what is called whole is so by a plain reading of its text; the
 * field index is what that text says.
 */

const MESSAGES_A_BATCH = 32;
const FAULTS_MAX = 20;
const ZERO = 48;
const TYPES = ['0', '1', '2', '3', '4', '5', 'A', 'D', 'F', 'G', '8', '9', 'V', 'W', 'X', 'j', 'AF'];
const dataTags = new Set<number>(DATA_TAGS);

export interface FuzzOutcome {
  readonly messages: number;
  /** Found whole among them. */
  readonly framed: number;
  readonly garbledBytes: number;
  /** What did not hold, each with the seed of its batch; at most 20. */
  readonly faults: string[];
}

/** Runs `messages` mutated messages, rounded up to whole batches. The same seed gives the same bytes. */
export function fuzzFraming(seed: number, messages: number): FuzzOutcome {
  const faults: string[] = [];
  let framed = 0;
  let garbledBytes = 0;
  let done = 0;
  const whole = new Reading();
  const cut = new Reading();
  for (let batchSeed = seed; done < messages && faults.length < FAULTS_MAX; batchSeed = (batchSeed + 1) >>> 0) {
    const random = seededRandom(batchSeed);
    const bytes = mutatedBatch(random);
    const fault = (text: string): void =>
      void (faults.length < FAULTS_MAX && faults.push(`seed ${batchSeed}: ${text}`));
    whole.begin(fault);
    whole.receiver.receive(bytes, 0, bytes.length);
    cut.begin(fault);
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + random(random(4) === 0 ? 2_000 : 20));
      // In a buffer of its own that is overwritten afterwards, as a socket's is.
      const read = bytes.slice(at, end);
      cut.receiver.receive(read, 0, read.length);
      read.fill(0);
      at = end;
    }
    if (whole.digest !== cut.digest) fault(`${whole.framed} messages in one piece, ${cut.framed} others in cuts`);
    if (whole.garbledBytes !== cut.garbledBytes) {
      fault(`${whole.garbledBytes} bytes passed over in one piece, ${cut.garbledBytes} in cuts`);
    }
    if (whole.framedBytes + whole.garbledBytes > bytes.length) fault('more bytes out than in');
    framed += whole.framed;
    garbledBytes += whole.garbledBytes;
    done += MESSAGES_A_BATCH;
  }
  return { messages: done, framed, garbledBytes, faults };
}

/** One way of reading: what the receiver found, as a digest. */
class Reading implements FrameSink {
  readonly receiver = new FixReceiver(this);
  framed = 0;
  framedBytes = 0;
  garbledBytes = 0;
  digest = 0;
  readonly #message = new FixMessage();
  readonly #decoder = new FixDecoder();
  #fault: (text: string) => void = () => {};

  begin(fault: (text: string) => void): void {
    this.receiver.reset();
    this.framed = 0;
    this.framedBytes = 0;
    this.garbledBytes = 0;
    this.digest = 0;
    this.#fault = fault;
  }

  onFrame(buffer: Uint8Array, framer: FixFramer): boolean {
    const { messageStart, bodyStart, trailerStart, messageEnd } = framer;
    let sum = 0;
    let digest = this.digest;
    for (let at = messageStart; at < messageEnd; at++) {
      if (at < trailerStart) sum += buffer[at]!;
      digest = (Math.imul(digest, 31) + buffer[at]!) | 0;
    }
    const told = (buffer[messageEnd - 4]! - ZERO) * 100 + (buffer[messageEnd - 3]! - ZERO) * 10;
    if (told + buffer[messageEnd - 2]! - ZERO !== sum % 256)
      this.#fault('a message with a wrong CheckSum(10) came through');
    const head = textOf(buffer, messageStart, bodyStart);
    if (!/^8=FIX[^␁]*␁9=\d{1,9}␁$/.test(head)) this.#fault('a message came through that does not begin with 8 and 9');
    else if (Number(head.slice(head.lastIndexOf('=') + 1, -1)) !== trailerStart - bodyStart) {
      this.#fault('a message with a wrong BodyLength(9) came through');
    }
    const status = this.#decoder.decode(this.#message, buffer, bodyStart, trailerStart);
    this.#compare(status, textOf(buffer, bodyStart, trailerStart));
    this.digest = (Math.imul(digest, 31) + status) | 0;
    this.framed++;
    this.framedBytes += messageEnd - messageStart;
    return true;
  }

  onGarbled(byteCount: number): boolean {
    if (byteCount <= 0) this.#fault('nothing was passed over');
    this.garbledBytes += byteCount;
    return true;
  }

  /** The index against the body split as text; data fields may hold SOH, so a body with one is not split. */
  #compare(status: DecodeStatus, body: string): void {
    const message = this.#message;
    let expected: DecodeStatus = DecodeStatus.Ok;
    let count = 0;
    for (const field of body.slice(0, -1).split(SOH_CHARACTER)) {
      const equals = field.indexOf('=');
      const tag = field.slice(0, Math.max(equals, 0));
      if (!/^-?\d{1,9}$/.test(tag)) {
        expected = DecodeStatus.Unreadable;
        break;
      }
      if (!/^[1-9]/.test(tag)) {
        if (expected === DecodeStatus.Ok) expected = DecodeStatus.InvalidTag;
        continue;
      }
      if (dataTags.has(Number(tag))) return;
      if (
        message.tags[count] !== Number(tag) ||
        textOf(message.buffer, message.starts[count]!, message.ends[count]!) !== field.slice(equals + 1)
      ) {
        this.#fault(`field ${count} is ${JSON.stringify(field)} and read as tag ${message.tags[count]}`);
        return;
      }
      if (equals === field.length - 1 && expected === DecodeStatus.Ok) expected = DecodeStatus.EmptyValue;
      count++;
    }
    if (message.count !== count) this.#fault(`${message.count} fields in the index, ${count} in the text`);
    if (status !== expected) this.#fault(`status ${status} in place of ${expected} for ${JSON.stringify(body)}`);
  }
}

function mutatedBatch(random: (below: number) => number): Uint8Array {
  const messages: number[] = [];
  for (let i = 0; i < MESSAGES_A_BATCH; i++) {
    const message = validMessage(random);
    for (let mutations = random(4); mutations > 0; mutations--) mutate(message, random);
    if (random(2) === 0) repair(message);
    for (const byte of message) messages.push(byte);
  }
  return Uint8Array.from(messages);
}

const encoder = new FixEncoder('FIX.4.4');
encoder.setCompIDs('EXCHANGE', 'OUTCRY');

function validMessage(random: (below: number) => number): number[] {
  const type = TYPES[random(TYPES.length)]!;
  const code = type.length === 1 ? type.charCodeAt(0) : (type.charCodeAt(0) << 8) | type.charCodeAt(1);
  encoder.begin(code, 1 + random(1_000_000), 1_772_421_300_000_000 + random(1_000_000_000));
  for (let fields = random(12); fields > 0; fields--) {
    const tag = 1 + random(random(8) === 0 ? 99_999 : 999);
    // A data field would need its length before it.
    if (dataTags.has(tag)) continue;
    if (random(2) === 0) encoder.int(tag, random(1_000_000));
    else encoder.ascii(tag, `${String.fromCharCode(65 + random(26))}${random(10_000)}`);
  }
  encoder.finish();
  return [...encoder.buffer.subarray(encoder.start, encoder.end)];
}
