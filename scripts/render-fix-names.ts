/**
 * Renders the names of every field, its values and every message type for people who read messages: `src/core/fix/generated/fix-names.gen.ts`.
 * Pure: QuickFIX-style dictionaries in (one element a line, single-quoted attributes), text out. Where two have a tag, the first names it.
 */
export function renderFixNames(dictionaries: readonly string[]): string {
  const fields = new Map<number, { name: string; values: Map<string, string> }>();
  const messages = new Map<string, string>();
  for (const xml of dictionaries) {
    let values: Map<string, string> | undefined;
    for (const line of xml.split('\n')) {
      const message =
        /<message .*name='([^']*)' .*msgtype='([^']*)'|<message .*msgtype='([^']*)' .*name='([^']*)'/.exec(line);
      if (message !== null) addOnce(messages, (message[2] ?? message[3])!, (message[1] ?? message[4])!);
      const tag = /<field .*number='(\d+)'/.exec(line)?.[1];
      if (tag !== undefined) {
        const name = /\sname='([^']*)'/.exec(line)![1]!;
        addOnce(fields, Number(tag), { name, values: new Map() });
        values = fields.get(Number(tag))!.values;
      }
      const code = /<value .*enum='([^']*)'/.exec(line)?.[1];
      const description = /<value .*description='([^']*)'/.exec(line)?.[1];
      if (values !== undefined && code !== undefined && description !== undefined) addOnce(values, code, description);
    }
  }
  return [
    '// Generated from the FIX 4.4 and 4.2 dictionaries by scripts/generate-fix.ts: change it there, then `npm run generate`.',
    '',
    '/** `tag Name code=DESCRIPTION …` */',
    'export const FIELD_NAMES: readonly string[] = [',
    ...[...fields]
      .sort(([a], [b]) => a - b)
      .map(([tag, { name, values }]) => {
        return `  '${[tag, name, ...[...values].map(([code, text]) => `${code}=${text.replaceAll(' ', '_')}`)].join(' ')}',`;
      }),
    '];',
    '',
    '/** `code Name` */',
    'export const MESSAGE_NAMES: readonly string[] = [',
    ...[...messages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, name]) => `  '${code} ${name}',`),
    '];',
    '',
  ].join('\n');
}

function addOnce<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (!map.has(key)) map.set(key, value);
}
