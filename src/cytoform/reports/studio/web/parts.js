// Cells of a body and protrusions: their distances, and their codes with number and length of protrusions.

// Of a cell, `parts` are its rows of units, and over time the scale of its body and the offset of the cell, or null.
class PartsField {
  constructor(body, header) {
    Object.assign(this, { body, header });
  }

  get kernel() { return this.body.kernel; }
  set kernel(kernel) { this.body.kernel = kernel; }

  frame(cell, time) {
    const { dims, fillet, bounds } = this.header, { rows, scale: scales, offset: offsets } = cell.parts;
    const bare = this.body.frame(cell, time), scale = scales ? atTime(scales, time) : 1;
    const offset = Array.from({ length: dims }, (_, axis) => offsets ? atTime(offsets.filter((_, i) => i % dims === axis), time) : 0);
    const moved = shift => scale === 1 && !shift.some(Boolean) ? bare.distances : (points, n) => {
      const there = points.map((value, i) => (value - shift[Math.floor(i / n)]) / scale);
      return bare.distances(there, n).map(value => scale * value);
    };
    const grown = new Units(rows, dims).grownAt((time + 1) / 2, points => onSurface(moved(new Array(dims).fill(0)), points));
    const tubes = grown.map(tube => new Tube(tube.line.map(point => point.map((value, axis) => value + offset[axis])), tube.radii));
    const larger = Math.max(scale, 1), times = values => values.map(value => larger * value), body = moved(offset);
    return { scale: 1, fillet, tubes, bounds: { slope: larger * bounds.slope, reaches: times(bounds.reaches), mispredictions: times(bounds.mispredictions) },
      body, distances: (points, n) => united(body(points, n), points, n, tubes, fillet, dims) };
  }
}

// The distance at points of a union of a body and tubes.
function united(values, points, n, tubes, fillet, dims) {
  const point = new Float64Array(dims);
  for (let i = 0; i < n; i++) {
    for (let axis = 0; axis < dims; axis++) point[axis] = points[axis * n + i];
    let best = values[i] + fillet;
    for (const tube of tubes) {
      let outside = 0;
      for (let axis = 0; axis < dims; axis++) outside += Math.max(tube.low[axis] - point[axis], point[axis] - tube.high[axis], 0) ** 2;
      if (outside <= Math.max(best, 0) ** 2) best = Math.min(best, tube.distance(point));
    }
    values[i] = smoothUnion(values[i], best, fillet);
  }
  return values;
}

// Newton's method along the gradient, by central differences.
function onSurface(distances, points) {
  if (!points.length) return points;
  const dims = points[0].length, kinds = 2 * dims + 1, n = kinds * points.length;
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const around = new Float32Array(dims * n);
    points.forEach((point, i) => point.forEach((value, axis) => {
      for (let kind = 0; kind < kinds; kind++) {
        around[axis * n + kinds * i + kind] = value + (kind === 1 + axis ? DIFFERENCE : kind === 1 + dims + axis ? -DIFFERENCE : 0);
      }
    }));
    const found = distances(around, n);
    points = points.map((point, i) => {
      const own = kinds * i, gradient = point.map((_, axis) => (found[own + 1 + axis] - found[own + 1 + dims + axis]) / (2 * DIFFERENCE));
      const way = clip(found[own] / Math.max(dot(gradient, gradient), 0.25), -0.1, 0.1);
      return point.map((value, axis) => value - way * gradient[axis]);
    });
  }
  return points;
}

