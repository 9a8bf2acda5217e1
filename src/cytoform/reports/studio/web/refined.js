// A network in the cube of a grid, whose codes have the symmetries of components.

class RefinedGrid {
  constructor(header, arrays, kernel) {
    const { dims, bounds, odd } = header;
    Object.assign(this, { header, arrays });
    this.symmetry = symmetriesOf(odd);
    this.network = new Network({ ...header.network, knots: 1, dims, bounds }, arrays, kernel);
  }

  get kernel() { return this.network.kernel; }
  set kernel(kernel) { this.network.kernel = kernel; }

  // Beyond the grid the way to it is added.
  frame(cell, time) {
    const { knots, components, extent, dims, bounds } = this.header, scale = cell.scale ? atTime(cell.scale, time) : 1;
    const basis = splineBasis(time, knots), half = scale * extent;
    const code = Float64Array.from({ length: components },
      (_, k) => basis.reduce((sum, share, knot) => sum + share * cell.code[knot * components + k], 0));
    const network = this.network.frame({ code }, 0);
    return { bounds, scale, distances: (points, n) => {
      const nearest = points.map(value => Math.max(-1, Math.min(1, value / half)));
      return network.distances(nearest, n).map((value, i) => {
        let beyond = 0;
        for (let axis = 0; axis < dims; axis++) beyond += (points[axis * n + i] / half - nearest[axis * n + i]) ** 2;
        return scale * (value + extent * Math.sqrt(beyond));
      });
    } };
  }
}
