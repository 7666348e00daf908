import { workerData } from 'node:worker_threads';
import { runAgent } from './agent-runner.ts';
import { FeedAgent } from './feed.agent.ts';
import type { FeedWiring } from './topology.ts';
import { createWorkerLog } from './worker-log.ts';

const wiring = workerData as FeedWiring;
await runAgent(new FeedAgent(wiring, createWorkerLog()), wiring);
