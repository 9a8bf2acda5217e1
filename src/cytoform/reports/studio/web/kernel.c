// The network of a run at many points: blocks of 16 points through all layers, four points in a vector.
//
// Built with clang and lld (see build.sh) to kernel.wasm; network.js does the same where WebAssembly is missing.
// Weights of a layer: for every four units, for every input, four numbers. Inputs: hidden units, coordinates, 1 (the bias).
#include <wasm_simd128.h>

#define POINTS 16
#define VECTORS 4

// sin x: x less the nearest multiple of π (in three parts), and an odd polynomial on [-π/2, π/2].
static inline v128_t sine(v128_t x) {
  v128_t turns = wasm_f32x4_nearest(wasm_f32x4_mul(x, wasm_f32x4_const_splat(0.31830988618f)));
  v128_t odd = wasm_i32x4_shl(wasm_i32x4_trunc_sat_f32x4(turns), 31);
  v128_t rest = wasm_f32x4_sub(x, wasm_f32x4_mul(turns, wasm_f32x4_const_splat(3.140625f)));
  rest = wasm_f32x4_sub(rest, wasm_f32x4_mul(turns, wasm_f32x4_const_splat(9.67502593994140625e-4f)));
  rest = wasm_f32x4_sub(rest, wasm_f32x4_mul(turns, wasm_f32x4_const_splat(1.509957990978376432e-7f)));
  v128_t square = wasm_f32x4_mul(rest, rest);
  v128_t sum = wasm_f32x4_const_splat(2.6083159809786593541503e-6f);
  sum = wasm_f32x4_add(wasm_f32x4_mul(sum, square), wasm_f32x4_const_splat(-1.981069071916863322258e-4f));
  sum = wasm_f32x4_add(wasm_f32x4_mul(sum, square), wasm_f32x4_const_splat(8.33307858556509017944336e-3f));
  sum = wasm_f32x4_add(wasm_f32x4_mul(sum, square), wasm_f32x4_const_splat(-0.166666597127914428710938f));
  sum = wasm_f32x4_add(wasm_f32x4_mul(wasm_f32x4_mul(sum, square), rest), rest);
  return wasm_v128_xor(sum, odd);
}

static inline v128_t activated(v128_t x, int is_sine) {
  return is_sine ? sine(x) : wasm_f32x4_max(x, wasm_f32x4_const_splat(0));
}

// One layer for a block of points: `rows` inputs, `width` units (a multiple of 4).
static void layer(const float *weights, const float *in, float *out, int rows, int width, int is_sine) {
  for (int unit = 0; unit < width; unit += 4, weights += 4 * rows) {
    for (int half = 0; half < POINTS; half += 8) {
      v128_t sums[4][2];
      for (int k = 0; k < 4; k++) sums[k][0] = sums[k][1] = wasm_f32x4_const_splat(0);
      const float *from = in + half, *weight = weights;
      for (int row = 0; row < rows; row++, from += POINTS, weight += 4) {
        v128_t low = wasm_v128_load(from), high = wasm_v128_load(from + 4);
        for (int k = 0; k < 4; k++) {
          v128_t factor = wasm_v128_load32_splat(weight + k);
          sums[k][0] = wasm_f32x4_add(sums[k][0], wasm_f32x4_mul(factor, low));
          sums[k][1] = wasm_f32x4_add(sums[k][1], wasm_f32x4_mul(factor, high));
        }
      }
      for (int k = 0; k < 4; k++) {
        float *to = out + (unit + k) * POINTS + half;
        wasm_v128_store(to, activated(sums[k][0], is_sine));
        wasm_v128_store(to + 4, activated(sums[k][1], is_sine));
      }
    }
  }
}

// `points` holds x of all points, then y, then z; `n` is a multiple of 16. `scratch` has room for 2 × 16 × (width + dims + 1).
__attribute__((export_name("evaluate"))) void evaluate(const float *weights, int layers, int width, int dims,
                                                       const float *points, int n, float *out, float *scratch,
                                                       int is_sine) {
  int rows = width + dims + 1;
  for (int first = 0; first < n; first += POINTS) {
    float *in = scratch, *next = scratch + rows * POINTS;
    for (int axis = 0; axis < dims; axis++)
      for (int at = 0; at < POINTS; at++)
        in[(width + axis) * POINTS + at] = next[(width + axis) * POINTS + at] = points[axis * n + first + at];
    for (int at = 0; at < POINTS; at++) in[(rows - 1) * POINTS + at] = next[(rows - 1) * POINTS + at] = 1;
    const float *weight = weights;
    layer(weight, in + width * POINTS, next, dims + 1, width, is_sine);
    weight += width * (dims + 1);
    for (int number = 1; number < layers; number++, weight += width * rows) {
      float *swap = in;
      in = next, next = swap;
      layer(weight, in, next, rows, width, is_sine);
    }
    for (int vector = 0; vector < VECTORS; vector++) {
      v128_t sum = wasm_v128_load32_splat(weight + width);
      for (int unit = 0; unit < width; unit++) {
        v128_t factor = wasm_v128_load32_splat(weight + unit);
        sum = wasm_f32x4_add(sum, wasm_f32x4_mul(factor, wasm_v128_load(next + unit * POINTS + 4 * vector)));
      }
      wasm_v128_store(out + first + 4 * vector, sum);
    }
  }
}
