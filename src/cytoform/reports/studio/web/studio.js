// The studio: a cell whose code the reader moves, the learned cell nearest to it, its figures, and files of it.

const DETAILS = [32, 48, 64, 96, 128, 160], PLATE = 3; // voxels along a side
const SETTLED_MS = 250, RANGE = 3; // RANGE: standard deviations of a slider to either side
const BINS = 24, PLOT = { width: 240, height: 44 };
// Size, extent and roundness, as in assess/measures.
const FIGURES_OF = {
  3: ({ size, extent }) => [size, extent, extent ** 1.5 / (6 * Math.sqrt(Math.PI) * size)],
  2: ({ size, extent }) => [size, extent, 4 * Math.PI * size / extent ** 2],
};

const short = value => Number.isFinite(value) ? +value.toPrecision(3) + "" : "–";

class CellStudio extends HTMLElement {
  connectedCallback() {
    this.ready ||= this.start();
  }

  async start() {
    this.data = JSON.parse(this.querySelector("script").textContent);
    const { buffer } = await inflate(this.data.packed), arrays = {};
    for (const [name, from, n, whole] of this.data.arrays) arrays[name] = new (whole ? Int8Array : Float32Array)(buffer, from, n);
    const { model } = this.data;
    this.kernel = model.kind === "linear" ? null : await kernelOf(this.data.kernel);
    const whole = new { global: Network, linear: LinearGrid, refined: RefinedGrid }[model.kind](model, arrays, this.kernel);
    this.field = this.data.composed ? new PartsField(whole, model, arrays) : whole;
    this.codecs = await videoCodecs();
    this.codes = new (this.data.composed ? PartsCodes : Codes)(this.data, arrays, this.field);
    this.detail = this.chosen = model.kind !== "linear" && !this.kernel ? 32 : this.data.grid;
    this.drawnCells = 0;
    this.figures = new Map();
    this.build();
    if (this.data.composed) this.random();
    else this.mean();
  }

  // ---- cells

  // The surface of a cell at a frame, in µm around the centre, with its figures; null for an empty one.
  surface(cell, frame, detail = this.detail) {
    const { dims, halfExtent } = this.data.model, { frames } = this.data, band = 2 / detail;
    const time = frames > 1 ? -1 + 2 * frame / (frames - 1) : -1;
    const made = this.field.frame(cell, time), spacing = band * halfExtent;
    let box = search({ ...made, distances: made.body || made.distances }, detail, Math.max(band, made.fillet || 0), dims);
    if (made.solids) box = withSolids(box, made, detail, band, dims);
    if (dims === 3) {
      const found = surfaceOf(box, detail, spacing, band);
      return found && { ...found, ...measured(found) };
    }
    const found = surfaceOf(plate(box, detail, PLATE), detail, spacing, band);
    return found && { ...found, ...measured(surfaceOf(plate(box, detail, PLATE), detail, spacing, band, 0), (PLATE - 1) * spacing) };
  }

  // The same for the graphics card.
  vertices(cell, frame, detail) {
    const began = performance.now(), found = this.surface(cell, frame, detail);
    if (!found) return null;
    const { points, faces } = found, n = points.length / 3, vertices = new Float32Array(9 * n);
    const normals = normalsOf(points, faces), hollows = hollowsOf(points, normals, faces);
    for (let i = 0; i < n; i++) {
      for (let axis = 0; axis < 3; axis++) {
        vertices[9 * i + axis] = points[3 * i + axis];
        vertices[9 * i + 3 + axis] = normals[3 * i + axis];
      }
      vertices[9 * i + 6] = hollows[i];
    }
    return { vertices, faces, size: found.size, extent: found.extent, took: performance.now() - began };
  }

  // Show another cell; `live` while a slider moves, `keep` the sliders as they are, `finer`: the detail has changed.
  show(cell, label, { live = false, keep = false, finer = false } = {}) {
    this.cell = cell;
    this.detail = live ? Math.min(this.data.live, this.chosen) : this.chosen;
    if (label) this.label = label;
    if (!keep) this.setSliders();
    const nearest = this.codes.nearest(cell);
    const same = this.nearest && nearest.cell === this.nearest.cell && nearest.mirrored === this.nearest.mirrored;
    this.nearest = nearest;
    this.renamed();
    this.figures.clear();
    this.clear(0);
    if (!same || finer) this.clear(1);
    clearTimeout(this.settling);
    if (live) this.settling = setTimeout(() => this.show(this.cell, "", { keep: true }), SETTLED_MS);
    this.player.redraw();
  }

