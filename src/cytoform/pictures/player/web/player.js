// <cell-player>: cells side by side under one camera and one clock. Its data is the JSON inside it.

const START = { azimuth: -60, elevation: 25, zoom: 1 };
const ZOOMS = [0.5, 12], FRAMES_A_SECOND = 6;
// From inside the reference to outside; distinguishable with colour blindness, and the middle also in grey.
const ERROR_RAMP = [[0.05, 0.28, 0.55], [0.40, 0.66, 0.84], [0.95, 0.94, 0.92], [0.93, 0.62, 0.30], [0.62, 0.28, 0.02]];
const HELP = "Drag or arrow keys turn, + and - zoom, 0 resets; space plays, comma and full stop step; E shows errors, P protrusions.";
const PLAIN = 0, BY_ERROR = 1, BY_PROTRUSION = 2; // modes of the colours

function element(tag, { aria = {}, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(aria)) made.setAttribute("aria-" + name, value);
  made.append(...children);
  return made;
}

// Resolves when the browser is idle; Safari lacks requestIdleCallback.
const idle = () => new Promise(go => window.requestIdleCallback ? requestIdleCallback(go, { timeout: 1000 }) : setTimeout(go, 50));
const rgb = colour => "rgb(" + colour.map(channel => Math.round(255 * channel)).join(" ") + ")";

class CellPlayer extends HTMLElement {
  connectedCallback() {
    if (this.scene) return;
    this.scene = JSON.parse(this.querySelector("script").textContent);
    this.camera = { ...START, ...this.scene.view };
    this.time = 0;
    const has = kind => this.scene.actors.some(actor => actor[kind]);
    this.modes = [...(has("errors") ? [BY_ERROR] : []), ...(has("paint") ? [BY_PROTRUSION] : [])];
    this.mode = this.modes[0] || PLAIN;
    this.playing = false;
    this.visible = false;
    this.models = this.scene.actors.map(() => new Map()); // by frame; null for an empty frame
    this.build();
    // A busy page reports several changes at once; the last one is current.
    new IntersectionObserver(changes => this.show(changes.at(-1).isIntersecting), { rootMargin: "200px" }).observe(this);
    new ResizeObserver(() => this.redraw()).observe(this.stage);
    CellPlayer.queue = (CellPlayer.queue || Promise.resolve()).then(idle).then(() => this.ready()); // one after the other
  }

  // Inflate the data once; surfaces are decoded when first drawn.
  ready() {
    this.sequences ||= Promise.all(
      this.scene.actors.map(async actor => new Sequence(await inflate(actor.data), actor, this.scene))
    ).then(sequences => {
      this.loaded = sequences;
      for (const actor of this.scene.actors) delete actor.data;
      this.querySelector("script")?.remove();
    });
    return this.sequences;
  }

  // ---- the page

  build() {
    const { actors, frames } = this.scene;
    this.views = actors.map(actor => this.view(actor));
    this.stage = element("div", { className: "stage", tabIndex: 0, role: "group", title: HELP,
      aria: { label: this.scene.name + ", 3D view. " + HELP } }, ...this.views.map(view => view.box));
    this.stage.style.setProperty("--actors", actors.length);
    this.playButton = element("button", { type: "button", className: "play", onclick: () => this.play(!this.playing) });
    this.slider = element("input", { type: "range", min: 0, max: frames - 1, step: 1, value: 0, aria: { label: "Time" },
      oninput: () => { this.play(false); this.seek(+this.slider.value); } });
    this.clock = element("output", { className: "clock", aria: { live: "off" } });
    this.speed = element("select", { aria: { label: "Speed" } },
      ...[0.25, 0.5, 1, 2, 4].map(times => element("option", { value: times, textContent: times + "×", selected: times === 1 })));
    const bar = element("div", { className: "bar" }, this.playButton, this.slider, this.clock);
    if (frames === 1) for (const part of [this.playButton, this.slider, this.speed]) part.hidden = true;
    const tools = element("div", { className: "bar" }, this.speed,
      element("button", { type: "button", textContent: "Reset view", onclick: () => this.reset() }));
    tools.append(...this.colourTools());
    this.append(this.stage, bar, tools);
    this.querySelector(".fallback")?.remove();
    if (!Stage.shared) this.prepend(element("p", { className: "fallback", textContent: "The 3D view needs WebGL 2, which this browser does not offer." }));
    this.listen();
    this.play(false);
    this.seek(0);
  }

