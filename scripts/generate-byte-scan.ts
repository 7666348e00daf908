/** Writes `src/core/fix/generated/byte-scan.gen.ts` from `src/core/fix/byte-scan.wat`. `byte-scan.model.test.ts` holds the two together. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderByteScan } from './render-byte-scan.ts';

const directory = join(process.cwd(), 'src/core/fix');
const wat = readFileSync(join(directory, 'byte-scan.wat'), 'utf8');
writeFileSync(join(directory, 'generated/byte-scan.gen.ts'), await renderByteScan(wat));
