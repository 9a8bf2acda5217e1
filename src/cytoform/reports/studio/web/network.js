// The network with one code a cell: distances at points of Ω, in WebAssembly or in plain JavaScript.

const BLOCK = 16; // points that go through all layers together
const FREE = 8192; // bytes of memory before this are those of the kernel

// Weights of a uniform cubic B-spline with so many control points at a time in [-1, 1].
function knotWeights(time, knots) {
  if (knots === 1) return [1];
  const pieces = knots - 3, place = (time + 1) / 2 * pieces;
  const piece = Math.max(0, Math.min(pieces - 1, Math.floor(place))), u = place - piece;
  const values = [(1 - u) ** 3, 3 * u ** 3 - 6 * u ** 2 + 4, -3 * u ** 3 + 3 * u ** 2 + 3 * u + 1, u ** 3];
  const weights = new Float64Array(knots);
  values.forEach((value, i) => { weights[piece + i] = value / 6; });
  return weights;
}

class Network {
  constructor(header, arrays, kernel) {
    Object.assign(this, { header, arrays, kernel });
    this.width = Math.ceil(header.width / 4) * 4;
    this.rows = this.width + header.dims + 1;
    this.packed = this.packedWeights();
  }

  // Weights in the order of kernel.c; those of the bias are filled in for each frame.
  packedWeights() {
    const { width: units, dims, codes, omega } = this.header, { width } = this;
    const n = codes.length, packed = new Float32Array(width * (dims + 1) + (n - 1) * width * this.rows + width + 1);
    let start = 0;
    this.starts = codes.map((length, layer) => {
      const hidden = layer ? width : 0, known = layer ? units : 0, rows = hidden + dims + 1;
      const from = this.arrays["weight" + layer], across = known + dims + 1 + length, own = start;
      for (let unit = 0; unit < units; unit++) {
        const at = own + (unit >> 2) * 4 * rows + (unit & 3);
        for (let i = 0; i < known; i++) packed[at + 4 * i] = omega * from[unit * across + i];
        for (let axis = 0; axis < dims; axis++) packed[at + 4 * (hidden + axis)] = omega * from[unit * across + known + axis];
      }
      start += width * rows;
      return own;
    });
    packed.set(this.arrays.output, start);
    packed[start + width] = this.arrays.offset[0];
    return packed;
  }

  // The distance of a cell at a time: a function of x of all points, then y, then z, and of their number.
  frame(cell, time) {
    const { width: units, dims, codes, omega, knots } = this.header, { packed, arrays } = this;
    const weights = knotWeights(time, knots), size = cell.code.length / knots, code = new Float64Array(size);
    for (let knot = 0; knot < knots; knot++) {
      if (weights[knot]) for (let i = 0; i < size; i++) code[i] += weights[knot] * cell.code[knot * size + i];
    }
    codes.forEach((length, layer) => {
      const known = layer ? units : 0, rows = (layer ? this.width : 0) + dims + 1, across = known + dims + 1 + length;
      const from = arrays["weight" + layer], bias = arrays["bias" + layer];
      for (let unit = 0; unit < units; unit++) {
        const first = unit * across + known + dims;
        let sum = bias[unit] + time * from[first];
        for (let i = 0; i < length; i++) sum += code[i] * from[first + 1 + i];
        packed[this.starts[layer] + (unit >> 2) * 4 * rows + (unit & 3) + 4 * (rows - 1)] = omega * sum;
      }
    });
    const run = this.kernel ? this.prepared() : null;
    return { bounds: this.header.bounds, scale: 1, distances: (points, n) => run ? run(points, n) : this.plain(points, n) };
  }

  // ---- WebAssembly

  prepared() {
    const { packed } = this, layers = this.starts.length, { dims, sine } = this.header;
    const scratch = 2 * BLOCK * this.rows;
    return (points, n) => {
      const most = Math.ceil(n / BLOCK) * BLOCK, { memory, evaluate } = this.kernel;
      const places = { weights: FREE, scratch: align(FREE + 4 * packed.length) };
      places.points = align(places.scratch + 4 * scratch);
      places.out = align(places.points + 4 * dims * most);
      const missing = places.out + 4 * most - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / 65536));
      new Float32Array(memory.buffer, places.weights, packed.length).set(packed);
      const there = new Float32Array(memory.buffer, places.points, dims * most);
      for (let axis = 0; axis < dims; axis++) there.set(points.subarray(axis * n, (axis + 1) * n), axis * most);
      evaluate(places.weights, layers, this.width, dims, places.points, most, places.out, places.scratch, sine ? 1 : 0);
      return new Float32Array(memory.buffer, places.out, n).slice();
    };
  }

  // ---- plain JavaScript

  plain(points, n) {
    const { dims } = this.header, { width, rows, packed } = this, out = new Float32Array(n);
    let source = new Float32Array(rows * BLOCK), target = new Float32Array(rows * BLOCK);
    const last = packed.length - width - 1;
    for (let first = 0; first < n; first += BLOCK) {
      const here = Math.min(BLOCK, n - first);
      for (const buffer of [source, target]) {
        for (let axis = 0; axis < dims; axis++) {
          for (let at = 0; at < here; at++) buffer[(width + axis) * BLOCK + at] = points[axis * n + first + at];
        }
        buffer.fill(1, (rows - 1) * BLOCK);
      }
      this.starts.forEach((start, layer) => {
        if (layer) [source, target] = [target, source];
        this.layer(start, source, target, layer ? 0 : width);
      });
      for (let at = 0; at < here; at++) {
        let sum = packed[last + width];
        for (let unit = 0; unit < width; unit++) sum += packed[last + unit] * target[unit * BLOCK + at];
        out[first + at] = sum;
      }
    }
    return out;
  }

  layer(start, source, target, firstRow) {
    const { packed, rows, width, header: { sine } } = this, sums = new Float64Array(4 * BLOCK);
    let weight = start;
    for (let unit = 0; unit < width; unit += 4) {
      sums.fill(0);
      for (let row = firstRow; row < rows; row++, weight += 4) {
        const a = packed[weight], b = packed[weight + 1], c = packed[weight + 2], d = packed[weight + 3];
        for (let at = 0, from = row * BLOCK; at < BLOCK; at++) {
          const value = source[from + at];
          sums[at] += a * value;
          sums[BLOCK + at] += b * value;
          sums[2 * BLOCK + at] += c * value;
          sums[3 * BLOCK + at] += d * value;
        }
      }
      for (let i = 0; i < 4 * BLOCK; i++) target[unit * BLOCK + i] = sine ? Math.sin(sums[i]) : Math.max(sums[i], 0);
    }
  }
}

const align = place => Math.ceil(place / 16) * 16;

// The compiled kernel; null where the browser has no WebAssembly with SIMD, or the page asks for none.
async function kernelOf(base64) {
  if (!base64 || !globalThis.WebAssembly) return null;
  try {
    const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
    return (await WebAssembly.instantiate(bytes)).instance.exports;
  } catch {
    return null;
  }
}