  get draws() { return Boolean(this.data.prior || this.data.composed); }

  clear(actor) {
    for (const model of this.player.models[actor].values()) if (model) Stage.shared?.remove(model);
    this.player.models[actor].clear();
  }

  random() {
    const number = ++this.drawnCells;
    this.show(this.codes.draw(randomOf(number), number), "New cell " + number);
  }

  mean() {
    this.show(this.codes.mean(), this.data.composed ? "Mean body, without protrusions" : "Mean of the learned codes");
  }

  // Move the cell that was shown last by the differences of the sliders.
  slid(live) {
    let cell = this.origin.cell;
    for (const { key, input, start } of this.sliders) {
      const step = +input.value - start;
      if (step) cell = this.codes.moved(cell, key, step);
    }
    this.show(cell, "Cell by sliders", { live, keep: true });
    this.said();
  }

  walk(live) {
    const [from, to] = [this.from, this.to].map(select => +select.value), share = +this.way.value;
    const cell = this.codes.between(this.codes.learned(from), this.codes.learned(to), share);
    const names = this.data.cells;
    const label = share === 0 ? names[from] : share === 1 ? names[to] : `${names[from]} to ${names[to]}, ${Math.round(100 * share)} %`;
    this.show(cell, label, { live });
  }

  // ---- the page

  build() {
    const { data } = this;
    this.sliders = [];
    this.status = element("p", { className: "status", role: "status" });
    this.player = this.newPlayer();
    this.panel = element("div", { className: "panel" }, this.cellTools(), this.sliderBox(), ...(data.composed ? [this.protrusionBox()] : []), this.pathBox(), this.fileBox());
    this.left = element("div", { className: "view" }, this.player, this.figureBox(),
      this.nearText = element("p", { className: "near" }), this.status);
    this.querySelector(".fallback")?.remove();
    this.append(this.left, this.panel);
    document.addEventListener("keydown", event => this.key(event));
    const engine = data.model.kind === "linear" ? "" : this.kernel ? "The network runs in WebAssembly. "
      : "This browser has no WebAssembly with SIMD: the network runs in plain JavaScript, more than ten times slower. ";
    this.engine.textContent = engine;
  }

  newPlayer() {
    const { data } = this, player = document.createElement("cell-player");
    const actor = (label, colour) => ({ label, colour, frames: data.frames, errors: false, paint: false });
    const scene = { name: data.name, halfExtent: data.model.halfExtent, radius: data.radius, frames: data.frames, stride: 1,
      timeStep: data.timeStep, view: data.view, actors: [actor("Cell", data.colours[0]), actor("Nearest", data.colours[1])] };
    player.append(element("script", { type: "application/json", textContent: JSON.stringify(scene) }));
    player.setAttribute("role", "region");
    player.setAttribute("aria-label", data.name);
    const cells = [() => this.cell, () => this.nearest.of];
    player.ready = async () => {
      player.loaded = cells.map((cell, i) => ({ surface: frame => this.kept(i, frame, this.vertices(cell(), frame, i ? this.chosen : this.detail)) }));
    };
    const draw = player.draw;
    player.draw = () => {
      draw.call(player);
      this.showFigures();
    };
    return player;
  }

  // Keep the figures of a frame beside its surface.
  kept(actor, frame, found) {
    if (!actor) this.figures.set(frame, found);
    return found;
  }

  showFigures() {
    const frame = this.player.time;
    if (!this.figures.has(frame)) this.kept(0, frame, this.vertices(this.cell, frame, this.detail));
    const found = this.figures.get(frame), values = found ? FIGURES_OF[this.data.model.dims](found) : [0, 0, NaN];
    this.plots.forEach((plot, i) => plot(values[i]));
    if (found) this.speed.textContent = `${Math.round(found.took)} ms for the last surface, ${this.detail}${this.data.model.dims === 3 ? "³" : "²"} points.`;
  }

