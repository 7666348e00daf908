import t from 'tap';
import { EventCursor } from './event-cursor.ts';

const STEPS = 3_000;
const PAGE = 5;

/** Mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) % below;
  };
}

/** A ledger, a channel that loses, and a client that resumes: what the client is told never has a gap, and at rest nothing is missing. */
t.test('whatever is lost, the client is told every event once and in order', async (t) => {
  const seed = Number(process.env.OUTCRY_TEST_SEED ?? Date.now() % 2 ** 31);
  t.comment(`seed ${seed}`);
  const random = randomOf(seed);
  let events = random(10);
  const cursor = new EventCursor(events);
  let told = events;
  let page: { fill: number; from: number } | undefined;
  let gaps = 0;
  const tell = (isNext: boolean, seq: number): void => {
    if (!isNext) return;
    if (seq !== told + 1) gaps++;
    told = seq;
  };
  const servePage = (): void => {
    if (page === undefined) return;
    const { fill, from } = page;
    page = undefined;
    for (let seq = from + 1; seq <= Math.min(events, from + PAGE); seq++) {
      if (random(10) === 0) return;
      tell(cursor.filled(fill, seq), seq);
    }
    cursor.endFill(fill, events);
  };
  const ask = (): void => {
    if (cursor.isBehind) page = { fill: cursor.beginFill(), from: cursor.sentSeq };
  };
  for (let step = 0; step < STEPS; step++) {
    switch (random(8)) {
      case 0:
      case 1:
      case 2:
        events++;
        if (random(4) > 0) tell(cursor.live(events), events);
        break;
      case 3:
        servePage();
        break;
      case 4:
        cursor.lost(events);
        break;
      case 5:
        cursor.pause();
        break;
      case 6:
        cursor.unpause();
        break;
      default: {
        const from = Math.max(0, told - random(12));
        if (cursor.resume(from)) told = from;
        page = undefined;
      }
    }
    ask();
  }
  t.equal(gaps, 0);
  cursor.unpause();
  cursor.lost(events);
  for (let rounds = 0; rounds < 10_000 && told < events; rounds++) {
    ask();
    if (page === undefined) cursor.lost(events);
    else servePage();
    if (page === undefined && cursor.sentSeq < events && !cursor.isBehind) cursor.lost(events);
  }
  t.equal(told, events, 'nothing is missing at rest');
});

t.test('what is not there yet cannot be resumed from; a page that was given up is nobody’s', async (t) => {
  const cursor = new EventCursor(3);
  t.notOk(cursor.resume(4));
  t.ok(cursor.live(4));
  t.notOk(cursor.live(6), 'a gap');
  t.ok(cursor.isBehind);
  const first = cursor.beginFill();
  t.notOk(cursor.isBehind, 'asked for');
  t.ok(cursor.resume(2));
  t.notOk(cursor.filled(first, 5));
  t.notOk(cursor.filled(first, 3), 'of the page before the resume');
  const second = cursor.beginFill();
  cursor.endFill(first, 6);
  t.ok(cursor.filled(second, 3));
  t.notOk(cursor.live(7), 'while a page is under way');
  cursor.endFill(second, 7);
  t.ok(cursor.isBehind);
});
