import { join } from 'node:path';
import t from 'tap';
import { findings, staleGenerated } from './tidy.ts';

t.test('the tree keeps the house rules', async (t) => {
  t.same(findings(process.cwd()), []);
});

t.test('generated files are what their generators write', async (t) => {
  t.same(staleGenerated(process.cwd()), []);
});

t.test('each rule is broken by what it forbids', async (t) => {
  const workPath = ['', 'work', 'x'].join('/');
  const root = t.testdir({
    'NOTES.md': `see ${workPath}\n`,
    bench: { 'run.ts': `// ${'TO'}DO: more\n` },
    src: {
      core: {
        'io.ts':
          "import { readFileSync } from 'node:fs';\nimport { z } from 'zod';\nimport { x } from '../net/y.ts';\nimport './fine.ts';\n",
        'io.test.ts': "import { readFileSync } from 'node:fs';\n",
        fix: { 'fix-decoder.ts': 'export const cold = 1;\n' },
      },
      net: {
        'y.ts': "import type { A } from '../workers/a.ts';\nconst b = await import('../workers/b.ts');\n",
        'utils.ts': '',
        'index.ts': '',
      },
      workers: {
        'CamelCase.ts': 'const a = 1;\n// hot: here\n',
        'long.ts': '\n'.repeat(401),
        'long.test.ts': '\n'.repeat(401),
      },
    },
  });
  const found = findings(root)
    .filter(({ text }) => text !== 'is on the list of hot files and not there')
    .map(({ path, text }) => `${path} ${text}`);
  const expected = [
    /^NOTES\.md line 1 has .* a path of one machine/,
    /^bench\/run\.ts line 1 has .* work put off/,
    /^src\/core\/fix\/fix-decoder\.ts is a hot file/,
    /^src\/core\/io\.ts imports node:fs: core imports core only/,
    /^src\/core\/io\.ts imports zod/,
    /^src\/core\/io\.ts imports \.\.\/net\/y\.ts/,
    /^src\/net\/index\.ts is a barrel/,
    /^src\/net\/utils\.ts says nothing/,
    /^src\/net\/y\.ts imports \.\.\/workers\/a\.ts/,
    /^src\/net\/y\.ts imports \.\.\/workers\/b\.ts/,
    /^src\/workers\/CamelCase\.ts is not kebab-case/,
    /^src\/workers\/CamelCase\.ts has "\/\/ hot:" below/,
    /^src\/workers\/long\.ts has 401 lines/,
  ];
  t.match(found, expected);
  t.equal(found.length, expected.length, found.join('\n'));
  t.ok(staleGenerated(join(root, 'src')).length > 1, 'generated files that are missing are told');
});
