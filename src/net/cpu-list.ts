/** CPUs as the kernel and `taskset` write them: `0-3,8`. */

/** More than any machine has. */
const CPU_MAX = 4_095;

/** In the order given; undefined when it is no such list, or names a CPU twice. */
export function parseCpuList(text: string): readonly number[] | undefined {
  const cpus: number[] = [];
  for (const part of text.split(',')) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last > CPU_MAX) return undefined;
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return new Set(cpus).size === cpus.length ? cpus : undefined;
}

export function formatCpuList(cpus: readonly number[]): string {
  const sorted = [...cpus].sort((a, b) => a - b);
  const runs: [first: number, last: number][] = [];
  for (const cpu of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === cpu - 1) run[1] = cpu;
    else runs.push([cpu, cpu]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
