import { workerData } from 'node:worker_threads';
import { runAgent } from './agent-runner.ts';
import { FanOutAgent } from './fan-out.agent.ts';
import type { FanOutWiring } from './topology.ts';

const wiring = workerData as FanOutWiring;
await runAgent(new FanOutAgent(wiring), wiring);
