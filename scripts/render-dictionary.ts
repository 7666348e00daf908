import { OutcryError } from '../src/core/errors.ts';

/**
 * Renders a QuickFIX-style XML dictionary as the compact tables of `src/core/fix/generated/dictionary-*.gen.ts`, which
 * `src/core/fix/dictionary.ts` explains and reads. Pure: text in, text out. The XML is regular (one element a line, single-quoted
 * attributes), so that lines are scanned and no XML parser is needed.
 */

/** Where the XML is looser than the specification, as `component.field`. FIX 4.4 volume 1: an Instrument has a Symbol(55). */
const REQUIRED_AFTER_ALL: Readonly<Record<string, readonly string[]>> = { 'FIX.4.4': ['Instrument.Symbol'] };

/** MsgType(35): its values are the messages themselves. */
const MSG_TYPE = 35;
const LINE_ITEMS = 24;

interface Scan {
  tags: Map<string, number>;
  /** `tag TYPE value value …` */
  fields: string[];
  /** Sequences of fields by name: `header`, `trailer`, components. */
  blocks: Map<string, string[]>;
  messages: Map<string, string[]>;
}

function attribute(line: string, name: string): string {
  const value = new RegExp(`\\s${name}='([^']*)'`).exec(line)?.[1];
  if (value === undefined)
    throw new OutcryError('CONFIG_INVALID', `FIX dictionary: no attribute ${name} in: ${line.trim()}`);
  return value;
}

function scanFields(lines: readonly string[], scan: Scan): void {
  let current: { tag: number; type: string; values: string[] } | undefined;
  const close = (): void => {
    if (current === undefined) return;
    // A value with a space is prose (`ISO Country Code`): such a set is open.
    const closed = current.tag !== MSG_TYPE && current.values.every((value) => !value.includes(' '));
    scan.fields.push([current.tag, current.type, ...(closed ? current.values : [])].join(' '));
    current = undefined;
  };
  for (const line of lines) {
    if (/<field (?:.*\s)?number=/.test(line)) {
      close();
      current = { tag: Number(attribute(line, 'number')), type: attribute(line, 'type'), values: [] };
      scan.tags.set(attribute(line, 'name'), current.tag);
    } else if (/<value /.test(line)) {
      current?.values.push(attribute(line, 'enum'));
    }
  }
  close();
}

function scanBlocks(lines: readonly string[], beginString: string, scan: Scan): void {
  const corrections = REQUIRED_AFTER_ALL[beginString] ?? [];
  let name = '';
  let items: string[] | undefined;
  for (const line of lines) {
    const block = /<(header|trailer|message|component)(?:\s|>)/.exec(line)?.[1];
    // Inside a block `<component name= required= />` is a reference, and the empty `<components />` is nothing.
    if (block !== undefined && items === undefined && !line.includes('/>')) {
      items = [];
      name = block === 'header' || block === 'trailer' ? block : attribute(line, 'name');
      if (block === 'message') scan.messages.set(attribute(line, 'msgtype'), items);
      else scan.blocks.set(name, items);
    } else if (/<\/(header|trailer|message|component)>/.test(line)) {
      items = undefined;
    } else if (items !== undefined && /<\/group>/.test(line)) {
      items.push(')');
    } else if (items !== undefined && /<(field|group|component) /.test(line)) {
      const member = attribute(line, 'name');
      const required = attribute(line, 'required') === 'Y' || corrections.includes(`${name}.${member}`) ? '!' : '';
      if (/<component /.test(line)) {
        items.push(`@${member}${required}`);
        continue;
      }
      const tag = scan.tags.get(member);
      if (tag === undefined) throw new OutcryError('CONFIG_INVALID', `FIX dictionary: no field ${member}`);
      items.push(`${tag}${required}${/<group /.test(line) ? '(' : ''}`);
    }
  }
}

/** Items joined by spaces, as one string literal or several joined by `+` so that lines stay readable. */
function literal(items: readonly string[], indent: string): string {
  const parts: string[] = [];
  for (let at = 0; at < items.length; at += LINE_ITEMS) {
    const text = items.slice(at, at + LINE_ITEMS).join(' ');
    parts.push(`'${text}${at + LINE_ITEMS < items.length ? ' ' : ''}'`);
  }
  return parts.length === 0 ? "''" : parts.join(` +\n${indent}`);
}

/** The module of one version's tables; `beginString` is the version's, `name` its constant. */
export function renderDictionary(xml: string, beginString: string, name: string): string {
  const lines = xml.split('\n');
  const scan: Scan = { tags: new Map(), fields: [], blocks: new Map(), messages: new Map() };
  scanFields(lines, scan);
  scanBlocks(lines, beginString, scan);
  let text = `// Generated from the ${beginString} dictionary by scripts/generate-fix.ts: change it there, then \`npm run generate\`.\n`;
  text += "import type { DictionaryTables } from '../dictionary.ts';\n\n";
  text += `export const ${name}: DictionaryTables = {\n  beginString: '${beginString}',\n  fields: [\n`;
  for (const field of scan.fields) text += `    '${field}',\n`;
  text += '  ],\n  blocks: {\n';
  for (const [block, items] of scan.blocks) text += `    ${block}: ${literal(items, '      ')},\n`;
  text += '  },\n  messages: {\n';
  for (const [msgType, items] of scan.messages) text += `    '${msgType}': ${literal(items, '      ')},\n`;
  return `${text}  },\n};\n`;
}
