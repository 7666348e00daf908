import { parentPort, workerData } from 'node:worker_threads';
import { runAgent } from './agent-runner.ts';
import { OrderAgent } from './order.agent.ts';
import type { OrderWiring } from './topology.ts';
import { createWorkerLog } from './worker-log.ts';

const wiring = workerData as OrderWiring;
await runAgent(new OrderAgent(wiring, createWorkerLog(), (answer) => parentPort?.postMessage(answer)), wiring);
