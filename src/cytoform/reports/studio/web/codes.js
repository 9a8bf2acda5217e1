// Cells by their codes: along principal components, between learned cells, new ones, and the nearest learned cell.

// Random numbers of a seed (mulberry32).
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6D2B79F5 >>> 0;
    let value = Math.imul(state ^ state >>> 15, state | 1);
    value ^= value + Math.imul(value ^ value >>> 7, value | 61);
    return ((value ^ value >>> 14) >>> 0) / 4294967296;
  };
}

const normal = random => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const pick = (random, n) => Math.min(Math.floor(random() * n), n - 1);
const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;

class Codes {
  constructor(data, arrays, field) {
    Object.assign(this, { data, arrays, field });
    this.length = data.model.codeLength;
    this.n = data.cells.length;
    this.moments = arrays.scales ? arrays.scales.length / this.n : 0;
    this.logScales = this.moments ? Array.from({ length: this.n }, (_, i) => [...this.scaleOf(i)].map(Math.log)) : [];
    const means = this.logScales.map(mean);
    this.sizes = { means, mean: means.length ? mean(means) : 0, sigma: means.length ? deviation(means) : 0 };
  }

  codeOf(i) { return this.arrays.codes.slice(i * this.length, (i + 1) * this.length); }
  scaleOf(i) { return this.arrays.scales.slice(i * this.moments, (i + 1) * this.moments); }

  learned(i) { return { code: this.codeOf(i), scale: this.moments ? this.scaleOf(i) : null }; }

  // The mean code, at the mean size over time.
  mean() {
    const scale = Float32Array.from({ length: this.moments }, (_, moment) => Math.exp(mean(this.logScales.map(s => s[moment]))));
    return { code: Float32Array.from(this.arrays.centre), scale: this.moments ? scale : null };
  }

  // ---- principal components

  direction(k) { return this.arrays.directions.subarray(k * this.length, (k + 1) * this.length); }

  // Standard deviations from the mean along each component, and of the size.
  coordinates({ code, scale }) {
    const { sigmas } = this.data.components, found = sigmas.map((sigma, k) => {
      const direction = this.direction(k);
      let sum = 0;
      for (let i = 0; i < this.length; i++) sum += (code[i] - this.arrays.centre[i]) * direction[i];
      return sum / sigma;
    });
    const size = scale && this.sizes.sigma ? (mean([...scale].map(Math.log)) - this.sizes.mean) / this.sizes.sigma : 0;
    return { components: found, size };
  }

  // A cell moved by so many standard deviations along a component, or made larger.
  moved({ code, scale }, k, sigmas) {
    if (k === "size") return { code, scale: scale.map(value => value * Math.exp(sigmas * this.sizes.sigma)) };
    const direction = this.direction(k), step = sigmas * this.data.components.sigmas[k];
    return { code: code.map((value, i) => value + step * direction[i]), scale };
  }

  // A cell between two, as `cytoform interpolate` makes it.
  between(a, b, share) {
    if (share === 0 || share === 1) return share ? b : a;
    const code = a.code.map((value, i) => (1 - share) * value + share * b.code[i]);
    return { code, scale: a.scale && a.scale.map((value, i) => value ** (1 - share) * b.scale[i] ** share) };
  }

  // ---- new cells

  // A new cell, drawn as the prior `covariance` draws it.
  draw(random) {
    const code = new Float32Array(this.length), { codes } = this.arrays;
    this.data.prior.blocks.forEach(({ axes }, b) => {
      const entries = this.arrays["entries" + b], centre = this.arrays["centre" + b], weights = this.arrays["weights" + b];
      const deviates = Float64Array.from({ length: axes }, () => normal(random));
      const shares = Array.from({ length: this.n }, (_, i) => deviates.reduce((sum, e, k) => sum + e * weights[i * axes + k], 0));
      entries.forEach((entry, j) => {
        let sum = centre[j];
        for (let i = 0; i < this.n; i++) sum += shares[i] * (codes[i * this.length + entry] - centre[j]);
        code[entry] = sum;
      });
    });
    return { code, scale: this.moments ? this.drawScale(code, random) : null };
  }

  // The size of one learned cell, smoothed, with the growth of another (synthesis/sized.py).
  drawScale(code, random) {
    const { means, mean: centre, sigma } = this.sizes, { smoothing } = this.data.prior;
    const growing = pick(random, this.n), growth = this.logScales[growing].map(value => value - means[growing]);
    const drawn = means[pick(random, this.n)] - centre + smoothing * sigma * normal(random);
    const size = centre + drawn / Math.sqrt(1 + smoothing ** 2), dims = this.data.model.dims;
    return Float32Array.from(growth, (grown, moment) => {
      const time = this.moments > 1 ? -1 + 2 * moment / (this.moments - 1) : -1;
      const volume = Math.max(this.field.volume(code, time), 1e-2) / this.arrays.volumes[moment];
      return Math.exp(size + grown) / volume ** (1 / dims);
    });
  }

  // ---- the nearest learned cell

  // Its number, the distance between the codes, and the cell, of cells with mirror images that of the nearest one.
  nearest({ code }) {
    const kinds = this.field.symmetry ? 1 << this.data.model.dims : 1, kindOf = i => this.symmetryOf(i);
    let best = null;
    for (let cell = 0; cell < this.n; cell++) {
      const parts = new Float64Array(kinds);
      let lengths = 0;
      for (let i = 0, at = cell * this.length; i < this.length; i++, at++) {
        const other = this.arrays.codes[at];
        lengths += code[i] * code[i] + other * other;
        parts[kindOf(i)] += code[i] * other;
      }
      for (let mirror = 0; mirror < kinds; mirror++) {
        let squared = lengths;
        for (let kind = 0; kind < kinds; kind++) squared -= 2 * parts[kind] * (bitCount(kind & mirror) % 2 ? -1 : 1);
        if (!best || squared < best.squared - 1e-12) best = { cell, mirror, squared };
      }
    }
    const { cell, mirror, squared } = best, learned = this.learned(cell);
    const image = learned.code.map((value, i) => bitCount(kindOf(i) & mirror) % 2 ? -value : value);
    return { cell, mirrored: mirror > 0, distance: Math.sqrt(Math.max(squared, 0)), of: { code: image, scale: learned.scale } };
  }

  symmetryOf(i) { return this.field.symmetry ? this.field.symmetry[i % this.field.symmetry.length] : 0; }
}

function deviation(values) {
  const centre = mean(values);
  return Math.sqrt(mean(values.map(value => (value - centre) ** 2)));
}
