// SPDX-License-Identifier: Apache-2.0
// A film made better by annealing: a clip gets other footage, a stretch of a few clips other cuts, and clips whose
// footage that takes get the best that is free. Two stretches are cut anew at once where one gains the lengths that the
// other loses. Moves follow the prices: what a good film at these prices would do is tried most often.

#include "net.h"

enum { LONG = 8, KEPT = 4096, DEEP = 3, STEPS = 256 };  // slots of a stretch, stretches kept, clips that give way, moves at a heat
static const f64 WARM = 0.05;  // temperature of the films that stretches are drawn from
static const f64 HOPE = 0.2;   // what neighbours and rows may at most make good of what footage and lengths lose

// The clips between nodes `a` and `end`: `old`, the slots they stand in, and `slot`, those that are to stand there,
// with placements `pick`. `sign` is a hash of what that changes in the counts of lengths; hashes add up.
typedef struct {
    i32 a, end, had, n, old[LONG], slot[LONG], pick[LONG];
    uint32_t sign;
} Stretch;

// A film as it is changed, and the room for it.
typedef struct {
    i32 *from, *into;     // [nodes] the placement that begins or ends at each node, -1 for none
    i32 *head, *next;     // [shots], [nodes] for each shot the nodes where its clips begin, in order of footage
    i32 *starts, *place;  // [nodes] the nodes where clips begin, in no order; where each stands there
    i32 *log;             // [8 * nodes] what was put in (k) and taken out (~k) in this move
    f64 *count;           // [rows]
    f64 *odds, *all;      // [slots], [nodes] how often a slot is drawn; all that begin at a node together
    Stretch *kept;        // [KEPT] stretches that lacked another one, by their sign
    i32 logged, clips;
    f64 value;
} Film;

static void step(const Net *net, Film *film, i32 r, f64 by) {
    film->value += row_cost(net, r, film->count[r]) - row_cost(net, r, film->count[r] + by);
    film->count[r] += by;
}

// What showing footage of a shot again costs.
static f64 again(const Net *net, const Film *film, i32 shot) {
    f64 cost = 0;
    for (i32 at = film->head[shot], top = 0; at >= 0; at = film->next[at]) {
        i32 k = film->from[at], reach = top < net->high[k] ? top : net->high[k];
        if (at != film->head[shot] && reach > net->low[k]) cost += (reach - net->low[k]) * net->second[k];
        if (net->high[k] > top) top = net->high[k];
    }
    return cost * net->again;
}

// Put placement `k` into the gap that is there for it (sign 1), or take it out (sign -1).
static void alter(const Net *net, Film *film, i32 k, i32 sign) {
    i32 s = net->slot[k], a = net->first[s], before = film->into[a], after = film->from[net->last[s]], shot = net->shot[k];
    film->value += sign * (net->value[k] - beside(net, before, k) - (after < 0 ? 0 : beside(net, k, after)));
    step(net, film, net->row[s], sign);
    step(net, film, net->take[k], sign * net->seconds[s]);
    step(net, film, net->rows - 1, sign);
    if (net->phrase[s] >= 0) step(net, film, net->phrase[s], sign * net->full[k]);
    if (net->must[k] >= 0) step(net, film, net->must[k], sign);
    if (net->bursts >= 0 && net->quick[s]) {
        i32 begins = before < 0 || !net->quick[net->slot[before]], spares = after >= 0 && net->quick[net->slot[after]];
        if (begins != spares) step(net, film, net->bursts, sign * (begins - spares));
    }
    if (net->reuse) film->value += again(net, film, shot);
    i32 *link = &film->head[shot];
    if (sign > 0) {
        while (*link >= 0 && net->low[film->from[*link]] < net->low[k]) link = &film->next[*link];
        film->next[a] = *link;
        *link = a;
        film->place[a] = film->clips;
        film->starts[film->clips++] = a;
    } else {
        while (*link != a) link = &film->next[*link];
        *link = film->next[a];
        i32 moved = film->starts[--film->clips];
        film->starts[film->place[a]] = moved;
        film->place[moved] = film->place[a];
    }
    film->from[a] = film->into[net->last[s]] = sign > 0 ? k : -1;
    if (net->reuse) film->value -= again(net, film, shot);
    film->log[film->logged++] = sign > 0 ? k : ~k;
}

