const SWEEPS_MAX = 200_000;
/** Of a coefficient, relative to itself, in a whole sweep. */
const CONVERGED = 1e-10;

/**
 * Coefficients of which none is negative, so that `rows × coefficients` comes nearest to `targets`, each miss weighed relative to its target (least
 * squares by coordinate descent: a convex problem of a few columns, where it ends at the one minimum).
 */
export function fitNonNegative(rows: readonly (readonly number[])[], targets: readonly number[]): number[] {
  const columns = rows[0]!.length;
  const weighed = rows.map((row, i) => row.map((value) => value / targets[i]!));
  const squares = Array.from({ length: columns }, (_, c) => weighed.reduce((sum, row) => sum + row[c]! ** 2, 0));
  const coefficients = new Array<number>(columns).fill(0);
  const misses = new Float64Array(rows.length).fill(1);
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let moved = 0;
    for (let c = 0; c < columns; c++) {
      if (squares[c] === 0) continue;
      let gradient = 0;
      for (let i = 0; i < rows.length; i++) gradient += weighed[i]![c]! * misses[i]!;
      const before = coefficients[c]!;
      const after = Math.max(0, before + gradient / squares[c]!);
      if (after === before) continue;
      for (let i = 0; i < rows.length; i++) misses[i]! -= weighed[i]![c]! * (after - before);
      coefficients[c] = after;
      moved = Math.max(moved, Math.abs(after - before) / Math.max(after, before));
    }
    if (moved < CONVERGED) break;
  }
  return coefficients;
}
