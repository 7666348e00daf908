/**
 * Layouts of shared memory are declared once, as data, and their word offsets are generated into `generated/` by
 * `scripts/generate-layouts.ts`. Every offset is in 32-bit words, since all access is through an Int32Array and Atomics.
 */
export type FieldKind = 'i32' | 'u32' | 'f64';

export interface Field {
  readonly kind: FieldKind;
  /** Elements of an array field; 1 when left out. */
  readonly count?: number;
  /** Unit and meaning, one sentence. */
  readonly doc: string;
}

export interface Layout {
  /** Prefix of the generated constants, in capitals: `QUOTE_SLOT` gives `QUOTE_SLOT_BID_PAISE`. */
  readonly name: string;
  /** Who writes, who reads, and what makes a read consistent. */
  readonly doc: string;
  readonly strideBytes: number;
  readonly fields: Readonly<Record<string, Field>>;
}

export interface PlacedField {
  readonly name: string;
  readonly kind: FieldKind;
  readonly count: number;
  readonly wordOffset: number;
  readonly doc: string;
}

const WORDS_OF_KIND = { i32: 1, u32: 1, f64: 2 } as const satisfies Record<FieldKind, number>;
export const BYTES_PER_WORD = 4;

/**
 * Places the fields one after the other in the order of their declaration.
 * Throws where the layout is not exact: padding is declared as a `reserved` field, never implied.
 */
export function placeFields(layout: Layout): PlacedField[] {
  if (layout.strideBytes % 8 !== 0)
    throw new RangeError(`${layout.name}: stride ${layout.strideBytes} is no multiple of 8`);
  const placed: PlacedField[] = [];
  let wordOffset = 0;
  for (const [name, field] of Object.entries(layout.fields)) {
    const words = WORDS_OF_KIND[field.kind];
    const count = field.count ?? 1;
    if (!Number.isInteger(count) || count < 1) throw new RangeError(`${layout.name}.${name}: count ${count}`);
    if (wordOffset % words !== 0) throw new RangeError(`${layout.name}.${name}: ${field.kind} at word ${wordOffset}`);
    placed.push({ name, kind: field.kind, count, wordOffset, doc: field.doc });
    wordOffset += words * count;
  }
  if (wordOffset * BYTES_PER_WORD !== layout.strideBytes) {
    throw new RangeError(
      `${layout.name}: fields fill ${wordOffset * BYTES_PER_WORD} bytes of a stride of ${layout.strideBytes}`,
    );
  }
  return placed;
}

function constantCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}

/** The text of a `generated/*.gen.ts` file: one exported constant a field, so that hot code sees literals. */
export function renderLayouts(fileName: string, layouts: readonly Layout[]): string {
  const lines = [
    `// Generated from ../${fileName}.layout.ts by scripts/generate-layouts.ts: change it there, then \`npm run generate\`.`,
    '// Offsets are 32-bit words from the start of the record.',
  ];
  for (const layout of layouts) {
    lines.push('', `export const ${layout.name}_STRIDE_WORDS = ${layout.strideBytes / BYTES_PER_WORD};`);
    for (const field of placeFields(layout)) {
      const array = field.count > 1 ? `, ${field.count} elements` : '';
      lines.push(`/** ${field.kind}${array}: ${field.doc} */`);
      lines.push(`export const ${layout.name}_${constantCase(field.name)} = ${field.wordOffset};`);
    }
  }
  return `${lines.join('\n')}\n`;
}
