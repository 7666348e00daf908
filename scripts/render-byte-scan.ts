/** Compiles `src/core/fix/byte-scan.wat` and renders it as `src/core/fix/generated/byte-scan.gen.ts`. Pure: text in, text out. */
import wabt from 'wabt';

const BYTES_A_LINE = 24;

export async function renderByteScan(wat: string): Promise<string> {
  const { parseWat } = await wabt();
  const module = parseWat('byte-scan.wat', wat, { simd: true });
  try {
    module.resolveNames();
    module.validate();
    const { buffer } = module.toBinary({});
    const lines: string[] = [];
    for (let at = 0; at < buffer.length; at += BYTES_A_LINE) {
      lines.push(`  ${[...buffer.subarray(at, at + BYTES_A_LINE)].join(', ')},\n`);
    }
    return [
      '// Generated from byte-scan.wat by scripts/generate-byte-scan.ts. Do not edit.\n\n',
      '/** A WebAssembly module. */\n',
      `export const BYTE_SCAN: Uint8Array = new Uint8Array([\n${lines.join('')}]);\n`,
    ].join('');
  } finally {
    module.destroy();
  }
}