static void undo(const Net *net, Film *film) {
    while (film->logged) {
        i32 k = film->log[--film->logged];
        alter(net, film, k < 0 ? ~k : k, k < 0 ? 1 : -1);
        film->logged--;
    }
}

// The node where a clip begins whose footage `k` would take; -1 for none.
static i32 meets(const Net *net, const Film *film, i32 k) {
    i32 at = net->reuse ? -1 : film->head[net->shot[k]];
    while (at >= 0 && !clash(net, film->from[at], k)) at = film->next[at];
    return at;
}

static f64 uniform(uint64_t *seed) { return (draw(seed, 1 << 30) + 1) / (f64)(1 << 30); }

// A placement of slot `s`, the better the more often; -1 if it has none.
static i32 pick(const Net *net, i32 s, uint64_t *seed) {
    i32 n = net->arc_begin[s + 1] - net->arc_begin[s];
    f64 u = uniform(seed);
    i32 rank = (i32)(u * u * u * u * n);
    return n ? net->arc[net->arc_begin[s] + (rank < n ? rank : n - 1)] : -1;
}

// Fill slot `s`, which lies open, with the best that is free. Whether there is something.
static int refit(const Net *net, Film *film, i32 s) {
    f64 best = NEVER;
    i32 found = -1, before = film->into[net->first[s]], after = film->from[net->last[s]];
    for (i32 i = net->arc_begin[s]; i < net->arc_begin[s + 1]; i++) {
        i32 k = net->by_value[i];
        if (net->value[k] <= best) break;
        if (meets(net, film, k) >= 0) continue;
        f64 v = net->value[k] - beside(net, before, k) - (after < 0 ? 0 : beside(net, k, after));
        if (v > best) best = v, found = k;
    }
    if (found >= 0) alter(net, film, found, 1);
    return found >= 0;
}

// Put `k` into its slot, and give clips that show something of it other footage. Whether there is some for each.
static int push(const Net *net, Film *film, i32 k) {
    i32 out[DEEP], n = 0;
    for (i32 at; (at = meets(net, film, k)) >= 0;) {
        if (n == DEEP) return 0;
        out[n++] = net->slot[film->from[at]];
        alter(net, film, film->from[at], -1);
    }
    alter(net, film, k, 1);
    for (i32 i = 0; i < n; i++)
        if (!refit(net, film, out[i])) return 0;
    return 1;
}

// Give one clip other footage. Whether that can be; so the moves below.
static int refoot(const Net *net, Film *film, f64 need, uint64_t *seed) {
    i32 old = film->from[film->starts[draw(seed, film->clips)]], k = pick(net, net->slot[old], seed);
    if (k < 0 || k == old || film->value + net->value[k] - net->value[old] + HOPE < need) return 0;
    alter(net, film, old, -1);
    return push(net, film, k);
}

static uint32_t mark(const Net *net, i32 s) {
    uint32_t row = (uint32_t)net->row[s] + 1;
    return row * 2654435761u * (2 * row + 1);
}

// Draw slots from some clip's beginning on, until they meet a cut of the film. Whether they soon do.
static int draft(const Net *net, const Film *film, Stretch *out, uint64_t *seed) {
    i32 at = out->a = film->starts[draw(seed, film->clips)], had = net->slot[film->from[at]];
    out->n = out->had = 0;
    do {
        f64 left = uniform(seed) * (film->all[at] - (out->n ? 0 : film->odds[had]));
        i32 s = -1;
        for (i32 i = net->out_begin[at]; i < net->out_begin[at + 1] && left > 0; i++) {
            if (!out->n && i == had) continue;  // it shall be cut anew
            s = i;
            left -= film->odds[s];
        }
        if (s < 0 || out->n == LONG) return 0;
        out->slot[out->n++] = s;
        at = net->last[s];
    } while (film->from[at] < 0 && at < net->nodes - 1);
    out->end = at;
    for (at = out->a; at < out->end; at = net->last[had]) {
        if (out->had == LONG) return 0;
        out->old[out->had++] = had = net->slot[film->from[at]];
    }
    out->sign = 0;
    for (i32 i = 0; i < out->n; i++) out->sign += mark(net, out->slot[i]);
    for (i32 i = 0; i < out->had; i++) out->sign -= mark(net, out->old[i]);
    return 1;
}

// Whether the film still has the cuts that a stretch was drawn for.
static int stands(const Net *net, const Film *film, const Stretch *one) {
    i32 at = one->a;
    for (i32 i = 0; i < one->had; at = net->last[one->old[i++]])
        if (film->from[at] < 0 || net->slot[film->from[at]] != one->old[i]) return 0;
    return one->had > 0;
}

