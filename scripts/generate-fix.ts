/** Writes `src/core/fix/generated/*.gen.ts` from the FIX dictionaries. Tests hold the two together. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderDictionary } from './render-dictionary.ts';
import { renderFixEnums, renderFixTags } from './render-fix.ts';
import { renderFixNames } from './render-fix-names.ts';

const source = (version: string): string =>
  readFileSync(join(process.cwd(), `node_modules/jspurefix/data/${version}.xml`), 'utf8');
const xml = source('FIX44');
const target = join(process.cwd(), 'src/core/fix/generated');
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'fix-tags.gen.ts'), renderFixTags(xml));
writeFileSync(join(target, 'fix-enums.gen.ts'), renderFixEnums(xml));
writeFileSync(join(target, 'fix-names.gen.ts'), renderFixNames([xml, source('FIX42')]));
for (const [version, beginString] of [
  ['FIX42', 'FIX.4.2'],
  ['FIX44', 'FIX.4.4'],
] as const) {
  const text = renderDictionary(source(version), beginString, `${version.toLowerCase()}Tables`);
  writeFileSync(join(target, `dictionary-${version.toLowerCase()}.gen.ts`), text);
}
