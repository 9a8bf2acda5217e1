// Cells of a body and protrusions: their distances, and their codes with number and length of protrusions.

// Of a cell, `parts` are its rows of units and of bulges, and over time the scale of its body and the offset of the cell, or null.
class PartsField {
  constructor(body, header, { moments, boxes, phases }) {
    Object.assign(this, { body, header, moments: { values: moments, boxes, phases } });
  }

  get kernel() { return this.body.kernel; }
  set kernel(kernel) { this.body.kernel = kernel; }

  frame(cell, time) {
    const { dims, fillet, bounds } = this.header, { rows, bulges, scale: scales, offset: offsets } = cell.parts;
    const bare = this.body.frame(cell, time), scale = scales ? atTime(scales, time) : 1;
    const offset = Array.from({ length: dims }, (_, axis) => offsets ? atTime(offsets.filter((_, i) => i % dims === axis), time) : 0);
    const moved = shift => scale === 1 && !shift.some(Boolean) ? bare.distances : (points, n) => {
      const there = points.map((value, i) => (value - shift[Math.floor(i / n)]) / scale);
      return bare.distances(there, n).map(value => scale * value);
    };
    const upright = moved(new Array(dims).fill(0)), share = (time + 1) / 2, toSurface = points => onSurface(upright, points);
    const thin = new Units(rows, dims).grownAt(share, toSurface), thick = new Bulges(bulges, dims, this.moments).swollenAt(share, toSurface, upright);
    const solids = [...thin, ...thick].map(solid => solid.moved(offset));
    const larger = Math.max(scale, 1), times = values => values.map(value => larger * value), body = moved(offset);
    return { scale: 1, fillet, solids, bounds: { slope: larger * bounds.slope, reaches: times(bounds.reaches), mispredictions: times(bounds.mispredictions) },
      body, distances: (points, n) => united(body(points, n), points, n, solids, fillet, dims) };
  }
}

