import { FixDictionary } from './dictionary.ts';
import { FixVersion } from './fix-version.ts';
import { fix42Tables } from './generated/dictionary-fix42.gen.ts';
import { fix44Tables } from './generated/dictionary-fix44.gen.ts';

const TABLES = { [FixVersion.Fix42]: fix42Tables, [FixVersion.Fix44]: fix44Tables };
const compiled: Map<FixVersion, FixDictionary> = new Map();

/** The dictionary of a version; compiled when it is first asked for, and shared: nothing in it changes. */
export function fixDictionary(version: FixVersion): FixDictionary {
  let dictionary = compiled.get(version);
  if (dictionary === undefined) {
    dictionary = new FixDictionary(TABLES[version]);
    compiled.set(version, dictionary);
  }
  return dictionary;
}
