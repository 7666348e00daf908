/** Writes `native-config/outcry.example.toml` from the settings table. `tidy.test.ts` holds the two together. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderExampleFile } from '../src/net/config-text.ts';

writeFileSync(join(process.cwd(), 'native-config/outcry.example.toml'), renderExampleFile());
