import t from 'tap';
import { seededRandom } from '../fix/testing/seeded-random.ts';
import type { CommitOutcome, LedgerBatch } from '../ledger/ledger-batch.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { type CommitHost, CommitQueue } from './commit-queue.ts';

const SEED = 11_26;
const SETTINGS = {
  lastBatchId: 0,
  batchInputsFull: Number.POSITIVE_INFINITY,
  backOffMinMicros: 10,
  backOffMaxMicros: 40,
};

interface Add {
  readonly amount: number;
  readonly atMicros: number;
}

/** A queue of numbers that are added up: memory is the sum, the database a list. It is asked in turns, and answers when told. */
class Adder implements CommitHost<Add, Add> {
  readonly queue: CommitQueue<Add, Add>;
  memory = 0;
  readonly durable: number[] = [];
  readonly released: number[] = [];
  readonly dropped: [amount: number, code: RefusalCode][] = [];
  readonly sent: number[][] = [];
  readonly committedIds = new Set<number>();
  reloads = 0;
  decisions = 0;
  fatalText = '';
  /** What is asked of the database, oldest first. */
  readonly asked: ('commit' | 'ask' | 'reload')[] = [];
  readonly prepared: number[][] = [];
  readonly #amounts = new Map<LedgerBatch, number[]>();
  #batch: { readonly id: number; readonly amounts: number[] } = { id: 0, amounts: [] };

  constructor(batchInputsFull = SETTINGS.batchInputsFull) {
    this.queue = new CommitQueue({ ...SETTINGS, batchInputsFull }, this);
  }

  add(...amounts: number[]): void {
    for (const amount of amounts) this.queue.offer({ amount, atMicros: 0 });
    this.queue.flush(0);
  }

  decide(input: Add): Add | null {
    this.decisions++;
    // Zero changes nothing; what would bring the sum below zero is refused.
    if (input.amount === 0 || this.memory + input.amount < 0) return null;
    this.memory += input.amount;
    return input;
  }