// The distance at points of a union of a body and solids.
function united(values, points, n, solids, fillet, dims) {
  const point = new Float64Array(dims);
  for (let i = 0; i < n; i++) {
    for (let axis = 0; axis < dims; axis++) point[axis] = points[axis * n + i];
    let best = values[i] + fillet;
    for (const solid of solids) {
      let outside = 0;
      for (let axis = 0; axis < dims; axis++) outside += Math.max(solid.low[axis] - point[axis], point[axis] - solid.high[axis], 0) ** 2;
      if (outside <= Math.max(best, 0) ** 2) best = Math.min(best, solid.distance(point));
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

// A box of distances to the body with the solids, on a box that holds these too; right within `band` of the surface.
function withSolids(box, { solids, fillet }, size, band, dims) {
  const voxel = 2 / size, reach = band + voxel, first = dims === 3 ? 0 : 1;
  const index = place => Math.floor((place + 1) / voxel);
  const low = [...box.corner], high = box.corner.map((place, axis) => place + box.shape[axis]);
  for (const solid of solids) for (let axis = first; axis < 3; axis++) {
    low[axis] = Math.min(low[axis], Math.max(index(solid.low[2 - axis] - reach), 0));
    high[axis] = Math.max(high[axis], Math.min(index(solid.high[2 - axis] + reach) + 1, size));
  }
  const shape = high.map((place, axis) => place - low[axis]), n = shape[0] * shape[1] * shape[2];
  const values = new Float32Array(n).fill(Math.max(band, fillet) + voxel), found = new Float32Array(n).fill(Infinity);
  for (let z = 0, i = 0; z < box.shape[0]; z++) for (let y = 0; y < box.shape[1]; y++, i += box.shape[2]) {
    const to = ((box.corner[0] - low[0] + z) * shape[1] + box.corner[1] - low[1] + y) * shape[2] + box.corner[2] - low[2];
    values.set(box.values.subarray(i, i + box.shape[2]), to);
  }
  const point = new Float64Array(dims), seen = new Int32Array(n);
  solids.forEach((solid, number) => solid.boxes.forEach(([lowest, highest]) => {
    const sides = [0, 1, 2].map(axis => axis < first ? [0, 1] : [Math.max(index(lowest[2 - axis] - reach), 0),
      Math.min(index(highest[2 - axis] + reach) + 1, size)]);
    for (let z = sides[0][0]; z < sides[0][1]; z++) for (let y = sides[1][0]; y < sides[1][1]; y++) for (let x = sides[2][0]; x < sides[2][1]; x++) {
      const i = ((z - low[0]) * shape[1] + y - low[1]) * shape[2] + x - low[2];
      if (seen[i] === number + 1) continue;
      seen[i] = number + 1;
      point[0] = (x + 0.5) * voxel - 1;
      point[1] = (y + 0.5) * voxel - 1;
      if (dims === 3) point[2] = (z + 0.5) * voxel - 1;
      found[i] = Math.min(found[i], solid.distance(point));
    }
  }));
  for (let i = 0; i < n; i++) if (found[i] < Infinity) values[i] = smoothUnion(values[i], found[i], fillet);
  return { ...box, corner: low, shape, values };
}

// Codes of bodies, each with its protrusions; new cells are those that the run drew when the page was made.
class PartsCodes extends Codes {
  constructor(data, arrays, field) {
    super(data, arrays, field);
    this.layout = unitLayout(data.model.dims);
    this.thick = bulgeLayout(data.model.dims);
    this.drawn = data.composed.rows.length - 1;
    const all = (n, of) => Array.from({ length: n }, (_, i) => this.numberOf(of.call(this, i)));
    this.mostFamilies = Math.max(1, ...all(this.n, this.learned), ...all(this.drawn, this.composed));
  }

  // The rows of thin and thick protrusions of a learned or drawn cell.
  rowsOf({ rows, bulges }, i, composed) {
    const of = (starts, width, name) => this.arrays[name].slice(starts[i] * width, starts[i + 1] * width);
    return { rows: of(rows, this.layout.width, composed ? "composedRows" : "rows"), bulges: of(bulges, this.thick.width, composed ? "composedBulges" : "bulges") };
  }

  learned(i) {
    return { code: this.codeOf(i), scale: null, parts: { ...this.rowsOf(this.data.learnedParts, i, false), scale: null, offset: null } };
  }

  composed(i) {
    const of = name => { const size = this.arrays[name].length / this.drawn; return this.arrays[name].slice(i * size, (i + 1) * size); };
    return { code: of("composedCodes"), scale: null, parts: { ...this.rowsOf(this.data.composed, i, true), scale: of("composedScales"), offset: of("composedOffsets") } };
  }

  mean() { return { ...super.mean(), parts: { ...this.joined([]), scale: null, offset: null } }; }

  // The cells that were drawn, in turn; then the body of one with the protrusions of another.
  draw(random, number) {
    if (number <= this.drawn) return this.composed(number - 1);
    const body = this.composed(pick(random, this.drawn)), { rows, bulges } = this.composed(pick(random, this.drawn)).parts;
    return this.withParts(body, { rows, bulges });
  }

  withParts(cell, parts) { return { ...cell, parts: { ...cell.parts, ...parts } }; }

  moved(cell, k, by) {
    if (k === "number") return this.withFamilies(cell, this.numberOf(cell) + Math.round(by));
    if (k === "length") return this.withParts(cell, this.longer(cell.parts, 2 ** by));
    return { ...super.moved(cell, k, by), parts: cell.parts };
  }

  // A cell between two: the protrusions of the first withdraw, and those of the second grow.
  between(a, b, share) {
    if (share === 0 || share === 1) return share ? b : a;
    const both = this.joined([this.longer(a.parts, 1 - share), this.longer(b.parts, share)]);
    return { ...super.between(a, b, share), parts: { ...both, scale: null, offset: null } };
  }

  nearest(cell) {
    const found = super.nearest(cell);
    return { ...found, of: this.learned(found.cell) };
  }

  coordinates(cell) { return { ...super.coordinates(cell), number: this.numberOf(cell), length: 0 }; }

  // As the file of a code has them.
  written({ rows, bulges, scale, offset }) {
    const { dims } = this.data.model, cut = (values, n) => Array.from({ length: values.length / n }, (_, i) => [...values.subarray(i * n, (i + 1) * n)]);
    return { protrusions: cut(rows, this.layout.width), ...(this.arrays.phases.length ? { bulges: cut(bulges, this.thick.width) } : {}),
      ...(scale ? { scale: [...scale], offset: cut(offset, dims) } : {}) };
  }

  // ---- rows of protrusions

  numberOf(cell) { return this.taken(cell.parts).length; }

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
    const rootOf = ({ rows, bulges }) => rows.length ? rows[this.layout.root] : bulges[this.thick.root];
    const own = this.shuffled(this.taken(cell.parts)), found = own.slice(0, n), known = new Set(own.map(rootOf));
    for (let i = 0; found.length < n && i < this.drawn; i++) {
      found.push(...this.taken(this.composed(i).parts).filter(family => !known.has(rootOf(family))).slice(0, n - found.length));
    }
    return this.withParts(cell, this.joined(found));
  }

  // Each protrusion on the body as rows of its own: a thin one with its branches, or a thick one.
  taken({ rows, bulges }) {
    const { width, parent } = this.layout, none = new Float32Array(0), wide = this.thick.width;
    const thin = this.familiesOf(rows).map(family => {
      const found = new Float32Array(family.length * width);
      family.forEach((row, i) => {
        found.set(rows.subarray(row * width, (row + 1) * width), i * width);
        const of = rows[row * width + parent];
        found[i * width + parent] = of < 0 ? -1 : family.indexOf(of);
      });
      return { rows: found, bulges: none };
    });
    return [...thin, ...Array.from({ length: bulges.length / wide }, (_, i) => ({ rows: none, bulges: bulges.slice(i * wide, (i + 1) * wide) }))];
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
    const { width, parent } = this.layout, together = name => {
      const found = new Float32Array(lists.reduce((sum, each) => sum + each[name].length, 0));
      lists.reduce((at, each) => (found.set(each[name], at), at + each[name].length), 0);
      return found;
    };
    const rows = together("rows");
    let at = 0;
    for (const each of lists) {
      for (let i = at + parent; i < at + each.rows.length; i += width) if (rows[i] >= 0) rows[i] += at / width;
      at += each.rows.length;
    }
    return { rows, bulges: together("bulges") };
  }

  // Thin protrusions so many times as long, and thick ones so many times as voluminous.
  longer({ rows, bulges }, factor) {
    const { width, length, at } = this.layout, { size, volume, moments } = this.thick, isVolume = place => place >= volume && place < moments;
    return { rows: rows.map((value, i) => i % width === length || i % width === at ? factor * value : value),
      bulges: bulges.map((value, i) => { const place = i % this.thick.width; return place === size ? Math.cbrt(factor) * value : isVolume(place) ? factor * value : value; }) };
  }
}
