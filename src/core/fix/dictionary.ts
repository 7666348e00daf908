import { assert } from '../assert.ts';

/**
 * What a version of FIX allows, in tables that `message-validator.ts` reads without allocating. Generated from a QuickFIX-style
 * dictionary (`generated/dictionary-*.gen.ts`) in this form:
 * - `fields`: `tag TYPE value value …`, the values of a closed set;
 * - `blocks`, `messages`: what stands in the header, the trailer, a component, a message: `55` a field, `55!` a required one,
 *   `386( … )` a repeating group behind its count, whose first field begins each entry, `@Name` a component.
 */
export interface DictionaryTables {
  readonly beginString: string;
  readonly fields: readonly string[];
  readonly blocks: Readonly<Record<string, string>>;
  readonly messages: Readonly<Record<string, string>>;
}

/** How a value is written. */
export const ValueFormat = {
  /** No such field. */
  None: 0,
  Text: 1,
  Char: 2,
  Boolean: 3,
  /** Digits, with a minus where there is one. */
  Int: 4,
  /** Digits. */
  Count: 5,
  Decimal: 6,
  DayOfMonth: 7,
  MonthYear: 8,
  Date: 9,
  TimeOnly: 10,
  Timestamp: 11,
  /** Several values of a closed set with spaces between. */
  Several: 12,
  Data: 13,
} as const;
export type ValueFormat = (typeof ValueFormat)[keyof typeof ValueFormat];

const FORMATS: Readonly<Record<string, ValueFormat>> = {
  AMT: ValueFormat.Decimal,
  BOOLEAN: ValueFormat.Boolean,
  CHAR: ValueFormat.Char,
  COUNTRY: ValueFormat.Text,
  CURRENCY: ValueFormat.Text,
  DATA: ValueFormat.Data,
  DAYOFMONTH: ValueFormat.DayOfMonth,
  EXCHANGE: ValueFormat.Text,
  FLOAT: ValueFormat.Decimal,
  INT: ValueFormat.Int,
  LENGTH: ValueFormat.Count,
  LOCALMKTDATE: ValueFormat.Date,
  MONTHYEAR: ValueFormat.MonthYear,
  MULTIPLEVALUESTRING: ValueFormat.Several,
  NUMINGROUP: ValueFormat.Count,
  PERCENTAGE: ValueFormat.Decimal,
  PRICE: ValueFormat.Decimal,
  PRICEOFFSET: ValueFormat.Decimal,
  QTY: ValueFormat.Decimal,
  SEQNUM: ValueFormat.Count,
  STRING: ValueFormat.Text,
  UTCDATE: ValueFormat.Date,
  UTCDATEONLY: ValueFormat.Date,
  UTCTIMEONLY: ValueFormat.TimeOnly,
  UTCTIMESTAMP: ValueFormat.Timestamp,
};

/** Where a field belongs. */
export const Section = { Header: 0, Body: 1, Trailer: 2 } as const;
export type Section = (typeof Section)[keyof typeof Section];

/** What a tag is in a block: nothing, a field, a field of entries only, or from `Group` on the count of group `role - Group`. */
export const Role = { None: 0, Field: 1, EntryField: 2, Group: 3 } as const;

/** Header, trailer or the body of a message. */
export interface BlockRules {
  /** Role of a tag. */
  readonly roles: Int16Array;
  readonly required: Int32Array;
}

/** The entries of a repeating group. */
export interface GroupRules {
  /** Place of a tag in an entry: 1 for the field that begins it, 0 for a tag that is none of it. */
  readonly places: Int16Array;
  /** Role of a tag in an entry. */
  readonly roles: Int16Array;
  /** Tags required in each entry. */
  readonly required: Int32Array;
}

interface Item {
  tag: number;
  required: boolean;
  /** Index of the group whose count this is, or -1. */
  group: number;
}

/** One version, ready for use. */
export class FixDictionary {
  readonly beginString: string;
  /** One more than the highest tag. */
  readonly tagLimit: number;
  /** ValueFormat of a tag. */
  readonly formats: Uint8Array;
  /** Section of a tag. */
  readonly sections: Uint8Array;
  /** Values of a tag's closed set are `valueBytes[valueStarts[i] .. valueStarts[i + 1])` for i from `firstValues[tag]` to `firstValues[tag + 1]`. */
  readonly firstValues: Int32Array;
  readonly valueStarts: Int32Array;
  readonly valueBytes: Uint8Array;
  readonly groups: readonly GroupRules[];
  readonly header: BlockRules;
  readonly trailer: BlockRules;
  readonly #messages: Map<number, BlockRules> = new Map();
  readonly #tables: DictionaryTables;
  readonly #groups: GroupRules[] = [];
  /** Groups by their text: a component that many messages have is compiled once. */
  readonly #groupIndexes: Map<string, number> = new Map();

