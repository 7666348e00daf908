// `npm run bench -- NAME …`: installs and builds what is missing, then runs the bench.
import { bootstrapOrExit } from './bootstrap.mjs';

await bootstrapOrExit();
await import('../build/bench/run.js');