  render(batchId: number, decisions: readonly Add[]): LedgerBatch {
    const none = { events: [], accounts: [], newOrders: [], changedOrders: [], positions: [], holdings: [] };
    const batch = { batchId, shard: 0, epoch: 1, trades: [], sessions: [], ...none };
    this.#amounts.set(
      batch,
      decisions.map(({ amount }) => amount),
    );
    return batch;
  }

  prepare(batch: LedgerBatch): void {
    this.prepared.push(this.#amounts.get(batch)!);
  }

  commit(batch: LedgerBatch): void {
    const amounts = this.#amounts.get(batch)!;
    this.#batch = { id: batch.batchId, amounts };
    this.sent.push(amounts);
    this.asked.push('commit');
  }

  askBatch(): void {
    this.asked.push('ask');
  }

  reload(): void {
    this.reloads++;
    this.asked.push('reload');
  }

  release({ amount }: Add): void {
    this.released.push(amount);
  }

  isTooLate({ amount, atMicros }: Add, nowMicros: number): boolean {
    return amount % 10 === 7 && nowMicros - atMicros > 100;
  }

  drop({ amount }: Add, code: RefusalCode): void {
    this.dropped.push([amount, code]);
  }

  fatal(text: string): void {
    this.fatalText = text;
  }

  /** Answers a commit: with `outcome`, or as a database that refuses a batch with a multiple of 13 in it. */
  answer(outcome?: CommitOutcome, nowMicros = 0): void {
    this.asked.shift();
    const isPoisoned = this.#batch.amounts.some((amount) => amount % 13 === 0);
    const truth: CommitOutcome = isPoisoned ? { kind: 'refused', text: 'thirteen' } : { kind: 'committed' };
    const given = outcome ?? truth;
    if (given.kind === 'committed') this.makeDurable();
    this.queue.committed(this.#batch.id, given, nowMicros);
  }

  makeDurable(): void {
    if (this.committedIds.has(this.#batch.id)) return;
    this.committedIds.add(this.#batch.id);
    this.durable.push(...this.#batch.amounts);
  }

  reloaded(isDone = true, nowMicros = 0): void {
    this.asked.shift();
    if (isDone) this.memory = this.durable.reduce((sum, amount) => sum + amount, 0);
    this.queue.reloaded(isDone, nowMicros);
  }

  answerAsk(isReached = true, nowMicros = 0): void {
    this.asked.shift();
    const answer = this.committedIds.has(this.#batch.id) ? 'committed' : 'not-committed';
    this.queue.batchAnswer(this.#batch.id, isReached ? answer : 'unavailable', nowMicros);
  }

  /** Answers truly until nothing is asked any more. */
  settle(): void {
    while (this.asked.length > 0) {
      if (this.asked[0] === 'commit') this.answer();
      else if (this.asked[0] === 'reload') this.reloaded();
      else this.answerAsk();
    }
  }
}

t.test('one batch in flight, and all that came meanwhile is the next', (t) => {
  const adder = new Adder();
  adder.add(1);
  adder.add(2);
  adder.add(3, 4);
  t.same(adder.sent, [[1]]);
  t.equal(adder.memory, 10, 'memory decides at once');
  t.same(adder.released, []);
  adder.answer();
  t.same(adder.sent, [[1], [2, 3, 4]]);
  t.same(adder.released, [1], 'what is durable leaves');
  adder.settle();
  t.same(adder.released, [1, 2, 3, 4]);
  t.equal(adder.queue.count, 0);
  t.end();
});

t.test('a batch that is full is closed and made ready while the one before is in flight', (t) => {
  const adder = new Adder(2);
  adder.add(1);
  adder.add(2, 3, 4);
  adder.add(5);
  t.same(adder.prepared, [[2, 3, 4]]);
  adder.answer();
  t.same(adder.sent, [[1], [2, 3, 4]], 'what came later is not in it');
  adder.add(6);
  t.same(adder.prepared, [
    [2, 3, 4],
    [5, 6],
  ]);
  adder.answer({ kind: 'unavailable', text: 'away' });
  adder.queue.onTimer(adder.queue.dueMicros);
  t.same(adder.sent.slice(2), [[2, 3, 4]], 'the same again');
  adder.settle();
  t.same(adder.released, [1, 2, 3, 4, 5, 6]);
  t.end();
});

t.test('a batch that is made ready is undone with the one before it', (t) => {
  const adder = new Adder(2);
  adder.add(13);
  adder.add(2, 3);
  t.same(adder.prepared, [[2, 3]]);
  adder.settle();
  t.same(adder.dropped, [[13, RefusalCode.LedgerRefused]]);
  t.same(adder.released, [2, 3]);
  t.equal(adder.memory, 5);
  t.end();
});

t.test('what changes nothing is done with at once', (t) => {
  const adder = new Adder();
  adder.add(0, -5);
  t.same(adder.sent, []);
  t.equal(adder.queue.count, 0);
  t.end();
});

for (const count of [1, 2, 3, 5, 8, 13]) {
  t.test(`a poison at each position of a batch of ${count} is found and dropped alone`, (t) => {
    for (let poison = 0; poison < count; poison++) {
      const adder = new Adder();
      adder.add(1_000);
      const amounts = Array.from({ length: count }, (_, at) => (at === poison ? 26 : at + 1));
      const good = amounts.filter((amount) => amount !== 26 && amount !== 13);
      adder.add(...amounts);
      adder.answer();
      adder.add(2_000);
      adder.settle();
      t.same(adder.released, [1_000, ...good, 2_000], 'in order, the poison aside');
      t.same(
        adder.dropped,
        amounts.filter((amount) => amount % 13 === 0).map((amount) => [amount, RefusalCode.LedgerRefused]),
      );
      t.equal(
        adder.memory,
        adder.durable.reduce((sum, amount) => sum + amount, 0),
      );
      t.ok(adder.sent.length <= 4 + 4 * Math.ceil(Math.log2(count + 1)), `${adder.sent.length} batches`);
    }
    t.end();
  });
}

t.test('what was decided behind a poison is decided again without it', (t) => {
  const adder = new Adder();
  adder.add(13);
  adder.add(-10, 5);
  t.equal(adder.memory, 8, 'the ten were there');
  adder.answer();
  adder.settle();
  t.same(adder.released, [5], 'and then they were not');
  t.equal(adder.memory, 5);
  t.end();
});

t.test('while memory is not as it should be, nothing is decided', (t) => {
  const adder = new Adder();
  adder.add(1, 13);
  adder.answer();
  const { decisions } = adder;
  adder.add(5);
  t.equal(adder.decisions, decisions);
  t.same(adder.asked, ['reload']);
  adder.settle();
  t.same(adder.released, [1, 5]);
  t.end();
});

t.test('an unknown outcome is asked before anything else is sent', (t) => {
  const adder = new Adder();
  adder.add(1);
  adder.add(2);
  adder.makeDurable();
  adder.answer({ kind: 'unknown', text: 'lost' });
  t.same(adder.asked, ['ask']);
  t.notOk(adder.queue.isAvailable);
  adder.answerAsk();
  t.same(adder.released, [1]);
  t.same(adder.sent, [[1], [2]], 'it was there');
  t.ok(adder.queue.isAvailable);
  adder.answer({ kind: 'unknown', text: 'lost' });
  adder.answerAsk();
  t.same(adder.sent, [[1], [2], [2]], 'it was not: the same batch again');
  adder.settle();
  t.same(adder.durable, [1, 2]);
  t.end();
});

t.test('an unknown outcome is asked until there is an answer', (t) => {
  const adder = new Adder();
  adder.add(1);
  adder.answer({ kind: 'unknown', text: 'lost' }, 0);
  adder.answerAsk(false, 0);
  t.equal(adder.queue.dueMicros, 10);
  adder.queue.onTimer(9);
  t.same(adder.asked, []);
  adder.queue.onTimer(10);
  t.same(adder.asked, ['ask']);
  t.equal(adder.queue.dueMicros, Number.POSITIVE_INFINITY);
  adder.answerAsk(true, 10);
  adder.settle();
  t.same(adder.durable, [1]);
  t.end();
});

t.test('a database that is away is tried again, less and less often', (t) => {
  const adder = new Adder();
  adder.add(1);
  const waits: number[] = [];
  let nowMicros = 0;
  for (let round = 0; round < 5; round++) {
    adder.answer({ kind: 'unavailable', text: 'away' }, nowMicros);
    waits.push(adder.queue.dueMicros - nowMicros);
    nowMicros = adder.queue.dueMicros;
    adder.queue.onTimer(nowMicros);
  }
  t.same(waits, [10, 20, 40, 40, 40]);
  adder.settle();
  t.same(adder.released, [1]);
  adder.add(2);
  adder.answer({ kind: 'unavailable', text: 'away' }, nowMicros);
  t.equal(adder.queue.dueMicros - nowMicros, 10, 'success begins anew');
  t.end();
});

t.test('what has become too old while the database was away is taken out, and the rest decided without it', (t) => {
  const adder = new Adder();
  adder.add(7, -7, 3);
  adder.answer({ kind: 'unavailable', text: 'away' }, 200);
  adder.queue.onTimer(210);
  t.same(adder.dropped, [[7, RefusalCode.LedgerTooLate]]);
  t.same(adder.asked, ['reload']);
  adder.reloaded(false, 210);
  adder.queue.onTimer(adder.queue.dueMicros);
  adder.settle();
  t.same(adder.released, [3], 'seven could not be taken from nothing');
  t.end();
});

t.test('a stale epoch ends it', (t) => {
  const adder = new Adder();
  adder.add(1);
  adder.answer({ kind: 'stale-epoch' });
  t.match(adder.fatalText, /another process/);
  t.ok(adder.queue.hasEnded);
  adder.add(2);
  t.same([adder.sent, adder.released, adder.queue.count], [[[1]], [], 1]);
  t.end();
});

for (const batchInputsFull of [Number.POSITIVE_INFINITY, 2])
  t.test(
    `faults at random, batches full at ${batchInputsFull}: each input is durable once and in order, or dropped`,
    (t) => {
      t.comment(`seed ${SEED}`);
      const pick = seededRandom(SEED);
      const adder = new Adder(batchInputsFull);
      const kept: number[] = [];
      let nowMicros = 0;
      for (let step = 0; step < 20_000; step++) {
        nowMicros += pick(5);
        const kind = pick(10);
        if (kind < 3) {
          // Never too late, now and then a poison.
          const amount = 100 + 10 * pick(1_000);
          if (amount % 13 !== 0) kept.push(amount);
          adder.queue.offer({ amount, atMicros: nowMicros });
          if (pick(2) === 0) adder.queue.flush(nowMicros);
        } else if (adder.asked.length === 0) {
          adder.queue.flush(nowMicros);
          adder.queue.onTimer(nowMicros);
        } else if (adder.asked[0] === 'ask') {
          adder.answerAsk(pick(3) > 0, nowMicros);
        } else if (adder.asked[0] === 'reload') {
          adder.reloaded(pick(3) > 0, nowMicros);
        } else {
          const fault = pick(8);
          if (fault === 0) adder.answer({ kind: 'unavailable', text: 'away' }, nowMicros);
          else if (fault === 1) adder.answer({ kind: 'unknown', text: 'lost before' }, nowMicros);
          else adder.answer(undefined, nowMicros);
        }
      }
      for (let round = 0; adder.queue.count > 0 && round < 1_000; round++) {
        nowMicros += 100;
        adder.queue.onTimer(nowMicros);
        adder.queue.flush(nowMicros);
        adder.settle();
      }
      t.same(adder.durable, kept);
      t.same(adder.released, kept);
      t.equal(
        adder.memory,
        kept.reduce((sum, amount) => sum + amount, 0),
      );
      t.ok(
        adder.reloads > 100 && adder.dropped.length > 100,
        `${adder.reloads} reloads, ${adder.dropped.length} dropped`,
      );
      t.end();
    },
  );