// A box of distances to the body with the tubes, on a box that holds these too; right within `band` of the surface.
function withTubes(box, { tubes, fillet }, size, band, dims) {
  const voxel = 2 / size, reach = band + voxel, first = dims === 3 ? 0 : 1;
  const index = place => Math.floor((place + 1) / voxel);
  const low = [...box.corner], high = box.corner.map((place, axis) => place + box.shape[axis]);
  for (const tube of tubes) for (let axis = first; axis < 3; axis++) {
    low[axis] = Math.min(low[axis], Math.max(index(tube.low[2 - axis] - reach), 0));
    high[axis] = Math.max(high[axis], Math.min(index(tube.high[2 - axis] + reach) + 1, size));
  }
  const shape = high.map((place, axis) => place - low[axis]), n = shape[0] * shape[1] * shape[2];
  const values = new Float32Array(n).fill(Math.max(band, fillet) + voxel), found = new Float32Array(n).fill(Infinity);
  for (let z = 0, i = 0; z < box.shape[0]; z++) for (let y = 0; y < box.shape[1]; y++, i += box.shape[2]) {
    const to = ((box.corner[0] - low[0] + z) * shape[1] + box.corner[1] - low[1] + y) * shape[2] + box.corner[2] - low[2];
    values.set(box.values.subarray(i, i + box.shape[2]), to);
  }
  const point = new Float64Array(dims), seen = new Int32Array(n);
  tubes.forEach((tube, number) => tube.axes.forEach((_, cone) => {
    const radius = Math.max(tube.radii[cone], tube.radii[cone + 1]) + reach, a = tube.line[cone], b = tube.line[cone + 1];
    const sides = [0, 1, 2].map(axis => axis < first ? [0, 1] : [Math.max(index(Math.min(a[2 - axis], b[2 - axis]) - radius), 0),
      Math.min(index(Math.max(a[2 - axis], b[2 - axis]) + radius) + 1, size)]);
    for (let z = sides[0][0]; z < sides[0][1]; z++) for (let y = sides[1][0]; y < sides[1][1]; y++) for (let x = sides[2][0]; x < sides[2][1]; x++) {
      const i = ((z - low[0]) * shape[1] + y - low[1]) * shape[2] + x - low[2];
      if (seen[i] === number + 1) continue;
      seen[i] = number + 1;
      point[0] = (x + 0.5) * voxel - 1;
      point[1] = (y + 0.5) * voxel - 1;
      if (dims === 3) point[2] = (z + 0.5) * voxel - 1;
      found[i] = Math.min(found[i], tube.distance(point));
    }
  }));
  for (let i = 0; i < n; i++) if (found[i] < Infinity) values[i] = smoothUnion(values[i], found[i], fillet);
  return { ...box, corner: low, shape, values };
}

// Codes of bodies, each with its protrusions; new cells are those that the run drew when the page was made.
class PartsCodes extends Codes {
  constructor(data, arrays, field) {
    super(data, arrays, field);
    this.layout = layoutOf(data.model.dims);
    this.drawn = data.composed.rows.length - 1;
    this.mostFamilies = Math.max(1, ...Array.from({ length: this.n }, (_, i) => this.familiesOf(this.learned(i).parts.rows).length),
      ...Array.from({ length: this.drawn }, (_, i) => this.familiesOf(this.composed(i).parts.rows).length));
  }

  slice(name, { rows }, i) { return this.arrays[name].slice(rows[i] * this.layout.width, rows[i + 1] * this.layout.width); }

  learned(i) {
    return { code: this.codeOf(i), scale: null, parts: { rows: this.slice("rows", this.data.learnedParts, i), scale: null, offset: null } };
  }

  composed(i) {
    const of = name => { const size = this.arrays[name].length / this.drawn; return this.arrays[name].slice(i * size, (i + 1) * size); };
    return { code: of("composedCodes"), scale: null, parts: { rows: this.slice("composedRows", this.data.composed, i), scale: of("composedScales"), offset: of("composedOffsets") } };
  }

  mean() { return { ...super.mean(), parts: { rows: new Float32Array(0), scale: null, offset: null } }; }

