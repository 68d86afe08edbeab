// SPDX-License-Identifier: Apache-2.0
// What all parts of the decision's kernel share.
//
// Freestanding C: no library, no allocation. Built by kernel/build.py into src/backbeat/decide/data/kernel.wasm. All
// arithmetic is in IEEE doubles and in one order, so an edit is the same to the last bit on every machine.

#include <stdint.h>

typedef double f64;
typedef float f32;
typedef int32_t i32;

static const f64 NEVER = -1e15;

static inline f64 most(f64 a, f64 b) { return a > b ? a : b; }
