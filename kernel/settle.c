// SPDX-License-Identifier: Apache-2.0
// Prices settled: the average film at given prices and temperature, and the descent of its bound.
//
// The caller lays every array out in memory (src/backbeat/decide/settle.py, which also says what is computed).

#include <wasm_simd128.h>

#include "kernel.h"

enum { MEMORY = 10 };         // steps that the descent remembers
static const f64 FAR = 37.0;  // exp(-37) is nothing beside 1 in a double's 53 bits
static const f64 RARE = 1e-18;  // a slot taken less often plays no part

// Vectors of the descent: the prices of the cells, of the rows upwards and of the rows downwards, and zeros up to a
// multiple of 8. Placements lie slot by slot; points are the source frames where placements begin or end.
typedef struct {
    i32 nodes, slots, size, points, cells, rows, styles, takes, asked, room;  // `asked`: takes must be used; `room` of vectors
    const i32 *begin, *first, *row, *phrase;  // [slots + 1], [slots]...; phrase as a row, -1 for none
    const i32 *into_begin, *into;             // [nodes + 1], [slots] the slots that end at each node
    const i32 *low, *high, *take;             // [size] two points, the take
    const i32 *must;                          // [takes] a row, -1 for none
    const i32 *cell;                          // [points]
    const f64 *seconds, *value, *full, *part;  // [slots], [size], [size], [points] share of the cell before it
    const f64 *row_low, *row_high, *ceiling;   // [rows], [rows], [room] the highest prices
    f64 *x;                                    // [room]
    f64 *point, *flow, *total, *used;          // [points], [points], [cells], [cells]
    f64 *price, *counted;                      // [rows]
    f64 *red, *likely, *top, *mass, *chance;   // [size], [size + 2 slots] of the near ones, [slots] each
    f64 *behind, *on;                          // [nodes]
    i32 *near, *nears, *grown;                 // [size + 2 slots] placements, [slots] how many, [slots] if listed
    f64 *slope, *way, *trial, *turned, *steps, *turns;  // [room] each, [MEMORY * room] each
} Soft;

// ---- exp and log ----

// exp of two numbers in -700..700: 2^k exp(r), |r| <= ln(2) / 2, and Taylor's series up to r^12.
static v128_t exps(v128_t x) {
    const v128_t shift = wasm_f64x2_const_splat(0x1.8p52);
    v128_t k = wasm_f64x2_add(wasm_f64x2_mul(x, wasm_f64x2_const_splat(0x1.71547652b82fep0)), shift);
    v128_t whole = wasm_f64x2_sub(k, shift);
    v128_t r = wasm_f64x2_sub(x, wasm_f64x2_mul(whole, wasm_f64x2_const_splat(0x1.62e42fee00000p-1)));
    r = wasm_f64x2_sub(r, wasm_f64x2_mul(whole, wasm_f64x2_const_splat(0x1.a39ef35793c76p-33)));
    static const f64 series[] = {1 / 479001600.0, 1 / 39916800.0, 1 / 3628800.0, 1 / 362880.0, 1 / 40320.0,
                                 1 / 5040.0,      1 / 720.0,      1 / 120.0,     1 / 24.0,     1 / 6.0,
                                 0.5,             1.0,            1.0};
    v128_t sum = wasm_f64x2_splat(series[0]);
    for (int i = 1; i < 13; i++) sum = wasm_f64x2_add(wasm_f64x2_mul(sum, r), wasm_f64x2_splat(series[i]));
    return wasm_i64x2_add(sum, wasm_i64x2_shl(k, 52));
}

// x[i] becomes exp(x[i]) for n numbers; one behind them may be overwritten.
static void exponentials(f64 *x, i32 n) {
    for (i32 i = 0; i < n; i += 2) wasm_v128_store(x + i, exps(wasm_v128_load(x + i)));
}

static f64 exp1(f64 x) { return wasm_f64x2_extract_lane(exps(wasm_f64x2_splat(x)), 0); }

// log of a normal number above 0: 2^k m, sqrt(1/2) <= m < sqrt(2), and the series of artanh((m - 1) / (m + 1)).
static f64 log1(f64 x) {
    union { f64 number; int64_t bits; } u = {x};
    int64_t k = (u.bits - 0x3fe6a09e667f3bcdLL) >> 52;
    u.bits -= k << 52;
    f64 s = (u.number - 1) / (u.number + 1), q = s * s, sum = 0;
    for (int i = 19; i > 1; i -= 2) sum = (sum + 1.0 / i) * q;
    return (f64)k * 0x1.62e42fee00000p-1 + ((f64)k * 0x1.a39ef35793c76p-33 + 2 * s * (1 + sum));
}