  view(actor) {
    const canvas = element("canvas", { role: "img" });
    const empty = element("span", { className: "empty", textContent: "empty frame", hidden: true });
    const scale = element("span", { className: "scale" });
    const dot = element("i", { className: "dot" });
    dot.style.background = rgb(actor.colour);
    const label = element("figcaption", {}, dot, actor.label);
    return { actor, canvas, empty, scale, box: element("figure", {}, label, canvas, empty, scale) };
  }

  // A button for each way to colour, and the key of errors.
  colourTools() {
    this.buttons = this.modes.map(mode => element("button", { type: "button",
      textContent: mode === BY_ERROR ? "Colour by error" : "Colour by protrusion", onclick: () => this.colour(mode),
      aria: { pressed: mode === this.mode } }));
    return this.modes.includes(BY_ERROR) ? [...this.buttons, this.errorLegend()] : this.buttons;
  }

  errorLegend() {
    const stops = ERROR_RAMP.map(rgb).join(", "), most = this.scene.largestError;
    const ramp = element("span", { className: "ramp" });
    ramp.style.background = "linear-gradient(to right, " + stops + ")";
    return element("span", { className: "legend", title: "Signed distance to the reference surface" },
      "inside −" + most + " µm", ramp, "+" + most + " µm outside");
  }

  listen() {
    const { stage } = this, pointers = new Map();
    const spread = () => { const [a, b] = [...pointers.values()]; return Math.hypot(a.x - b.x, a.y - b.y); };
    stage.addEventListener("pointerdown", event => {
      stage.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    stage.addEventListener("pointermove", event => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      const before = pointers.size === 2 ? spread() : 0, dx = event.clientX - last.x, dy = event.clientY - last.y;
      Object.assign(last, { x: event.clientX, y: event.clientY });
      if (pointers.size === 2) this.zoom(spread() / (before || 1));
      else this.turn(-0.5 * dx, 0.5 * dy);
    });
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, event => pointers.delete(event.pointerId));
    stage.addEventListener("wheel", event => {
      if (!event.ctrlKey && document.activeElement !== stage) return; // the page scrolls until the view was clicked
      event.preventDefault();
      this.zoom(Math.exp(-0.002 * event.deltaY));
    }, { passive: false });
    stage.addEventListener("keydown", event => this.key(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 2 : 10;
    const actions = {
      ArrowLeft: () => this.turn(step, 0), ArrowRight: () => this.turn(-step, 0),
      ArrowUp: () => this.turn(0, step), ArrowDown: () => this.turn(0, -step),
      "+": () => this.zoom(1.2), "=": () => this.zoom(1.2), "-": () => this.zoom(1 / 1.2), "0": () => this.reset(),
      " ": () => this.play(!this.playing), ",": () => this.step(-1), ".": () => this.step(1),
      e: () => this.colour(BY_ERROR), p: () => this.colour(BY_PROTRUSION),
    };
    const action = actions[event.key] || actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  }

  // ---- what a user can do

  turn(azimuth, elevation) {
    this.camera.azimuth += azimuth;
    this.camera.elevation = Math.max(-90, Math.min(90, this.camera.elevation + elevation));
    this.redraw();
  }

  zoom(factor) {
    this.camera.zoom = Math.max(ZOOMS[0], Math.min(ZOOMS[1], this.camera.zoom * factor));
    this.redraw();
  }

  reset() {
    this.camera = { ...START, ...this.scene.view };
    this.redraw();
  }

  // Turn a mode on, or off again.
  colour(mode) {
    if (!this.modes.includes(mode)) return;
    this.mode = this.mode === mode ? PLAIN : mode;
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", this.modes[i] === this.mode));
    this.redraw();
  }

  step(frames) {
    this.play(false);
    this.seek((this.time + frames + this.scene.frames) % this.scene.frames);
  }

  seek(time) {
    this.time = time;
    this.slider.value = time;
    this.clock.textContent = this.when();
    this.slider.setAttribute("aria-valuetext", this.clock.textContent);
    this.redraw();
  }

  play(playing) {
    this.playing = playing && this.scene.frames > 1;
    this.playButton.textContent = this.playing ? "❚❚" : "▶";
    this.playButton.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    if (this.playing) this.tick(performance.now(), 0);
  }

  tick(now, waited) {
    if (!this.playing) return;
    const step = 1000 / FRAMES_A_SECOND / +this.speed.value;
    requestAnimationFrame(later => {
      const due = waited + Math.min(later - now, step); // no hurry after a pause
      if (this.playing && this.visible && due >= step) this.seek((this.time + 1) % this.scene.frames);
      this.tick(later, due >= step ? due - step : due);
    });
  }

  // ---- drawing

  when(time = this.time) {
    const { frames, stride, timeStep } = this.scene, total = (frames - 1) * stride + 1;
    const frame = "frame " + (time * stride + 1) + " of " + total;
    if (timeStep === null) return frame;
    const seconds = time * stride * timeStep;
    if (seconds >= 3600) return Math.floor(seconds / 3600) + " h " + Math.floor(seconds % 3600 / 60) + " min · " + frame;
    if (seconds >= 60) return Math.floor(seconds / 60) + " min " + +(seconds % 60).toFixed(1) + " s · " + frame;
    return +seconds.toFixed(2) + " s · " + frame;
  }

  show(visible) {
    this.visible = visible;
    if (visible) this.ready().then(() => this.redraw());
    else this.forget();
  }

  // Free memory of the graphics card; canvases keep their pictures, and visible surfaces are uploaded again.
  forget() {
    for (const models of this.models) {
      for (const model of models.values()) if (model) Stage.shared.remove(model);
      models.clear();
    }
    this.redraw();
  }

  // Draw before the next screen refresh, once for all changes until then.
  redraw() {
    if (this.waiting || !this.visible) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      if (this.visible) this.draw();
    });
  }