  // The cells that were drawn, in turn; then the body of one with the protrusions of another.
  draw(random, number) {
    if (number <= this.drawn) return this.composed(number - 1);
    const body = this.composed(pick(random, this.drawn)), other = this.composed(pick(random, this.drawn));
    return { ...body, parts: { ...body.parts, rows: other.parts.rows } };
  }

  moved(cell, k, by) {
    if (k === "number") return this.withFamilies(cell, this.familiesOf(cell.parts.rows).length + Math.round(by));
    if (k === "length") return { ...cell, parts: { ...cell.parts, rows: this.longer(cell.parts.rows, 2 ** by) } };
    return { ...super.moved(cell, k, by), parts: cell.parts };
  }

  // A cell between two: the protrusions of the first withdraw, and those of the second grow.
  between(a, b, share) {
    if (share === 0 || share === 1) return share ? b : a;
    const rows = this.joined([this.longer(a.parts.rows, 1 - share), this.longer(b.parts.rows, share)]);
    return { ...super.between(a, b, share), parts: { rows, scale: null, offset: null } };
  }

  nearest(cell) {
    const found = super.nearest(cell);
    return { ...found, of: this.learned(found.cell) };
  }

  coordinates(cell) { return { ...super.coordinates(cell), number: this.familiesOf(cell.parts.rows).length, length: 0 }; }

  // As the file of a code has them.
  written({ rows, scale, offset }) {
    const { width } = this.layout, { dims } = this.data.model, cut = (values, n) => Array.from({ length: values.length / n }, (_, i) => [...values.subarray(i * n, (i + 1) * n)]);
    return { protrusions: cut(rows, width), ...(scale ? { scale: [...scale], offset: cut(offset, dims) } : {}) };
  }

  // ---- rows of units

  // The rows of each protrusion on the body with its branches, itself first.
  familiesOf(rows) {
    const { width, parent } = this.layout, families = [], own = new Map();
    for (let row = 0; row < rows.length / width; row++) {
      const of = rows[row * width + parent], family = of < 0 ? [] : own.get(of);
      if (of < 0) families.push(family);
      family.push(row);
      own.set(row, family);
    }
    return families;
  }

  // A cell with so many protrusions: some of its own, in an order by chance, or all and some of the cells that were drawn.
  withFamilies(cell, n) {
    const rootOf = family => family[this.layout.root], own = this.shuffled(this.taken(cell.parts.rows)), found = own.slice(0, n), known = new Set(own.map(rootOf));
    for (let i = 0; found.length < n && i < this.drawn; i++) {
      found.push(...this.taken(this.composed(i).parts.rows).filter(family => !known.has(rootOf(family))).slice(0, n - found.length));
    }
    return { ...cell, parts: { ...cell.parts, rows: this.joined(found) } };
  }

  // The families of rows, each as rows of its own.
  taken(rows) {
    const { width, parent } = this.layout;
    return this.familiesOf(rows).map(family => {
      const found = new Float32Array(family.length * width);
      family.forEach((row, i) => {
        found.set(rows.subarray(row * width, (row + 1) * width), i * width);
        const of = rows[row * width + parent];
        found[i * width + parent] = of < 0 ? -1 : family.indexOf(of);
      });
      return found;
    });
  }

  shuffled(values) {
    const random = randomOf(17), found = [...values];
    for (let i = found.length - 1; i > 0; i--) {
      const j = pick(random, i + 1);
      [found[i], found[j]] = [found[j], found[i]];
    }
    return found;
  }

  joined(lists) {
    const { width, parent } = this.layout, found = new Float32Array(lists.reduce((sum, rows) => sum + rows.length, 0));
    let at = 0;
    for (const rows of lists) {
      found.set(rows, at);
      for (let i = at + parent; i < at + rows.length; i += width) if (found[i] >= 0) found[i] += at / width;
      at += rows.length;
    }
    return found;
  }

  longer(rows, factor) {
    const { width, length, at } = this.layout;
    return rows.map((value, i) => i % width === length || i % width === at ? factor * value : value);
  }
}
