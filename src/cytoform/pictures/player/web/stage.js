// One WebGL context for all players of a page: it draws off-screen, and players copy the picture.

const VERTEX_SHADER = `#version 300 es
layout(location = 0) in vec3 place;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec2 hollowAndError;
layout(location = 3) in float paint;
uniform mat3 view; // from (x, y, z) to (right, up, toward the viewer)
uniform vec3 scale;
out vec3 seenNormal;
out vec2 values;
out vec3 painted;
uniform vec3 palette[16];
void main() {
  seenNormal = view * normal;
  values = hollowAndError;
  painted = palette[int(paint + 0.5)];
  gl_Position = vec4(view * place * scale, 1.0);
}`;

// The lighting of pictures/rendering.py: a wide key light from the upper left, a fill light from the right, sky, a dark rim.
const FRAGMENT_SHADER = `#version 300 es
precision highp float;
in vec3 seenNormal;
in vec2 values;
in vec3 painted;
uniform vec3 colour;
uniform vec3 ramp[5];
uniform int mode; // 0: plain, 1: by error, 2: by protrusion
out vec4 pixel;
vec3 ofError(float error) {
  float at = (clamp(error, -1.0, 1.0) + 1.0) * 2.0;
  int low = min(int(at), 3);
  return mix(ramp[low], ramp[low + 1], at - float(low));
}
void main() {
  vec3 n = normalize(seenNormal);
  vec3 key = normalize(vec3(-0.45, 0.65, 0.62)), fill = normalize(vec3(0.8, -0.1, 0.4));
  float wrapped = pow(clamp((dot(n, key) + 0.35) / 1.35, 0.0, 1.0), 1.3);
  float sky = 0.5 + 0.5 * n.y;
  float light = 0.22 + 0.16 * sky + 0.80 * wrapped + 0.14 * max(dot(n, fill), 0.0);
  float rim = 1.0 - 0.35 * pow(1.0 - clamp(n.z, 0.0, 1.0), 2.0);
  float open = 1.0 - clamp(1.6 * values.x, 0.0, 0.45);
  float shine = pow(max(dot(n, normalize(key + vec3(0.0, 0.0, 1.0))), 0.0), 40.0);
  vec3 base = pow(mode == 1 ? ofError(values.y) : mode == 2 ? painted : colour, vec3(2.2));
  vec3 lit = base * light * rim * open + 0.10 * shine;
  pixel = vec4(pow(clamp(lit, 0.0, 1.0), vec3(1.0 / 2.2)), 1.0);
}`;

class Stage {
  // The shared stage of the page; null without WebGL 2.
  static get shared() {
    if (Stage.found === undefined) {
      const gl = document.createElement("canvas").getContext("webgl2", { antialias: true, preserveDrawingBuffer: true });
      Stage.found = gl ? new Stage(gl) : null;
    }
    return Stage.found;
  }

  constructor(gl) {
    this.gl = gl;
    this.prepare();
    gl.canvas.addEventListener("webglcontextlost", event => event.preventDefault());
    gl.canvas.addEventListener("webglcontextrestored", () => {
      this.prepare();
      for (const player of document.querySelectorAll("cell-player")) player.forget();
    });
  }

  prepare() {
    const { gl } = this, program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX_SHADER], [gl.FRAGMENT_SHADER, FRAGMENT_SHADER]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    this.uniform = name => gl.getUniformLocation(program, name);
    gl.uniform3fv(this.uniform("ramp"), ERROR_RAMP.flat());
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(0, 0, 0, 0);
  }

  // Upload a surface to the graphics card.
  upload({ vertices, faces }) {
    const { gl } = this, array = gl.createVertexArray(), buffers = [gl.createBuffer(), gl.createBuffer()];
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[0]);
    gl.bufferData(gl.ARRAY_BUFFER, vertices, gl.STATIC_DRAW);
    for (const [slot, size, offset] of [[0, 3, 0], [1, 3, 12], [2, 2, 24], [3, 1, 32]]) {
      gl.enableVertexAttribArray(slot);
      gl.vertexAttribPointer(slot, size, gl.FLOAT, false, 36, offset);
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers[1]);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, faces, gl.STATIC_DRAW);
    return { array, buffers, count: faces.length, type: faces.BYTES_PER_ELEMENT === 2 ? gl.UNSIGNED_SHORT : gl.UNSIGNED_INT };
  }

  remove({ array, buffers }) {
    this.gl.deleteVertexArray(array);
    for (const buffer of buffers) this.gl.deleteBuffer(buffer);
  }

  // Draw an uploaded surface (or nothing) and copy it to a canvas; `axes` are the view's rows, `radius` is in µm.
  draw(model, canvas, { axes, radius, depth, colour, mode, palette }) {
    const { gl } = this, { width, height } = canvas;
    if (gl.canvas.width < width || gl.canvas.height < height) {
      gl.canvas.width = Math.max(gl.canvas.width, width);
      gl.canvas.height = Math.max(gl.canvas.height, height);
    }
    gl.viewport(0, gl.canvas.height - height, width, height); // the upper left corner
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    if (model) {
      const shorter = Math.min(width, height);
      gl.uniformMatrix3fv(this.uniform("view"), true, axes.flat());
      gl.uniform3f(this.uniform("scale"), shorter / width / radius, shorter / height / radius, -1 / depth);
      gl.uniform3fv(this.uniform("colour"), colour);
      gl.uniform1i(this.uniform("mode"), mode);
      if (mode === BY_PROTRUSION) gl.uniform3fv(this.uniform("palette"), palette.flat());
      gl.bindVertexArray(model.array);
      gl.drawElements(gl.TRIANGLES, model.count, model.type, 0);
    }
    const paper = canvas.getContext("2d");
    paper.clearRect(0, 0, width, height);
    paper.drawImage(gl.canvas, 0, 0, width, height, 0, 0, width, height);
  }
}