// ---- the average film ----

// What placements are worth after prices, and the best of each slot.
static void reduce(Soft *s) {
    const f64 *of_take = s->price + s->styles;
    i32 per_take = s->asked;
    for (i32 t = 0; t < s->takes && !per_take; t++) per_take = of_take[t] != 0;
    for (i32 q = 0; q < s->slots; q++) {
        i32 a = s->begin[q], b = s->begin[q + 1];
        f64 *red = s->red;
        for (i32 k = a; k < b; k++) red[k] = s->value[k] - (s->point[s->high[k]] - s->point[s->low[k]]);
        if (per_take)
            for (i32 k = a; k < b; k++) red[k] -= of_take[s->take[k]] * s->seconds[q];
        if (s->asked)
            for (i32 k = a; k < b; k++) red[k] -= s->must[s->take[k]] >= 0 ? s->price[s->must[s->take[k]]] : 0;
        if (s->phrase[q] >= 0 && s->price[s->phrase[q]] != 0)
            for (i32 k = a; k < b; k++) red[k] -= s->price[s->phrase[q]] * s->full[k];
        v128_t top[2] = {wasm_f64x2_splat(red[a]), wasm_f64x2_splat(red[a])};
        i32 k = a;
        for (; k + 4 <= b; k += 4)
            for (int j = 0; j < 2; j++) top[j] = wasm_f64x2_pmax(top[j], wasm_v128_load(red + k + 2 * j));
        top[0] = wasm_f64x2_pmax(top[0], top[1]);
        f64 best = most(wasm_f64x2_extract_lane(top[0], 0), wasm_f64x2_extract_lane(top[0], 1));
        for (; k < b; k++) best = most(best, red[k]);
        s->top[q] = best;
    }
}

// Where slot `q` keeps its near placements: those that a random path might take at all.
static i32 room_of(const Soft *s, i32 q) { return s->begin[q] + 2 * q; }

// List what is near in a slot, with exp((what it is worth - the best of the slot) / heat), and the logarithm of its sum.
static void grow(Soft *s, i32 q, f64 heat) {
    i32 at = room_of(s, q), n = 0, *near = s->near + at;
    f64 top = s->top[q], least = top - FAR * heat, over = 1 / heat, *likely = s->likely + at, sum = 0;
    for (i32 k = s->begin[q]; k < s->begin[q + 1]; k++) {
        near[n] = k;
        likely[n] = (s->red[k] - top) * over;
        n += s->red[k] >= least;
    }
    exponentials(likely, n);
    for (i32 i = 0; i < n; i++) sum += likely[i];
    s->nears[q] = n;
    s->mass[q] = log1(sum);
    s->grown[q] = 1;
}

// How likely a random path takes each slot; returns the soft optimum.
static f64 weigh_slots(Soft *s, f64 heat) {
    f64 over = 1 / heat, every = s->price[s->rows - 1];
    s->behind[0] = 0;
    for (i32 node = 1; node < s->nodes; node++) {
        i32 a = s->into_begin[node], b = s->into_begin[node + 1];
        f64 top = NEVER, sum = 0;
        for (i32 i = a; i < b; i++) {
            i32 q = s->into[i];
            s->chance[q] = s->top[q] + heat * s->mass[q] - s->price[s->row[q]] - every + s->behind[s->first[q]];
            top = most(top, s->chance[q]);
        }
        int reached = top > NEVER / 2;
        for (i32 i = a; i < b; i++) {
            i32 q = s->into[i];
            f64 under = (s->chance[q] - top) * over;
            s->chance[q] = reached && under >= -FAR ? exp1(under) : 0;
            sum += s->chance[q];
        }
        for (i32 i = a; i < b && reached; i++) s->chance[s->into[i]] /= sum;
        s->behind[node] = reached ? top + heat * log1(sum) : NEVER;
    }
    for (i32 node = 0; node < s->nodes; node++) s->on[node] = 0;
    s->on[s->nodes - 1] = 1;
    for (i32 node = s->nodes - 1; node > 0; node--)
        for (i32 i = s->into_begin[node]; i < s->into_begin[node + 1]; i++) {
            i32 q = s->into[i];
            s->chance[q] *= s->on[node];
            s->on[s->first[q]] += s->chance[q];
        }
    return s->behind[s->nodes - 1];
}