  draw() {
    if (!this.loaded || !Stage.shared) return;
    this.views.forEach((view, index) => this.drawActor(view, index));
  }

  drawActor({ actor, canvas, empty, scale }, index) {
    const width = canvas.clientWidth || 320, height = canvas.clientHeight || 320;
    const density = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const frame = Math.round(this.time / Math.max(this.scene.frames - 1, 1) * (actor.frames - 1));
    const model = this.model(index, frame);
    const radius = this.scene.radius / this.camera.zoom;
    Stage.shared.draw(model, canvas, { axes: axesOf(this.camera), radius, depth: 2 * this.scene.radius, colour: actor.colour,
      mode: this.modeOf(actor), palette: this.scene.palette });
    empty.hidden = Boolean(model);
    canvas.setAttribute("aria-label", actor.label + ", " + this.when() + (model ? "" : ", empty frame"));
    const umAPixel = 2 * radius / Math.min(width, height), length = roundLength(0.3 * width * umAPixel);
    scale.textContent = length + " µm";
    scale.style.width = length / umAPixel + "px";
  }

  modeOf(actor) {
    return actor[{ [BY_ERROR]: "errors", [BY_PROTRUSION]: "paint" }[this.mode]] ? this.mode : PLAIN;
  }

  model(index, frame) {
    const models = this.models[index];
    if (!models.has(frame)) {
      const surface = this.loaded[index].surface(frame);
      models.set(frame, surface && Stage.shared.upload(surface));
    }
    return models.get(frame);
  }
}

// Rows: the picture's right, its up, and the direction to the viewer, z up.
function axesOf({ azimuth, elevation }) {
  const [a, e] = [azimuth, elevation].map(degrees => degrees * Math.PI / 180);
  const right = [-Math.sin(a), Math.cos(a), 0];
  const toward = [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)];
  const up = [-Math.sin(e) * Math.cos(a), -Math.sin(e) * Math.sin(a), Math.cos(e)];
  return [right, up, toward];
}

// The largest of 1, 2, 5 times a power of ten that is not longer.
function roundLength(atMost) {
  const power = 10 ** Math.floor(Math.log10(atMost));
  return +([5, 2, 1].find(step => step * power <= atMost) * power).toPrecision(1);
}

// Printed pages show a picture of every player, even if it was never visible on the screen.
window.addEventListener("beforeprint", () => {
  for (const player of document.querySelectorAll("cell-player")) {
    player.draw();
    if (!player.visible) player.forget();
  }
});

customElements.define("cell-player", CellPlayer);