  renamed() {
    const { cell, mirrored, distance } = this.nearest, name = this.data.cells[cell];
    const labels = [this.label, "Nearest learned: " + name + (mirrored ? ", mirrored" : "")];
    this.player.views.forEach((view, i) => {
      view.actor.label = labels[i];
      view.box.querySelector("figcaption").lastChild.textContent = labels[i];
    });
    const typical = this.data.apart === null ? "" : ` Learned cells lie ${short(this.data.apart)} from their nearest neighbour (median).`;
    this.nearText.textContent = distance < 1e-6 ? `This is the ${this.data.composed ? "body of the " : ""}learned cell ${name}.`
      : `Nearest learned cell: ${name}${mirrored ? ", mirrored" : ""}; distance between the codes ${short(distance)}.${typical}`;
  }

  group(title, ...children) {
    return element("fieldset", {}, element("legend", { textContent: title }), ...children);
  }

  button(text, act, title = "") {
    return element("button", { type: "button", textContent: text, title, onclick: act });
  }

  cellTools() {
    const learned = this.cellSelect("Show a learned cell", "A learned cell …");
    learned.onchange = () => {
      if (learned.value !== "") this.show(this.codes.learned(+learned.value), this.data.cells[+learned.value]);
      learned.value = "";
    };
    const random = this.button("New random cell", () => this.random(), "Key R");
    random.disabled = !this.draws;
    const why = this.data.composed ? `The first ${this.codes.drawn} were drawn by the prior ${this.data.composed.prior} when this page was made. `
        + "Each later one has the body of one of these and the protrusions of another."
      : this.draws ? "Drawn from the normal distribution of the learned codes (prior covariance)." : "Too few learned cells for a distribution of new ones.";
    return this.group("Cell", element("div", { className: "row" }, random, this.button(this.data.composed ? "Mean body" : "Mean cell", () => this.mean(), "Key M"), learned),
      element("p", { textContent: why }));
  }

  cellSelect(label, first) {
    const options = this.data.cells.map((name, i) => element("option", { value: i, textContent: name }));
    return element("select", { aria: { label } }, ...(first ? [element("option", { value: "", textContent: first })] : []), ...options);
  }

  // A slider with its name and value; `act` gets whether the hand is still on it.
  slider(name, { min, max, step, value, text }, act) {
    const output = element("output", { textContent: text(value) });
    const input = element("input", { type: "range", min, max, step, value });
    const say = () => { output.textContent = text(+input.value); input.setAttribute("aria-valuetext", output.textContent); };
    input.oninput = () => { say(); act(true); };
    input.onchange = () => act(false);
    return { input, say, row: element("label", { className: "slider" }, element("span", { textContent: name }), input, output) };
  }

  sliderBox() {
    const { sigmas, shares } = this.data.components, signed = value => (value > 0 ? "+" : "") + value.toFixed(1) + " σ";
    const keys = [...(this.codes.moments && this.codes.sizes.sigma > 1e-6 ? ["size"] : []), ...sigmas.keys()];
    const rows = keys.map(key => {
      const name = key === "size" ? "Size" : `Component ${key + 1} · ${Math.round(100 * shares[key])} %`;
      const made = this.slider(name, { min: -RANGE, max: RANGE, step: 0.05, value: 0, text: signed }, live => this.slid(live));
      this.sliders.push({ key, ...made, start: 0 });
      return made.row;
    });
    return this.group(this.data.composed ? "Shape of the body" : "Shape", ...rows, element("p", { textContent: rows.length
      ? "Principal components of the learned codes with their shares of the variance; 1 σ is one standard deviation."
      : "There is one learned cell, so nothing to vary." }));
  }

  // Number and length of the protrusions of bodies.
  protrusionBox() {
    const made = { number: this.slider("Number", { min: 0, max: Math.ceil(1.5 * this.codes.mostFamilies), step: 1, value: 0, text: n => n + "" }, live => this.slid(live)),
      length: this.slider("Length", { min: -2, max: 1, step: 0.05, value: 0, text: by => "× " + (2 ** by).toFixed(2) }, live => this.slid(live)) };
    for (const [key, slider] of Object.entries(made)) this.sliders.push({ key, ...slider, start: 0 });
    return this.group("Protrusions", made.number.row, made.length.row, element("p", { textContent: "Counted over the whole movie, with branches as one. Thick ones count too, and have so many times the volume. Fewer: some of its own, by chance. "
      + "More: some of other new cells. Protrusions stand on the surface of whichever body is shown; the cell is not centred anew." }));
  }

