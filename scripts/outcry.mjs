#!/usr/bin/env node
// `npx outcry`: the command line, installed and built first where it is not.
import { bootstrapOrExit } from './bootstrap.mjs';

await bootstrapOrExit();
await import('../build/src/cli.js');