// Draw footage for a stretch, and tell what that gains but for neighbours and rows.
static f64 cast(const Net *net, const Film *film, Stretch *one, uint64_t *seed) {
    f64 gain = 0;
    for (i32 i = 0; i < one->had; i++) gain -= net->value[film->from[net->first[one->old[i]]]];
    for (i32 i = 0; i < one->n; i++) {
        one->pick[i] = pick(net, one->slot[i], seed);
        gain += one->pick[i] < 0 ? NEVER : net->value[one->pick[i]];
    }
    return gain;
}

// What the film would pay more for its counts with a stretch cut so.
static f64 recount(const Net *net, Film *film, const Stretch *one) {
    f64 now = film->value, then = now;
    for (i32 sign = 1; sign >= -1; sign -= 2) {
        for (i32 i = 0; i < one->had; i++) step(net, film, net->row[one->old[i]], -sign);
        for (i32 i = 0; i < one->n; i++) step(net, film, net->row[one->slot[i]], sign);
        step(net, film, net->rows - 1, sign * (one->n - one->had));
        if (sign > 0) then = film->value;
    }
    film->value = now;
    return now - then;
}

static int fit(const Net *net, Film *film, const Stretch *one) {
    for (i32 i = 0; i < one->had; i++) alter(net, film, film->from[net->first[one->old[i]]], -1);
    for (i32 i = 0; i < one->n; i++)
        if (!push(net, film, one->pick[i])) return 0;
    return 1;
}

// Cut a stretch anew; where the film then lacks lengths, another one, met before, that makes up for that.
static int recut(const Net *net, Film *film, f64 need, uint64_t *seed) {
    Stretch one, two;
    if (!draft(net, film, &one, seed)) return 0;
    f64 most_hope = film->value + cast(net, film, &one, seed) + HOPE;
    if (most_hope - recount(net, film, &one) >= need) return fit(net, film, &one);
    film->kept[one.sign % KEPT] = one;
    two = film->kept[-one.sign % KEPT];
    if (one.sign + two.sign || !stands(net, film, &two) || (two.a < one.end && one.a < two.end)) return 0;
    if (most_hope + cast(net, film, &two, seed) < need) return 0;
    return fit(net, film, &one) && fit(net, film, &two);
}

static i32 copy(const Net *net, const Film *film, i32 *out) {
    i32 n = 0;
    for (i32 at = 0; at < net->nodes - 1; at = net->last[net->slot[film->from[at]]]) out[n++] = film->from[at];
    return n;
}

static void begin(const Net *net, Film *film, const i32 *path, i32 n) {
    film->clips = 0;
    film->value = 0;
    for (i32 i = 0; i < net->nodes; i++) film->from[i] = film->into[i] = -1;
    for (i32 i = 0; i < net->shots; i++) film->head[i] = -1;
    for (i32 i = 0; i < KEPT; i++) film->kept[i].had = 0;
    for (i32 r = 0; r < net->rows; r++) film->count[r] = 0, film->value -= row_cost(net, r, 0);
    for (i32 i = 0; i < n; i++) film->logged = 0, alter(net, film, path[i], 1);
    for (i32 a = 0; a < net->nodes; a++) {
        film->all[a] = 0;
        for (i32 s = net->out_begin[a]; s < net->out_begin[a + 1]; s++)
            film->all[a] += film->odds[s] = power(net->slack[s] / WARM);
    }
}

// The best film met in `moves` moves from the film `out` [n], at a temperature that falls from `heat` by `fall` a stage.
i32 anneal(const Net *net, Film *film, i32 *out, i32 n, i32 moves, f64 heat, f64 fall, uint64_t seed) {
    begin(net, film, out, n);
    f64 best = film->value;
    for (i32 m = 0; m < moves; m++) {
        if (m && m % STEPS == 0) heat *= fall;
        film->logged = 0;
        f64 now = film->value, need = now + heat * logarithm(uniform(&seed));
        int can = draw(&seed, 4) ? recut(net, film, need, &seed) : refoot(net, film, need, &seed);
        if (!can || film->value < need) {
            undo(net, film);
            film->value = now;
        } else if (film->value > best + 1e-9) {
            best = film->value;
            n = copy(net, film, out);
        }
    }
    return n;
}
