import { noisePercent, type Report, type Row, type RunResult } from './harness.ts';
import type { Machine } from './machine.ts';

/** A run as lines of text: the machine, then a table with a line a figure. */
export function renderReport(result: RunResult, seed: number): string {
  const { report, checksums } = result;
  const lines = ['', `${report.name}: rounds ${report.rounds}, seed ${seed}`, ...machineLines(report.machine), ''];
  const header = ['case', 'impl', 'metric', 'median', 'noise', 'min', 'max', 'unit'];
  const table = [header, ...sortedRows(report).map((row) => cells(row, report.rounds))];
  lines.push(...align(table), '', 'checksums');
  for (const [key, checksum] of checksums) lines.push(`  ${key}  ${checksum}`);
  return `${lines.join('\n')}\n`;
}

function machineLines(machine: Machine): string[] {
  const { cpu, cores, memoryMiB, node, kernel, loadBefore, loadAfter, busyPercent, stealPercent } = machine;
  return [
    `  ${cpu}, ${cores} cores, ${memoryMiB} MiB, Linux ${kernel}, Node ${node}`,
    `  load ${loadBefore.toFixed(2)} before, ${loadAfter.toFixed(2)} after; cores ${busyPercent} % busy, ${stealPercent} % stolen`,
  ];
}

/** Rows by case in order of first appearance, and within a case by metric, so that rivals stand under each other. */
function sortedRows(report: Report): Row[] {
  const cases = [...new Set(report.rows.map((row) => row.case))];
  const metrics = [...new Set(report.rows.map((row) => row.metric))];
  return [...report.rows].sort(
    (a, b) => cases.indexOf(a.case) - cases.indexOf(b.case) || metrics.indexOf(a.metric) - metrics.indexOf(b.metric),
  );
}

function cells(row: Row, rounds: number): string[] {
  const noise = rounds < 2 ? 'one round' : `± ${noisePercent(row).toFixed(1)} %`;
  return [row.case, row.impl, row.metric, figure(row.median), noise, figure(row.min), figure(row.max), row.unit];
}

/** Four significant digits, whole numbers with thousands set apart. */
function figure(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-GB');
  return String(Number(value.toPrecision(4)));
}

const NUMERIC_COLUMNS_FROM = 3;
const NUMERIC_COLUMNS_TO = 6;

function align(table: readonly (readonly string[])[]): string[] {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  return table.map((line) =>
    line
      .map((cell, column) => {
        const numeric = column >= NUMERIC_COLUMNS_FROM && column <= NUMERIC_COLUMNS_TO;
        return numeric ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
      })
      .join('  ')
      .trimEnd(),
  );
}
