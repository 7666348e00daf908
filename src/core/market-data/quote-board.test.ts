import t from 'tap';
import { DirtyBitmapReader, DirtyBitmapWriter, dirtyBitmapByteLength } from '../shm/dirty-bitmap.ts';
import { DEPTH_SLOT_ASKS, DEPTH_SLOT_BIDS, DEPTH_SLOT_STRIDE_WORDS } from '../shm/generated/depth-slot.gen.ts';
import {
  QUOTE_SLOT_FLAGS,
  QUOTE_SLOT_LAST_PAISE,
  QUOTE_SLOT_SEQ,
  QUOTE_SLOT_STRIDE_WORDS,
  QUOTE_SLOT_VOLUME,
} from '../shm/generated/quote-slot.gen.ts';
import {
  DEPTH_CHANGED,
  QUOTE_CHANGED,
  QuoteBoardReader,
  QuoteBoardWriter,
  QuoteFlag,
  quoteBoardByteLength,
} from './quote-board.ts';

const CAPACITY = 64;

function makeBoard() {
  const buffer = new SharedArrayBuffer(quoteBoardByteLength(CAPACITY));
  const dirty = [0, 1].map(() => new SharedArrayBuffer(dirtyBitmapByteLength(CAPACITY)));
  const writer = new QuoteBoardWriter(
    buffer,
    CAPACITY,
    dirty.map((set) => new DirtyBitmapWriter(set, CAPACITY)),
  );
  return {
    buffer,
    writer,
    reader: new QuoteBoardReader(buffer, CAPACITY),
    dirty: dirty.map((set) => new DirtyBitmapReader(set, CAPACITY)),
    words: new Int32Array(buffer),
  };
}

t.test('an update is read back whole, and marked for every reader', async (t) => {
  const { writer, reader, dirty } = makeBoard();
  const out = new Int32Array(QUOTE_SLOT_STRIDE_WORDS);
  const outF64 = new Float64Array(out.buffer);
  writer.open(3);
  writer.setI32(QUOTE_SLOT_LAST_PAISE, 245075);
  writer.setF64(QUOTE_SLOT_VOLUME, 2 ** 40 + 1);
  t.equal(writer.close(77), QUOTE_CHANGED);
  t.ok(reader.readQuote(3, out, 0));
  t.equal(out[QUOTE_SLOT_LAST_PAISE], 245075);
  t.equal(outF64[QUOTE_SLOT_VOLUME >> 1], 2 ** 40 + 1);
  for (const set of dirty) {
    t.equal(set.takeQuoteWord(0), 1 << 3);
    t.equal(set.arrivals[3], 77);
    t.equal(set.takeDepthWord(0), 0);
  }
});

t.test('what does not differ changes nothing and marks nobody', async (t) => {
  const { writer, dirty, words } = makeBoard();
  writer.open(3);
  writer.setI32(QUOTE_SLOT_LAST_PAISE, 100);
  writer.close(1);
  dirty[0]!.takeQuoteWord(0);
  const seq = words[3 * QUOTE_SLOT_STRIDE_WORDS + QUOTE_SLOT_SEQ];
  writer.open(3);
  writer.setI32(QUOTE_SLOT_LAST_PAISE, 100);
  writer.setF64(QUOTE_SLOT_VOLUME, 0);
  writer.setBidLevel(0, 0, 0, 0);
  t.equal(writer.close(2), 0);
  t.equal(words[3 * QUOTE_SLOT_STRIDE_WORDS + QUOTE_SLOT_SEQ], seq);
  t.equal(dirty[0]!.takeQuoteWord(0), 0);
});

t.test('depth has a sequence and bits of its own', async (t) => {
  const { writer, reader, dirty } = makeBoard();
  const out = new Int32Array(DEPTH_SLOT_STRIDE_WORDS);
  writer.open(9);
  writer.setBidLevel(4, 99, 10, 2);
  writer.setAskLevel(0, 101, 20, 1);
  t.equal(writer.close(5), DEPTH_CHANGED);
  t.equal(dirty[0]!.takeQuoteWord(0), 0);
  t.equal(dirty[0]!.takeDepthWord(0), 1 << 9);
  t.ok(reader.readDepth(9, out, 0));
  t.same([...out.subarray(DEPTH_SLOT_BIDS + 12, DEPTH_SLOT_BIDS + 15)], [99, 10, 2]);
  t.same([...out.subarray(DEPTH_SLOT_ASKS, DEPTH_SLOT_ASKS + 3)], [101, 20, 1]);
  writer.open(9);
  t.same(
    [writer.bidLevelPaise(4), writer.bidLevelQty(4), writer.askLevelPaise(0), writer.askLevelQty(0)],
    [99, 10, 101, 20],
  );
});

t.test('a reader that meets a writer inside the slot is told to come again', async (t) => {
  const { writer, reader } = makeBoard();
  const out = new Int32Array(QUOTE_SLOT_STRIDE_WORDS);
  writer.open(3);
  t.ok(reader.readQuote(3, out, 0), 'opening alone locks nothing');
  writer.setI32(QUOTE_SLOT_LAST_PAISE, 1);
  t.notOk(reader.readQuote(3, out, 0));
  t.ok(reader.readQuote(4, out, 0), 'other slots are open');
  t.ok(reader.readDepth(3, out, 0), 'and so is the depth');
  writer.close(1);
  t.ok(reader.readQuote(3, out, 0));
});

t.test('a new writer repairs what a dead one left locked', async (t) => {
  const { buffer, writer, reader } = makeBoard();
  const out = new Int32Array(QUOTE_SLOT_STRIDE_WORDS);
  writer.open(3);
  writer.setI32(QUOTE_SLOT_LAST_PAISE, 1);
  writer.open(5);
  writer.setBidLevel(0, 1, 1, 1);
  const dirty = new SharedArrayBuffer(dirtyBitmapByteLength(CAPACITY));
  const next = new QuoteBoardWriter(buffer, CAPACITY, [new DirtyBitmapWriter(dirty, CAPACITY)]);
  t.equal(next.repair(1), 2);
  for (const index of [3, 5]) {
    t.ok(reader.readQuote(index, out, 0));
    t.ok(reader.readDepth(index, new Int32Array(DEPTH_SLOT_STRIDE_WORDS), 0));
    t.equal(out[QUOTE_SLOT_FLAGS], QuoteFlag.StaleGap);
  }
  t.equal(new DirtyBitmapReader(dirty, CAPACITY).takeQuoteWord(0), (1 << 3) | (1 << 5));
  t.equal(next.repair(1), 0);
});

t.test('flags are set and cleared one by one', async (t) => {
  const { writer } = makeBoard();
  writer.open(1);
  writer.setFlags(QuoteFlag.Halted | QuoteFlag.StaleAge, 0);
  writer.setFlags(QuoteFlag.StaleGap, QuoteFlag.StaleAge);
  t.equal(writer.i32(QUOTE_SLOT_FLAGS), QuoteFlag.Halted | QuoteFlag.StaleGap);
  writer.close(0);
});
