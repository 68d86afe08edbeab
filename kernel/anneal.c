// SPDX-License-Identifier: Apache-2.0
// A film made better by annealing: a clip gets other footage, a stretch of a few clips other cuts, and clips whose
// footage that takes get the best that is free. Two stretches are cut anew at once where one gains the lengths that the
// other loses. Moves follow the prices: what a good film at these prices would do is tried most often.

#include "net.h"

enum { LONG = 8, KEPT = 4096, DEEP = 3, STEPS = 256 };  // slots of a stretch, stretches kept, clips that give way, moves at a heat
static const f64 WARM = 0.05;  // temperature of the films that stretches are drawn from
static const f64 HOPE = 0.1;   // what rows may make good of what a move is thought to lose

// The clips between nodes `a` and `end`: `old`, the slots they stand in, and `slot`, those that are to stand there,
// with placements `pick`. `sign` is a hash of what that changes in the counts of lengths; hashes add up.
typedef struct {
    i32 a, end, had, n, old[LONG], slot[LONG], pick[LONG];
    uint32_t sign;
} Stretch;

// A placement, with all that moves ask of it side by side.
typedef struct {
    f64 value, full, way_x, way_y;
    i32 slot, first, last, shot, low, high, group, take, must;
} Card;

typedef struct {
    f64 low, high, rate, count;
} Row;

// A film as it is changed, and the room for it.
typedef struct {
    i32 *from, *into;     // [nodes] the placement that begins or ends at each node, -1 for none
    i32 *head, *next;     // [shots], [nodes] for each shot the nodes where its clips begin, in order of footage
    i32 *starts, *place;  // [nodes] the nodes where clips begin, in no order; where each stands there
    i32 *log;             // [8 * nodes] what was put in (k) and taken out (~k) in this move
    f64 *odds, *all;      // [slots], [nodes] how often a slot is drawn; all that begin at a node together
    Stretch *kept;        // [KEPT] stretches that lacked another one, by their sign
    Card *card;           // [size]
    Row *row;             // [rows]
    i32 logged, clips;
    f64 value, paid;      // `paid`: of it for rows
} Film;

_Static_assert(sizeof(Stretch) == 116 && sizeof(Card) == 72, "beam.py makes room for so many bytes");

static f64 owed(const Row *row) {
    return row->rate * (most(row->count - row->high, 0) + most(row->low - row->count, 0));
}

static void step(Film *film, i32 r, f64 by) {
    Row *row = &film->row[r];
    f64 more = -owed(row);
    row->count += by;
    more += owed(row);
    film->value -= more;
    film->paid += more;
}

static f64 next_to(const Net *net, const Card *a, const Card *b) {
    f64 cost = a->group == b->group ? net->alike : 0;
    return a->way_x * b->way_x + a->way_y * b->way_y < -0.5 ? cost + net->against : cost;
}

