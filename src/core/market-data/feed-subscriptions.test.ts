import t from 'tap';
import { SubscriptionRequestType } from '../fix/generated/fix-enums.gen.ts';
import type { MarketDataRequest } from '../fix/market-data-messages.ts';
import { FeedSubscriptions, REFUSED_RETRY_MS } from './feed-subscriptions.ts';

const { SnapshotPlusUpdates, DisablePreviousSnapshotPlusUpdateRequest } = SubscriptionRequestType;

function symbols(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `S${from + i}`);
}

function drain(subscriptions: FeedSubscriptions, nowMs: number): MarketDataRequest[] {
  const requests: MarketDataRequest[] = [];
  for (let request = subscriptions.next(nowMs); request; request = subscriptions.next(nowMs)) requests.push(request);
  return requests;
}

t.test('everything is asked for in requests of at most 500, each with an id of its own', async (t) => {
  const subscriptions = new FeedSubscriptions();
  subscriptions.list(symbols(0, 1_201));
  subscriptions.begin();
  const requests = drain(subscriptions, 0);
  t.same(
    requests.map((request) => request.symbols.length),
    [500, 500, 201],
  );
  t.same(
    requests.flatMap((request) => request.symbols),
    symbols(0, 1_201),
  );
  t.equal(new Set(requests.map((request) => request.mdReqID)).size, 3);
  t.equal(subscriptions.next(1e9), undefined);
  subscriptions.begin();
  t.equal(drain(subscriptions, 0).length, 3, 'a new session is told again');
});

t.test('new listings are asked for, delistings no more', async (t) => {
  const subscriptions = new FeedSubscriptions();
  subscriptions.list(['A', 'B']);
  subscriptions.begin();
  drain(subscriptions, 0);
  subscriptions.list(['B', 'C']);
  t.match(drain(subscriptions, 0), [{ symbols: ['C'], subscriptionRequestType: SnapshotPlusUpdates }]);
  subscriptions.begin();
  t.match(drain(subscriptions, 0), [{ symbols: ['B', 'C'] }]);
});

t.test(
  'one unknown symbol among 500 costs nobody else: halves until it stands alone, then a retry a second',
  async (t) => {
    const subscriptions = new FeedSubscriptions();
    subscriptions.list(symbols(0, 500));
    subscriptions.begin();
    const served = new Set<string>();
    let asked = 0;
    let refusedAlone = 0;
    const venue = (request: MarketDataRequest, nowMs: number): void => {
      asked++;
      if (!request.symbols.includes('S123')) for (const symbol of request.symbols) served.add(symbol);
      else {
        if (request.symbols.length === 1) refusedAlone++;
        subscriptions.refused(request.mdReqID, nowMs);
      }
    };
    for (let request = subscriptions.next(0); request; request = subscriptions.next(0)) venue(request, 0);
    t.equal(served.size, 499);
    t.equal(refusedAlone, 1);
    t.ok(asked <= 19, `${asked} requests`);
    t.equal(subscriptions.next(REFUSED_RETRY_MS - 1), undefined);
    t.match(subscriptions.next(REFUSED_RETRY_MS), { symbols: ['S123'] });
    subscriptions.refused('nobody asked this', 0);
  },
);

t.test('a renewal ends what is open and asks anew, ever more slowly while renewals follow one another', async (t) => {
  const subscriptions = new FeedSubscriptions();
  subscriptions.list(symbols(0, 600));
  subscriptions.begin();
  const before = drain(subscriptions, 0).map((request) => request.mdReqID);
  subscriptions.renew(0);
  subscriptions.renew(0);
  const requests = drain(subscriptions, 0);
  const ended = requests.filter(
    (request) => request.subscriptionRequestType === DisablePreviousSnapshotPlusUpdateRequest,
  );
  t.same(
    ended.map((request) => request.mdReqID),
    before,
  );
  t.same(
    requests.slice(2).flatMap((request) => request.symbols),
    symbols(0, 600),
  );

  const dueMs: number[] = [];
  let nowMs = 1;
  for (let i = 0; i < 8; i++) {
    subscriptions.renew(nowMs);
    while (drain(subscriptions, nowMs).length === 0) nowMs += 250;
    dueMs.push(nowMs);
  }
  const delays = dueMs.map((due, i) => due - (dueMs[i - 1] ?? 0));
  t.ok(
    delays.every((delay, i) => i === 0 || delay >= Math.min(30_000, delays[i - 1]!)),
    delays.join(' '),
  );
  t.ok(delays.every((delay) => delay <= 30_250));
  nowMs += 10 * 60_000;
  subscriptions.renew(nowMs);
  t.ok(drain(subscriptions, nowMs).length > 0, 'after a quiet time at once again');
});
