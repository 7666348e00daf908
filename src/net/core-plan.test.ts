import t from 'tap';
import { type CoreWishes, planCores } from './core-plan.ts';
import { formatCpuList, parseCpuList } from './cpu-list.ts';

const EIGHT = [0, 1, 2, 3, 4, 5, 6, 7];

function wishes(own: Partial<CoreWishes>): CoreWishes {
  return { pinCpus: 'off', fanOutWorkers: 0, hasOrders: true, allowedCpus: EIGHT, ...own };
}

t.test('lists of CPUs, as the kernel writes them', async (t) => {
  t.same(parseCpuList('0'), [0]);
  t.same(parseCpuList('8,0-2'), [8, 0, 1, 2]);
  for (const wrong of ['', 'a', '1,', '1-', '2-1', '1,1', '0-2,1', '0-4096', ' 1', '-1'])
    t.equal(parseCpuList(wrong), undefined, wrong);
  t.equal(formatCpuList([8, 2, 1, 0]), '0-2,8');
  t.equal(formatCpuList([]), '');
});

t.test('off: nothing is pinned, a fan-out worker a core less one', async (t) => {
  t.same(planCores(wishes({})), { fanOutWorkers: 7, plan: null });
  t.same(planCores(wishes({ fanOutWorkers: 3 })), { fanOutWorkers: 3, plan: null });
  t.same(planCores(wishes({ allowedCpus: [4] })), { fanOutWorkers: 1, plan: null });
  t.equal(planCores(wishes({ allowedCpus: Array.from({ length: 64 }, (_, i) => i) })).fanOutWorkers, 16);
});

t.test('auto: all but the first two', async (t) => {
  t.same(planCores(wishes({ pinCpus: 'auto' })), {
    fanOutWorkers: 4,
    plan: { feed: 2, orders: 3, fanOut: [4, 5, 6, 7], rest: [0, 1] },
  });
  t.same(planCores(wishes({ pinCpus: 'auto', hasOrders: false, fanOutWorkers: 2 })), {
    fanOutWorkers: 2,
    plan: { feed: 2, orders: null, fanOut: [3, 4], rest: [0, 1, 5, 6, 7] },
  });
  t.same(planCores(wishes({ pinCpus: 'auto', allowedCpus: [1, 3, 5, 7, 9] })).plan, {
    feed: 5,
    orders: 7,
    fanOut: [9],
    rest: [1, 3],
  });
});

t.test('auto where that is not enough: as with off', async (t) => {
  t.same(planCores(wishes({ pinCpus: 'auto', allowedCpus: [0, 1, 2, 3] })), { fanOutWorkers: 3, plan: null });
  t.same(planCores(wishes({ pinCpus: 'auto', fanOutWorkers: 5 })), { fanOutWorkers: 5, plan: null });
});

t.test('a list: feed, orders, fan-out, in its order', async (t) => {
  t.same(planCores(wishes({ pinCpus: '7,6,2-4' })), {
    fanOutWorkers: 3,
    plan: { feed: 7, orders: 6, fanOut: [2, 3, 4], rest: [0, 1, 5] },
  });
  t.same(planCores(wishes({ pinCpus: '0,1', hasOrders: false, allowedCpus: [0, 1] })).plan, {
    feed: 0,
    orders: null,
    fanOut: [1],
    rest: [],
  });
  t.throws(
    () => planCores(wishes({ pinCpus: '0,1' })),
    /names 2 CPUs; the feed worker, the order worker and 1 fan-out/,
  );
  t.throws(() => planCores(wishes({ pinCpus: '0-5', fanOutWorkers: 3 })), { code: 'CONFIG_INVALID' });
});
