#!/bin/sh
# Builds kernel.wasm from kernel.c, or to another name: build.sh [OUT]. Needs clang and lld (built with version 14).
set -eu
cd "$(dirname "$0")"
clang --target=wasm32 -msimd128 -O3 -ffp-contract=off -nostdlib -Wl,--no-entry -Wl,--strip-all \
  -Wl,--stack-first -Wl,-z,stack-size=4096 -o "${1:-kernel.wasm}" kernel.c