// The average film at the prices of `point` and `price`: how likely each near placement is. Returns the soft optimum.
//
// A slot that hardly any path took a moment ago keeps its old mass, which no more than a few placements can be wrong
// about; should it be likely all the same, it is grown and all slots are weighed again.
static f64 weigh(Soft *s, f64 heat) {
    reduce(s);
    for (i32 q = 0; q < s->slots; q++) s->grown[q] = 0;
    for (int again = 1;;) {
        for (i32 q = 0; q < s->slots; q++)
            if (!s->grown[q] && s->chance[q] > RARE) grow(s, q, heat), again = 1;
        if (!again) break;
        weigh_slots(s, heat);
        again = 0;
    }
    for (i32 q = 0; q < s->slots; q++) {
        i32 at = room_of(s, q);
        if (!s->grown[q] || s->chance[q] <= RARE) {
            s->nears[q] = 0;
            continue;
        }
        f64 share = s->chance[q] * exp1(-s->mass[q]);
        for (i32 i = 0; i < s->nears[q]; i++) s->likely[at + i] *= share;
    }
    return s->behind[s->nodes - 1];
}

// Everything that hangs on the temperature must be worked out anew.
static void forget(Soft *s) {
    for (i32 q = 0; q < s->slots; q++) s->chance[q] = 1;
}

// What the average film shows of each cell, and what it counts.
static void count(Soft *s) {
    for (i32 c = 0; c < s->cells; c++) s->used[c] = s->total[c] = 0;
    for (i32 p = 0; p < s->points; p++) s->flow[p] = 0;
    for (i32 r = 0; r < s->rows; r++) s->counted[r] = 0;
    for (i32 q = 0; q < s->slots; q++) {
        f64 all = 0, full = 0, seconds = s->seconds[q];
        i32 at = room_of(s, q);
        if (!s->nears[q]) continue;
        for (i32 i = at; i < at + s->nears[q]; i++) {
            i32 k = s->near[i], take = s->take[k];
            f64 likely = s->likely[i];
            s->flow[s->low[k]] += likely;
            s->flow[s->high[k]] -= likely;
            s->counted[s->styles + take] += likely * seconds;
            if (s->asked && s->must[take] >= 0) s->counted[s->must[take]] += likely;
            full += likely * s->full[k];
            all += likely;
        }
        s->counted[s->row[q]] += all;
        s->counted[s->rows - 1] += all;
        if (s->phrase[q] >= 0) s->counted[s->phrase[q]] += full;
    }
    for (i32 p = 0; p < s->points; p++) {
        s->total[s->cell[p]] += s->flow[p];
        s->used[s->cell[p]] -= s->flow[p] * s->part[p];
    }
    f64 sum = 0;
    for (i32 c = 0; c < s->cells; c++) {
        sum += s->total[c];
        s->used[c] += sum;
    }
}

// The smooth bound at prices `x`, and its gradient.
static f64 bound(Soft *s, const f64 *x, f64 *gradient, f64 heat) {
    const f64 *up = x + s->cells, *down = up + s->rows;
    f64 give = 0;
    for (i32 c = 0; c < s->cells; c++) {
        s->total[c] = give;
        give += x[c];
    }
    for (i32 p = 0; p < s->points; p++) s->point[p] = s->total[s->cell[p]] + s->part[p] * x[s->cell[p]];
    for (i32 r = 0; r < s->rows; r++) {
        s->price[r] = up[r] - down[r];
        give += up[r] * s->row_high[r] - down[r] * s->row_low[r];
    }
    f64 best = weigh(s, heat);
    count(s);
    for (i32 c = 0; c < s->cells; c++) gradient[c] = 1 - s->used[c];
    for (i32 r = 0; r < s->rows; r++) {
        gradient[s->cells + r] = s->row_high[r] - s->counted[r];
        gradient[s->cells + s->rows + r] = s->counted[r] - s->row_low[r];
    }
    return best + give;
}

// ---- the descent ----

static f64 sum8(const v128_t *sum) {
    v128_t all = wasm_f64x2_add(wasm_f64x2_add(sum[0], sum[1]), wasm_f64x2_add(sum[2], sum[3]));
    return wasm_f64x2_extract_lane(all, 0) + wasm_f64x2_extract_lane(all, 1);
}

// y + a x becomes y; returns the product of the new y and z.
static f64 add_dot(f64 *y, f64 a, const f64 *x, const f64 *z, i32 n) {
    v128_t sum[4] = {0}, factor = wasm_f64x2_splat(a);
    for (i32 i = 0; i < n; i += 8)
        for (int j = 0; j < 4; j++) {
            v128_t at = wasm_v128_load(y + i + 2 * j);
            at = wasm_f64x2_add(at, wasm_f64x2_mul(factor, wasm_v128_load(x + i + 2 * j)));
            wasm_v128_store(y + i + 2 * j, at);
            sum[j] = wasm_f64x2_add(sum[j], wasm_f64x2_mul(at, wasm_v128_load(z + i + 2 * j)));
        }
    return sum8(sum);
}

