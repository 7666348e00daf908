/** Writes `src/core/shm/generated/*.gen.ts` from the layouts beside them. `layout.test.ts` holds the two together. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderLayouts } from '../src/core/shm/layout.ts';
import { layoutFiles } from '../src/core/shm/layout-files.ts';

const target = join(process.cwd(), 'src/core/shm/generated');
mkdirSync(target, { recursive: true });
for (const file of layoutFiles) {
  writeFileSync(join(target, `${file.name}.gen.ts`), renderLayouts(file.name, file.layouts));
}
