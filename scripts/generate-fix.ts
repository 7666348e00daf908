/** Writes `src/core/fix/generated/*.gen.ts` from the FIX dictionary. `generated.test.ts` holds the two together. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderFixEnums, renderFixTags } from './render-fix.ts';

const xml = readFileSync(join(process.cwd(), 'node_modules/jspurefix/data/FIX44.xml'), 'utf8');
const target = join(process.cwd(), 'src/core/fix/generated');
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'fix-tags.gen.ts'), renderFixTags(xml));
writeFileSync(join(target, 'fix-enums.gen.ts'), renderFixEnums(xml));
