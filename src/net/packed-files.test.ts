import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { cacheDirectoryOf, type Packed, packedDirectory, sha256Of, unpack } from './packed-files.ts';

const code = Buffer.from('export const answer = 42;\n');
const program = Buffer.from('#!/bin/sh\nexit 0\n');
const bytes = new Map([code, program].map((each) => [sha256Of(each), gzipSync(each)]));
const packed: Packed = {
  files: [
    { path: 'build/src/answer.js', part: 'engine', sha256: sha256Of(code), mode: 0o644 },
    { path: 'native/bin/program', part: 'postgres', sha256: sha256Of(program), mode: 0o755 },
    { path: 'native/bin/link', part: 'postgres', link: 'program' },
  ],
  bytesOf: (sha256) => bytes.get(sha256)!,
};

t.test('a part is taken out whole, and left alone when it is right', async (t) => {
  const directory = packedDirectory(join(t.testdir(), 'cache/outcry'), 'the list');
  t.equal(statSync(directory).mode & 0o777, 0o700);
  unpack(packed, 'engine', directory);
  t.same(readdirSync(directory), ['build'], 'no other part');
  unpack(packed, 'postgres', directory);
  const path = join(directory, 'native/bin/program');
  t.same(readFileSync(path), program);
  t.equal(statSync(path).mode & 0o777, 0o755);
  t.equal(readlinkSync(join(directory, 'native/bin/link')), 'program');
  utimesSync(path, 1, 1);
  unpack(packed, 'postgres', directory);
  t.equal(statSync(path).mtimeMs, 1_000, 'nothing is written twice');
});

t.test('what is not as it was built is written again', async (t) => {
  const directory = packedDirectory(join(t.testdir(), 'outcry'), 'the list');
  unpack(packed, 'engine', directory);
  unpack(packed, 'postgres', directory);
  const file = join(directory, 'build/src/answer.js');
  const link = join(directory, 'native/bin/link');
  const elsewhere = join(t.testdirName, 'elsewhere');
  const spoil: readonly (() => void)[] = [
    () => writeFileSync(file, 'export const answer = 41;\n'),
    () => writeFileSync(file, ''),
    () => chmodSync(file, 0o666),
    () => {
      writeFileSync(elsewhere, code);
      unpackedAs(file, () => symlinkSync(elsewhere, file));
    },
    () => unpackedAs(link, () => symlinkSync('/bin/true', link)),
    () => unpackedAs(link, () => writeFileSync(link, program)),
  ];
  for (const [i, each] of spoil.entries()) {
    each();
    unpack(packed, 'engine', directory);
    unpack(packed, 'postgres', directory);
    t.ok(lstatSync(file).isFile(), `case ${i}`);
    t.equal(statSync(file).mode & 0o777, 0o644);
    t.same(readFileSync(file), code);
    t.equal(readlinkSync(link), 'program');
  }
  t.same(readdirSync(join(directory, 'native/bin')), ['link', 'program'], 'nothing is left aside');
});

function unpackedAs(path: string, make: () => void): void {
  rmSync(path);
  make();
}

t.test('bytes that are not what the list says are refused', async (t) => {
  const directory = packedDirectory(join(t.testdir(), 'outcry'), 'the list');
  const wrong = { ...packed, bytesOf: () => gzipSync('something else') };
  t.throws(() => unpack(wrong, 'engine', directory), /answer\.js is not what was written to it/);
});

t.test('a directory that is open to others is refused', async (t) => {
  const cache = join(t.testdir(), 'outcry');
  const directory = packedDirectory(cache, 'the list');
  t.not(packedDirectory(cache, 'another list'), directory, 'another list has another directory');
  for (const open of [cache, directory]) {
    for (const mode of [0o777, 0o770, 0o755]) {
      chmodSync(open, mode);
      t.throws(() => packedDirectory(cache, 'the list'), /is open to other users \(chmod 700\): nothing is run/);
      chmodSync(open, 0o700);
    }
  }
  mkdirSync(join(t.testdirName, 'real'), { mode: 0o700 });
  symlinkSync(join(t.testdirName, 'real'), join(t.testdirName, 'link'));
  t.throws(() => packedDirectory(join(t.testdirName, 'link'), 'the list'), /is no directory/);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    chownSync(directory, 65_534, 65_534);
    t.throws(() => packedDirectory(cache, 'the list'), /belongs to the user 65534/);
  } else {
    // A directory of root's, which everybody has and we may not write to.
    t.throws(() => packedDirectory('/', 'the list'), /EACCES|belongs to the user 0/);
  }
});

t.test('where it is', async (t) => {
  t.equal(cacheDirectoryOf({ CACHE_DIRECTORY: '/var/cache/outcry', XDG_CACHE_HOME: '/x' }, '/h'), '/var/cache/outcry');
  t.equal(cacheDirectoryOf({ XDG_CACHE_HOME: '/x' }, '/h'), '/x/outcry');
  t.equal(cacheDirectoryOf({ XDG_CACHE_HOME: '' }, '/h'), '/h/.cache/outcry');
});
