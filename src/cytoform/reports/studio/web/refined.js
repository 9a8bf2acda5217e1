// Components of distances on a coarse grid, and a network in the cube of the grid for the distances that they leave.

class RefinedGrid extends LinearGrid {
  constructor(header, arrays, kernel) {
    super(header, arrays);
    const { dims, bounds } = header;
    this.network = new Network({ ...header.network, dims, bounds }, arrays, kernel);
  }

  get kernel() { return this.network.kernel; }
  set kernel(kernel) { this.network.kernel = kernel; }

  frame(cell, time) {
    const grid = super.frame(cell, time), { scale } = grid, half = scale * this.header.extent;
    const left = this.network.frame({ code: this.seen(cell.code, time) }, 0);
    return { ...grid, distances: (points, n) => {
      const rest = left.distances(points.map(value => Math.max(-1, Math.min(1, value / half))), n);
      return grid.distances(points, n).map((value, i) => value + scale * rest[i]);
    } };
  }

  // Weights of the leading components at a time, over their spread.
  seen(code, time) {
    const { knots, components } = this.header, { spread } = this.arrays, basis = splineBasis(time, knots);
    return Float64Array.from(spread, (width, k) => basis.reduce((sum, share, knot) => sum + share * code[knot * components + k], 0) / width);
  }
}
