import t from 'tap';
import { seededRandom } from './testing/seeded-random.ts';
import { Throttle, ThrottleVerdict, TokenBucket } from './throttle.ts';

t.test('bucket: never more than burst + rate × time in any stretch, and no less when asked all the time', (t) => {
  const bucket = new TokenBucket(40, 10);
  const taken: number[] = [];
  for (let nowMs = 1_000; nowMs < 11_000; nowMs++) while (bucket.take(nowMs)) taken.push(nowMs);
  t.equal(taken.length, 10 + 40 * 10 - 1, 'ten seconds');
  for (let from = 0; from < taken.length; from++) {
    for (const to of [from + 10, from + 20, from + 50, taken.length - 1]) {
      if (to >= taken.length) continue;
      const allowed = 10 + (40 * (taken[to]! - taken[from]!)) / 1_000;
      if (to - from + 1 > allowed + 1) t.fail(`${to - from + 1} between ${taken[from]} and ${taken[to]}`);
    }
  }
  t.equal(new TokenBucket(0, 1).waitMs(5), 0, 'rate 0 is no limit');
  t.end();
});

t.test('bucket: `waitMs` is the first millisecond with a token, and a clock that goes back gives none', (t) => {
  const bucket = new TokenBucket(3, 1);
  t.ok(bucket.take(100));
  t.equal(bucket.waitMs(100), 334);
  t.notOk(bucket.take(433));
  t.ok(bucket.take(434));
  t.notOk(bucket.take(50), 'back');
  t.equal(bucket.waitMs(50), 334, 'it counts from there');
  t.ok(bucket.take(384));
  t.end();
});

t.test('throttle: cancels go first, a full queue refuses, and a cancel finds room beside it', (t) => {
  const throttle = new Throttle<string>({ messagesPerSecond: 10, burst: 1, queueMax: 2 });
  const offers = ['a', 'b', 'c', 'd'].map((message) => throttle.offer(message, false, 0));
  t.same(offers, [ThrottleVerdict.SendNow, ThrottleVerdict.Queued, ThrottleVerdict.Queued, ThrottleVerdict.Full]);
  t.equal(throttle.offer('x1', true, 0), ThrottleVerdict.Queued);
  t.equal(throttle.offer('x2', true, 0), ThrottleVerdict.Queued);
  t.equal(throttle.offer('x3', true, 0), ThrottleVerdict.Full);
  const out: string[] = [];
  for (let nowMs = 0; throttle.queuedCount > 0; nowMs += throttle.waitMs(nowMs)) {
    const next = throttle.next(nowMs);
    if (next !== undefined) out.push(`${next}@${nowMs}`);
  }
  t.same(out, ['x1@100', 'x2@200', 'b@300', 'c@400']);
  t.end();
});

t.test('throttle against a naive twin', (t) => {
  const seed = Number(process.env.OUTCRY_TEST_SEED ?? 20_261_122);
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const messagesPerSecond = 1 + random(50);
    const burst = 1 + random(5);
    const queueMax = random(6);
    const throttle = new Throttle<number>({ messagesPerSecond, burst, queueMax });
    // Twin: thousandths of tokens, two plain lists.
    let tokens = burst * 1_000;
    let lastMs = 0;
    const cancels: number[] = [];
    const others: number[] = [];
    const takeToken = (nowMs: number): boolean => {
      tokens = Math.min(burst * 1_000, tokens + (nowMs - lastMs) * messagesPerSecond);
      lastMs = nowMs;
      if (tokens < 1_000) return false;
      tokens -= 1_000;
      return true;
    };
    let nowMs = 0;
    for (let step = 0; step < 200; step++) {
      nowMs += random(random(400) + 1);
      const dice = random(100);
      if (dice < 60) {
        const isCancel = random(10) < 3;
        const lane = isCancel ? cancels : others;
        const isFirst = lane.length === 0 && (isCancel || cancels.length === 0);
        let expected: ThrottleVerdict = ThrottleVerdict.Full;
        if (isFirst && takeToken(nowMs)) expected = ThrottleVerdict.SendNow;
        else if (lane.length < queueMax) {
          lane.push(step);
          expected = ThrottleVerdict.Queued;
        }
        if (throttle.offer(step, isCancel, nowMs) !== expected) t.fail(`round ${round}, step ${step}: offer`);
      } else if (dice < 65 && others.length > 0) {
        const which = others[random(others.length)]!;
        others.splice(others.indexOf(which), 1);
        if (!throttle.withdraw(which) || throttle.withdraw(which)) t.fail(`round ${round}, step ${step}: withdraw`);
      } else {
        const waits = cancels.length + others.length > 0;
        const expected = waits && takeToken(nowMs) ? (cancels.shift() ?? others.shift()) : undefined;
        if (throttle.next(nowMs) !== expected) t.fail(`round ${round}, step ${step}: next`);
      }
      if (throttle.queuedCount !== cancels.length + others.length) t.fail(`round ${round}, step ${step}: count`);
    }
    t.same(throttle.clear(), [...cancels, ...others]);
  }
  t.end();
});
