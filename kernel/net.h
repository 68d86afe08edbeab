// SPDX-License-Identifier: Apache-2.0
// A film's placements as the searches see them.

#include "kernel.h"

// A network of placements, as arrays of the lengths in brackets. Rows of the film: styles, takes, phrases, takes that
// must be used, bursts (if `bursts` >= 0), and last all clips.
typedef struct {
    f64 alike, against, again, burst;  // `burst`: the price of the row of bursts
    i32 nodes, slots, size, styles, rows, shots, reuse, ordered, bursts;
    const i32 *first, *last, *row, *phrase, *quick;  // [slots]; phrase as a row of the film, -1 for none
    const f64 *seconds;                              // [slots]
    const i32 *into_begin, *into;                    // [nodes + 1], [slots] the slots that end at each node
    const i32 *out_begin;                            // [nodes + 1] the first slot that begins at each node or later
    const f64 *slack;                                // [slots] 0 or less: what the best way on from its node gains by it
    const i32 *arc_begin, *arc, *by_value;           // [slots + 1], [arcs] by what is left after prices, and by value
    const i32 *slot, *shot, *low, *high, *group, *take, *must;  // [size]; take and must as rows, must -1 for none
    const f64 *value, *red, *way_x, *way_y, *full, *second, *ahead;  // [size]; full hits, seconds of a source frame
    const f64 *row_low, *row_high, *row_rate, *row_price;  // [rows]
} Net;

static inline f64 row_cost(const Net *net, i32 r, f64 count) {
    return net->row_rate[r] * (most(count - net->row_high[r], 0) + most(net->row_low[r] - count, 0));
}

static inline f64 beside(const Net *net, i32 before, i32 k) {
    if (before < 0) return 0;
    f64 cost = net->group[k] == net->group[before] ? net->alike : 0;
    return net->way_x[before] * net->way_x[k] + net->way_y[before] * net->way_y[k] < -0.5 ? cost + net->against : cost;
}

static inline int clash(const Net *net, i32 a, i32 b) {
    return net->shot[a] == net->shot[b] && net->low[a] < net->high[b] && net->high[a] > net->low[b];
}

static inline i32 draw(uint64_t *seed, i32 below) {  // xorshift64* (Vigna 2016)
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (i32)((*seed * 0x2545F4914F6CDD1DULL >> 32) * (uint64_t)below >> 32);
}

// exp(x) for x <= 0, near enough: the same on every machine.
static inline f64 power(f64 x) {
    f64 t = most(1 + x / 1024, 0);
    for (i32 i = 0; i < 10; i++) t *= t;
    return t;
}

// Natural logarithm of u in (0, 1], to about six digits: the same on every machine.
static inline f64 logarithm(f64 u) {
    f64 n = 0;
    while (u < 0.7) u *= 2, n -= 0.6931471805599453;
    f64 t = (u - 1) / (u + 1), q = t * t;
    return n + 2 * t * (1 + q * (1.0 / 3 + q * (0.2 + q * (1.0 / 7 + q / 9))));
}