  setSliders() {
    const { components, ...others } = this.codes.coordinates(this.cell);
    this.origin = { cell: this.cell };
    for (const slider of this.sliders) {
      slider.input.value = slider.key in others ? others[slider.key] : components[slider.key];
      slider.start = +slider.input.value;
      slider.say();
    }
  }

  said() {
    for (const slider of this.sliders) slider.say();
  }

  pathBox() {
    [this.from, this.to] = ["From", "To"].map(label => this.cellSelect(label));
    if (this.data.cells.length > 1) this.to.value = 1;
    const made = this.slider("Way", { min: 0, max: 1, step: 0.01, value: 0, text: share => Math.round(100 * share) + " %" }, live => this.walk(live));
    this.way = made.input;
    for (const select of [this.from, this.to]) select.onchange = () => this.walk(false);
    const box = this.group("Between two learned cells", element("div", { className: "row" }, this.from, this.to), made.row,
      ...(this.data.composed ? [element("p", { textContent: "Protrusions of the first withdraw on the way, and the second's grow." })] : []));
    box.hidden = this.data.cells.length < 2;
    return box;
  }

  figureBox() {
    const plots = this.data.measures.map(measure => plotOf(measure));
    this.plots = plots.map(({ update }) => update);
    return this.group("Figures at this time", element("div", { className: "figures" }, ...plots.map(({ box }) => box)),
      element("p", { textContent: "Bars: the learned cells at " + this.data.times + " times each." }));
  }

  fileBox() {
    this.details = element("select", { aria: { label: "Points along a side of the cube" }, onchange: () => {
      this.chosen = +this.details.value;
      this.show(this.cell, "", { keep: true, finer: true });
    } }, ...DETAILS.map(n => element("option", { value: n, textContent: n + " points a side", selected: n === this.chosen })));
    const solid = this.data.model.dims === 3 ? [this.button("Mesh, STL", () => this.saveMesh(stlOf, "stl")), this.button("Mesh, PLY", () => this.saveMesh(plyOf, "ply")),
      this.button("Mesh, GLB", () => this.saveMesh(found => glbOf(found, { name: this.label, colour: this.data.colours[0] }), "glb")),
      this.button("All times, PLY in ZIP", () => this.saveSequence())] : [];
    this.speed = element("span", { className: "took" });
    this.engine = element("span");
    return this.group("Files and detail", element("div", { className: "row" }, ...solid, ...this.videoButton(), this.button("Code, JSON", () => this.saveCode()), this.details),
      ...(this.filming?.disabled ? [element("p", { textContent: "No video: this browser cannot write one." })] : []),
      element("p", { textContent: "A code becomes a shape store again by 'cytoform generate RUN --code FILE --out NAME.zarr'." }), element("p", {}, this.engine, this.speed));
  }

  // Of a movie: a button that is disabled where the browser writes no video.
  videoButton() {
    if (this.data.frames === 1) return [];
    this.filming = this.button("Video" + (this.codecs.length ? ", " + this.codecs[0].container : ""), () => this.saveVideo());
    this.filming.disabled = !this.codecs.length || !Stage.shared;
    return [this.filming];
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea")) return;
    const actions = { r: () => this.draws && this.random(), m: () => this.mean() };
    actions[event.key.toLowerCase()]?.();
  }

  // ---- files

  // As in other files of cytoform, from the corner of the cube.
  exported(frame) {
    const found = this.surface(this.cell, frame, this.chosen);
    return found && { points: found.points.map(value => value + this.data.model.halfExtent), faces: found.faces };
  }

  get fileName() { return this.label.normalize("NFKD").replace(/[^\w.-]+/g, "_").slice(0, 60) || "cell"; }

  saveMesh(write, ending) {
    const found = this.exported(this.player.time);
    this.status.textContent = found ? "" : "The cell is empty at this time: there is no surface to save.";
    if (found) save(write(found), `${this.fileName}_${String(this.player.time).padStart(4, "0")}.${ending}`);
  }

  async saveSequence() {
    save(await this.sequence(), this.fileName + ".zip");
  }