  constructor(tables: DictionaryTables) {
    this.#tables = tables;
    this.beginString = tables.beginString;
    const fields = tables.fields.map((line) => line.split(' '));
    this.tagLimit = Math.max(...fields.map(([tag]) => Number(tag))) + 1;
    this.formats = new Uint8Array(this.tagLimit);
    this.sections = new Uint8Array(this.tagLimit).fill(Section.Body);
    this.firstValues = new Int32Array(this.tagLimit + 1);
    const byTag = new Map(fields.map(([tag, type, ...values]) => [Number(tag), { type: type ?? '', values }]));
    const valueStarts = [0];
    const bytes: number[] = [];
    for (let tag = 0; tag < this.tagLimit; tag++) {
      this.firstValues[tag] = valueStarts.length - 1;
      const field = byTag.get(tag);
      if (field === undefined) continue;
      const format = FORMATS[field.type];
      assert(format !== undefined, `type ${field.type} of field ${tag} is known`);
      this.formats[tag] = format;
      for (const value of field.values) {
        for (const character of value) bytes.push(character.charCodeAt(0));
        valueStarts.push(bytes.length);
      }
    }
    this.firstValues[this.tagLimit] = valueStarts.length - 1;
    this.valueStarts = Int32Array.from(valueStarts);
    this.valueBytes = Uint8Array.from(bytes);
    this.groups = this.#groups;
    this.header = this.#compileBlock(tables.blocks.header ?? '');
    this.trailer = this.#compileBlock(tables.blocks.trailer ?? '');
    for (let tag = 0; tag < this.tagLimit; tag++) {
      if (this.header.roles[tag] !== Role.None) this.sections[tag] = Section.Header;
      else if (this.trailer.roles[tag] !== Role.None) this.sections[tag] = Section.Trailer;
    }
    for (const [msgType, text] of Object.entries(tables.messages)) {
      const high = msgType.length === 2 ? msgType.charCodeAt(0) << 8 : 0;
      this.#messages.set(high | msgType.charCodeAt(msgType.length - 1), this.#compileBlock(text));
    }
  }

  /** The rules of a message type (character code, or two as `(first << 8) | second`); undefined for one that does not exist. */
  message(msgType: number): BlockRules | undefined {
    return this.#messages.get(msgType);
  }

  #compileBlock(text: string): BlockRules {
    const items = this.#parse(text);
    const roles = new Int16Array(this.tagLimit);
    this.#markEntries(items, roles);
    for (const { tag, group } of items) roles[tag] = group < 0 ? Role.Field : Role.Group + group;
    return { roles, required: requiredTags(items) };
  }

  /** A field of an entry is known in the message, but has no place outside the group. */
  #markEntries(items: readonly Item[], roles: Int16Array): void {
    for (const { group } of items) {
      if (group < 0) continue;
      const inner = this.#groups[group]!;
      for (let tag = 0; tag < this.tagLimit; tag++) {
        if (inner.places[tag] !== 0 || inner.roles[tag] === Role.EntryField) roles[tag] = Role.EntryField;
      }
    }
  }

  #compileGroup(text: string): number {
    const known = this.#groupIndexes.get(text);
    if (known !== undefined) return known;
    const items = this.#parse(text);
    const { roles } = this.#compileBlock(text);
    const places = new Int16Array(this.tagLimit);
    items.forEach(({ tag }, i) => {
      places[tag] = i + 1;
    });
    const index = this.#groups.push({ places, roles, required: requiredTags(items) }) - 1;
    this.#groupIndexes.set(text, index);
    return index;
  }

  /** The items of a block, components put in place: what is required of an optional component is not required of the message. */
  #parse(text: string): Item[] {
    const items: Item[] = [];
    const words = text.split(' ').filter((word) => word !== '');
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      const required = word.includes('!');
      if (word.startsWith('@')) {
        const component = this.#tables.blocks[word.slice(1).replace('!', '')];
        assert(component !== undefined, `component ${word} is known`);
        for (const item of this.#parse(component)) items.push({ ...item, required: item.required && required });
        continue;
      }
      const item = { tag: Number.parseInt(word, 10), required, group: -1 };
      if (word.endsWith('(')) {
        const end = closingOf(words, i);
        item.group = this.#compileGroup(words.slice(i + 1, end).join(' '));
        i = end;
      }
      items.push(item);
    }
    return items;
  }
}

/** Position of the `)` that closes the group opened at `open`. */
function closingOf(words: readonly string[], open: number): number {
  let depth = 1;
  let i = open;
  while (depth > 0) {
    i++;
    assert(i < words.length, 'every group is closed');
    if (words[i]!.endsWith('(')) depth++;
    else if (words[i] === ')') depth--;
  }
  return i;
}

function requiredTags(items: readonly Item[]): Int32Array {
  return Int32Array.from(items.filter(({ required }) => required).map(({ tag }) => tag));
}