// What clips `before` and `after` (-1 for none) cost beside `k`.
static f64 neighbours(const Net *net, const Film *film, i32 before, i32 k, i32 after) {
    const Card *card = film->card;
    return (before < 0 ? 0 : next_to(net, &card[before], &card[k])) + (after < 0 ? 0 : next_to(net, &card[k], &card[after]));
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

// Link placement `k` into the gap that is there for it (sign 1), or out of the film (sign -1).
static void link(Film *film, i32 k, i32 sign) {
    const Card *card = &film->card[k];
    i32 *link = &film->head[card->shot], a = card->first;
    if (sign > 0) {
        while (*link >= 0 && film->card[film->from[*link]].low < card->low) link = &film->next[*link];
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
    film->from[a] = film->into[card->last] = sign > 0 ? k : -1;
}

// By how much clip `k` changes the number of runs of quick shots, between those that now stand beside it.
static i32 runs(const Net *net, const Film *film, const Card *card) {
    if (net->bursts < 0 || !net->quick[card->slot]) return 0;
    i32 before = film->into[card->first], after = film->from[card->last];
    return (before < 0 || !net->quick[film->card[before].slot]) - (after >= 0 && net->quick[film->card[after].slot]);
}

// Put placement `k` into the gap that is there for it (sign 1), or take it out (sign -1).
static void alter(const Net *net, Film *film, i32 k, i32 sign) {
    const Card *card = &film->card[k];
    i32 s = card->slot, more = runs(net, film, card);
    film->value += sign * (card->value - neighbours(net, film, film->into[card->first], k, film->from[card->last]));
    step(film, net->row[s], sign);
    step(film, card->take, sign * net->seconds[s]);
    step(film, net->rows - 1, sign);
    if (net->phrase[s] >= 0) step(film, net->phrase[s], sign * card->full);
    if (card->must >= 0) step(film, card->must, sign);
    if (more) step(film, net->bursts, sign * more);
    if (net->reuse) film->value += again(net, film, card->shot);
    link(film, k, sign);
    if (net->reuse) film->value -= again(net, film, card->shot);
    film->log[film->logged++] = sign > 0 ? k : ~k;
}

// Take all of this move back, but for `value` and `paid`.
static void undo(const Net *net, Film *film) {
    while (film->logged) {
        i32 k = film->log[--film->logged], sign = k < 0 ? 1 : -1;
        k = k < 0 ? ~k : k;
        const Card *card = &film->card[k];
        i32 s = card->slot, more = runs(net, film, card);
        film->row[net->row[s]].count += sign;
        film->row[card->take].count += sign * net->seconds[s];
        film->row[net->rows - 1].count += sign;
        if (net->phrase[s] >= 0) film->row[net->phrase[s]].count += sign * card->full;
        if (card->must >= 0) film->row[card->must].count += sign;
        if (more) film->row[net->bursts].count += sign * more;
        link(film, k, sign);
    }
}

// The node where a clip begins whose footage `k` would take; -1 for none.
static i32 meets(const Net *net, const Film *film, i32 k) {
    const Card *card = &film->card[k];
    i32 at = net->reuse ? -1 : film->head[card->shot];
    for (; at >= 0; at = film->next[at]) {
        const Card *other = &film->card[film->from[at]];
        if (card->low < other->high && card->high > other->low) return at;
    }
    return -1;
}

static f64 uniform(uint64_t *seed) { return (draw(seed, 1 << 30) + 1) / (f64)(1 << 30); }

// A placement of slot `s`, the better the more often; -1 if it has none.
static i32 pick(const Net *net, i32 s, uint64_t *seed) {
    i32 n = net->arc_begin[s + 1] - net->arc_begin[s];
    f64 u = uniform(seed);
    i32 rank = (i32)(u * u * u * u * n);
    return n ? net->arc[net->arc_begin[s] + (rank < n ? rank : n - 1)] : -1;
}

// The best placement that is free for slot `s`, with what stands beside it; -1 if there is none.
static i32 best_free(const Net *net, const Film *film, i32 s, f64 *best) {
    i32 found = -1, before = film->into[net->first[s]], after = film->from[net->last[s]];
    *best = NEVER;
    for (i32 i = net->arc_begin[s]; i < net->arc_begin[s + 1]; i++) {
        i32 k = net->by_value[i];
        if (film->card[k].value <= *best) break;
        if (meets(net, film, k) >= 0) continue;
        f64 v = film->card[k].value - neighbours(net, film, before, k, after);
        if (v > *best) *best = v, found = k;
    }
    return found;
}

// Put `k` into its slot, and give clips that show something of it other footage. Whether there is some for each.
static int push(const Net *net, Film *film, i32 k) {
    i32 out[DEEP], n = 0;
    for (i32 at; (at = meets(net, film, k)) >= 0;) {
        if (n == DEEP) return 0;
        out[n++] = film->card[film->from[at]].slot;
        alter(net, film, film->from[at], -1);
    }
    alter(net, film, k, 1);
    for (i32 i = 0; i < n; i++) {
        f64 best;
        i32 other = best_free(net, film, out[i], &best);
        if (other < 0) return 0;
        alter(net, film, other, 1);
    }
    return 1;
}

// Give one clip other footage. Whether that can be; so the moves below.
static int refoot(const Net *net, Film *film, f64 need, uint64_t *seed) {
    i32 at = film->starts[draw(seed, film->clips)], old = film->from[at], k = pick(net, film->card[old].slot, seed);
    if (k < 0 || k == old) return 0;
    i32 before = film->into[at], after = film->from[film->card[old].last];
    f64 gain = film->card[k].value - film->card[old].value;
    gain += neighbours(net, film, before, old, after) - neighbours(net, film, before, k, after);
    if (film->value + gain + HOPE < need) return 0;
    alter(net, film, old, -1);
    return push(net, film, k);
}

static uint32_t mark(const Net *net, i32 s) {
    uint32_t row = (uint32_t)net->row[s] + 1;
    return row * 2654435761u * (2 * row + 1);
}

// Draw slots from some clip's beginning on, until they meet a cut of the film. Whether they soon do.
static int draft(const Net *net, const Film *film, Stretch *out, uint64_t *seed) {
    i32 at = out->a = film->starts[draw(seed, film->clips)], had = film->card[film->from[at]].slot;
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
        out->old[out->had++] = had = film->card[film->from[at]].slot;
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
        if (film->from[at] < 0 || film->card[film->from[at]].slot != one->old[i]) return 0;
    return one->had > 0;
}

// Draw footage for a stretch, and tell what that gains but for rows, if footage that it takes were wanted nowhere.
static f64 cast(const Net *net, const Film *film, Stretch *one, uint64_t *seed) {
    f64 gain = 0;
    i32 first = film->into[one->a], end = film->from[one->end], before = first;
    for (i32 i = 0; i < one->had; i++) {
        i32 k = film->from[net->first[one->old[i]]];
        gain -= film->card[k].value - neighbours(net, film, before, k, i + 1 == one->had ? end : -1);
        before = k;
    }
    before = first;
    for (i32 i = 0; i < one->n; i++) {
        i32 k = one->pick[i] = pick(net, one->slot[i], seed);
        if (k < 0) return NEVER;
        gain += film->card[k].value - neighbours(net, film, before, k, i + 1 == one->n ? end : -1);
        before = k;
    }
    return gain;
}

// What the film would pay more for its counts with a stretch cut so.
static f64 recount(const Net *net, Film *film, const Stretch *one) {
    f64 value = film->value, paid = film->paid;
    for (i32 i = 0; i < one->had; i++) step(film, net->row[one->old[i]], -1);
    for (i32 i = 0; i < one->n; i++) step(film, net->row[one->slot[i]], 1);
    step(film, net->rows - 1, one->n - one->had);
    f64 more = film->paid - paid;
    for (i32 i = 0; i < one->had; i++) film->row[net->row[one->old[i]]].count += 1;
    for (i32 i = 0; i < one->n; i++) film->row[net->row[one->slot[i]]].count -= 1;
    film->row[net->rows - 1].count -= one->n - one->had;
    film->value = value;
    film->paid = paid;
    return more;
}

// Cut a stretch so. Given up where the film, with what it now pays for rows and `more`, is no longer worth `need`.
static int fit(const Net *net, Film *film, const Stretch *one, f64 need) {
    for (i32 i = 0; i < one->had; i++) alter(net, film, film->from[net->first[one->old[i]]], -1);
    for (i32 i = 0; i < one->n; i++) need -= film->card[one->pick[i]].value;
    for (i32 i = 0; i < one->n; i++) {
        need += film->card[one->pick[i]].value;
        if (!push(net, film, one->pick[i]) || film->value + film->paid + HOPE < need) return 0;
    }
    return 1;
}

// Cut a stretch anew; where the film then lacks lengths, another one, met before, that makes up for that.
static int recut(const Net *net, Film *film, f64 need, uint64_t *seed) {
    Stretch one;
    if (!draft(net, film, &one, seed)) return 0;
    f64 hope = film->value + cast(net, film, &one, seed) + HOPE, more = recount(net, film, &one);
    need += film->paid;
    if (hope + film->paid - more >= need) return fit(net, film, &one, need + more);
    film->kept[one.sign % KEPT] = one;
    Stretch two = film->kept[-one.sign % KEPT];
    if (one.sign + two.sign || !stands(net, film, &two) || (two.a < one.end && one.a < two.end)) return 0;
    f64 gain = cast(net, film, &two, seed);
    if (hope + film->paid + gain < need) return 0;
    return fit(net, film, &one, need - gain) && fit(net, film, &two, need);
}

static i32 copy(const Net *net, const Film *film, i32 *out) {
    i32 n = 0;
    for (i32 at = 0; at < net->nodes - 1; at = film->card[film->from[at]].last) out[n++] = film->from[at];
    return n;
}

static void begin(const Net *net, Film *film, const i32 *path, i32 n) {
    film->clips = 0;
    film->value = film->paid = 0;
    for (i32 k = 0; k < net->size; k++) {
        i32 s = net->slot[k];
        film->card[k] = (Card){net->value[k], net->full[k], net->way_x[k], net->way_y[k], s, net->first[s], net->last[s],
                               net->shot[k], net->low[k], net->high[k], net->group[k], net->take[k], net->must[k]};
    }
    for (i32 i = 0; i < net->nodes; i++) film->from[i] = film->into[i] = -1;
    for (i32 i = 0; i < net->shots; i++) film->head[i] = -1;
    for (i32 i = 0; i < KEPT; i++) film->kept[i].had = 0;
    for (i32 r = 0; r < net->rows; r++) {
        film->row[r] = (Row){net->row_low[r], net->row_high[r], net->row_rate[r], 0};
        film->value -= row_cost(net, r, 0);
    }
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
        f64 now = film->value, paid = film->paid, need = now + heat * logarithm(uniform(&seed));
        int can = draw(&seed, 4) ? recut(net, film, need, &seed) : refoot(net, film, need, &seed);
        if (!can || film->value < need) {
            undo(net, film);
            film->value = now;
            film->paid = paid;
        } else if (film->value > best + 1e-9) {
            best = film->value;
            n = copy(net, film, out);
        }
    }
    return n;
}