  // All times as numbered files in an archive; times without a surface are left out.
  async sequence() {
    const files = [], { frames } = this.data;
    for (let frame = 0; frame < frames; frame++) {
      const found = this.exported(frame);
      if (found) files.push({ name: `${String(frame).padStart(4, "0")}.ply`, bytes: plyOf(found) });
      this.status.textContent = `Surface ${frame + 1} of ${frames}`;
      await new Promise(go => setTimeout(go));
    }
    this.status.textContent = `${files.length} surfaces` + (files.length < frames ? `; ${frames - files.length} times are empty` : "");
    return zipOf(files);
  }

  async saveVideo() {
    const name = this.fileName;
    this.filming.disabled = true;
    try {
      const { bytes, container } = await this.video();
      save(bytes, `${name}.${container.toLowerCase()}`);
      this.status.textContent = `Video of ${this.data.frames} frames, ${container}`;
    } catch (fault) {
      this.status.textContent = "The browser could not write the video: " + fault.message;
    } finally {
      this.filming.disabled = false;
    }
  }

  // The cell that is shown, at the chosen speed, by the first codec that works.
  async video() {
    const { frames } = this.data, { player, label, cell } = this, actor = { label, colour: this.data.colours[0] };
    const draw = (paper, frame) => {
      this.status.textContent = `Picture ${frame + 1} of ${frames}`;
      drawPicture(paper, player, this.vertices(cell, frame, this.chosen), actor, frame);
    };
    let fault;
    for (const codec of this.codecs) {
      try {
        return { bytes: await videoOf(frames, 1000 / FRAMES_A_SECOND / +player.speed.value, codec, draw), container: codec.container };
      } catch (found) {
        fault = found; // a browser may promise more than it can
      }
    }
    throw fault;
  }

  get json() {
    const { code, scale, parts } = this.cell;
    return JSON.stringify({ format: "cytoform code", run: this.data.run, weights_sha256: this.data.weights, name: this.label,
      code: [...code], ...(scale ? { scale: [...scale] } : {}), ...(parts ? this.codes.written(parts) : {}) });
  }

  saveCode() {
    save(this.json + "\n", this.fileName + ".json");
  }
}

// A histogram of the learned cells with a mark for a value: its box, and a function that moves the mark.
function plotOf({ title, unit, values, meaning }) {
  const { width, height } = PLOT, known = values.filter(Number.isFinite);
  const low = Math.min(...known), high = Math.max(...known), room = 0.25 * (high - low) || 0.25 * Math.abs(high) || 1;
  const x = value => width * (value - low + room) / (high - low + 2 * room), counts = new Array(BINS).fill(0);
  for (const value of known) counts[Math.min(Math.floor(x(value) / width * BINS), BINS - 1)]++;
  const most = Math.max(...counts, 1), bars = counts.map((count, i) =>
    `<rect class="bar" x="${i * width / BINS + 0.5}" width="${width / BINS - 1}" y="${height * (1 - count / most)}" height="${height * count / most}"/>`);
  const plot = element("div", { className: "plot", innerHTML: `<svg viewBox="0 -8 ${width} ${height + 9}" aria-hidden="true" focusable="false">`
    + `${bars.join("")}<path class="axis" d="M0 ${height}H${width}"/><path class="mark"/></svg>` }); // numbers only
  const mark = plot.querySelector(".mark");
  const output = element("output"), note = element("small");
  const update = value => {
    output.textContent = short(value) + (unit ? " " + unit : "");
    const at = Number.isFinite(value) && known.length ? Math.max(3, Math.min(width - 3, x(value))) : -20;
    mark.setAttribute("d", `M${at} ${height}V0m-5 -7h10l-5 7z`);
    const below = known.filter(each => each < value).length;
    note.textContent = !known.length || !Number.isFinite(value) ? "" : value < low ? `below all learned (from ${short(low)})` : value > high ? `above all learned (to ${short(high)})`
      : `above ${Math.round(100 * below / known.length)} % of the learned`;
  };
  return { update, box: element("div", { className: "figure", title: meaning }, element("div", { className: "value" }, element("b", { textContent: title }), output, note), plot) };
}

Object.assign(CellStudio, { randomOf, search }); // for tests
customElements.define("cell-studio", CellStudio);
