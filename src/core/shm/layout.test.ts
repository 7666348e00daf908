import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Layout, placeFields, renderLayouts } from './layout.ts';
import { layoutFiles } from './layout-files.ts';

const i32 = (doc = 'a word') => ({ kind: 'i32', doc }) as const;
const f64 = (doc = 'two words') => ({ kind: 'f64', doc }) as const;
const layout = (strideBytes: number, fields: Layout['fields']): Layout => ({ name: 'T', doc: '', strideBytes, fields });

t.test('fields follow one another, arrays take their count', async (t) => {
  const placed = placeFields(layout(32, { a: i32(), b: i32(), c: f64(), d: { kind: 'i32', count: 4, doc: '' } }));
  t.strictSame(
    placed.map((field) => [field.name, field.wordOffset]),
    [
      ['a', 0],
      ['b', 1],
      ['c', 2],
      ['d', 4],
    ],
  );
});

t.test('a layout that is not exact is refused', async (t) => {
  t.throws(() => placeFields(layout(12, { a: i32(), b: i32(), c: i32() })), /stride 12 is no multiple of 8/);
  t.throws(() => placeFields(layout(16, { a: i32(), b: f64() })), /T\.b: f64 at word 1/);
  t.throws(() => placeFields(layout(16, { a: i32(), b: i32() })), /fields fill 8 bytes of a stride of 16/);
  t.throws(() => placeFields(layout(8, { a: i32(), b: i32(), c: f64() })), /fields fill 16 bytes of a stride of 8/);
  t.throws(() => placeFields(layout(8, { a: { kind: 'i32', count: 0, doc: '' } })), /T\.a: count 0/);
});

t.test('the generated offsets are those of the layouts', async (t) => {
  for (const file of layoutFiles) {
    const committed = readFileSync(join(process.cwd(), 'src/core/shm/generated', `${file.name}.gen.ts`), 'utf8');
    t.equal(committed, renderLayouts(file.name, file.layouts), `${file.name}.gen.ts (run \`npm run generate\`)`);
  }
});