static f64 dot(const f64 *x, const f64 *y, i32 n) {
    v128_t sum[4] = {0};
    for (i32 i = 0; i < n; i += 8)
        for (int j = 0; j < 4; j++)
            sum[j] = wasm_f64x2_add(sum[j], wasm_f64x2_mul(wasm_v128_load(x + i + 2 * j), wasm_v128_load(y + i + 2 * j)));
    return sum8(sum);
}

static f64 largest(const f64 *x, i32 n) {
    f64 top = 0;
    for (i32 i = 0; i < n; i++) top = most(top, most(x[i], -x[i]));
    return top;
}

static int is_free(const Soft *s, i32 i) {
    return !((s->x[i] <= 0 && s->slope[i] > 0) || (s->x[i] >= s->ceiling[i] && s->slope[i] < 0));
}

// `way` becomes minus the slope of the free variables, through what the last `held` steps tell of the curvature.
static void aim(Soft *s, i32 held, i32 next, const f64 *bend) {
    i32 n = s->room;
    f64 weight[MEMORY], product = 0;
    for (i32 i = 0; i < n; i++) s->way[i] = is_free(s, i) ? -s->slope[i] : 0;
    if (!held) {
        f64 scale = 0.1 / most(largest(s->way, n), 0.1);
        for (i32 i = 0; i < n; i++) s->way[i] *= scale;
        return;
    }
    for (i32 m = 0; m < held; m++) {  // the newest first
        i32 at = (next - 1 - m + 2 * MEMORY) % MEMORY, older = (at + MEMORY - 1) % MEMORY;
        if (!m) product = dot(s->way, s->steps + at * n, n);
        weight[m] = product / bend[at];
        const f64 *then = m + 1 < held ? s->steps + older * n : s->turns + at * n;
        product = add_dot(s->way, -weight[m], s->turns + at * n, then, n);
    }
    i32 last = (next - 1 + MEMORY) % MEMORY, oldest = (next - held + 2 * MEMORY) % MEMORY;
    f64 scale = bend[last] / dot(s->turns + last * n, s->turns + last * n, n);
    for (i32 i = 0; i < n; i++) s->way[i] *= scale;
    product *= scale;
    for (i32 m = held - 1; m >= 0; m--) {
        i32 at = (oldest + held - 1 - m) % MEMORY, newer = (at + 1) % MEMORY;
        const f64 *then = s->turns + (m ? newer : at) * n;
        product = add_dot(s->way, weight[m] - product / bend[at], s->steps + at * n, then, n);
    }
    for (i32 i = 0; i < n; i++)
        if (!is_free(s, i)) s->way[i] = 0;
}

// `x` after `steps` projected L-BFGS steps down the smooth bound; returns how many were made.
i32 descend(Soft *s, f64 heat, i32 steps) {
    i32 n = s->room, held = 0, next = 0, made = 0;
    f64 bend[MEMORY];
    forget(s);
    f64 value = bound(s, s->x, s->slope, heat);
    for (; made < steps; made++) {
        aim(s, held, next, bend);
        f64 fall = dot(s->way, s->slope, n);
        if (fall >= 0) {  // no way down: forget and go straight
            held = 0;
            aim(s, held, next, bend);
            fall = dot(s->way, s->slope, n);
        }
        if (fall > -1e-9 * most(most(value, -value), 1)) break;
        f64 stride = 1, worth = 0;
        int good = 0;
        for (int go = 0; go < 8 && !good; go++, stride *= 0.4) {
            f64 hoped = 0;
            for (i32 i = 0; i < n; i++) {
                f64 to = s->x[i] + stride * s->way[i];
                s->trial[i] = to < 0 ? 0 : to > s->ceiling[i] ? s->ceiling[i] : to;
                hoped += (s->trial[i] - s->x[i]) * s->slope[i];
            }
            worth = bound(s, s->trial, s->turned, heat);
            good = worth <= value + 1e-4 * hoped;
        }
        if (!good) break;
        f64 *step = s->steps + next * n, *turn = s->turns + next * n;
        for (i32 i = 0; i < n; i++) {
            step[i] = s->trial[i] - s->x[i];
            turn[i] = s->turned[i] - s->slope[i];
            s->x[i] = s->trial[i];
            s->slope[i] = s->turned[i];
        }
        bend[next] = dot(step, turn, n);
        if (bend[next] > 1e-10 * dot(turn, turn, n)) {
            next = (next + 1) % MEMORY;
            if (held < MEMORY) held++;
        }
        value = worth;
    }
    return made;
}
