// SPDX-License-Identifier: Apache-2.0
// Placements: which piece of which shot may stand in which slot, what it is worth there, and which are worth most after
// prices. Nothing is kept but the most that the hits of each pair of slot and shot can give; a pair that could be
// among the best is gone through anew each time. What a placement is, is told in src/backbeat/decide/place.py.

#include "kernel.h"
#include <wasm_simd128.h>

enum { LATTICE = 12, HIDDEN = 2 };
static const f64 ANY = 1e15;
static const f64 SLACK = 1e-4;  // what sums in single precision may lose

typedef struct Place {
    i32 shot, low, high;  // frames on the axis of source frames
    f64 value, factor, sync, full, red;
} Place;

typedef struct {
    f64 rate, hit_weight, hit_on_cut, miss, strong, pair, energy, tagged_worth, slowest, fastest;
    i32 slots, shots, rates, sections, frames, beats, reuse, kinds, clips, room;  // `clips`: the row of all clips
    // [slots]; beats inside it from inner_low to inner_high; `cut` the frame on which a hit is the cut itself
    const i32 *start, *end, *inner_low, *inner_high, *cut, *section, *row, *phrase, *kind, *locked;
    const f64 *base, *seconds, *music;
    const i32 *span;                                              // [slots, rates]
    const i32 *low, *high, *axis, *rate_of, *take, *must, *talks;  // [shots]; take and must as rows, -1 for none
    const f64 *own_rate, *by_second, *motion, *hero, *early, *late;  // [shots]
    const i32 *hit_begin;                                         // [shots + 1]
    const f64 *hit_time, *strength;                               // [hits]
    const f64 *worth, *bell;                                      // [frames + 1]
    const i32 *beat_frame;                                        // [beats]
    const f64 *beat_worth;
    const uint8_t *tagged;           // [shots, sections]
    const uint8_t *speech_in, *speech_out;  // [frames of source] a cut before, after the frame falls inside speech; or null
    const i32 *need;                 // [kinds, shots] the fewest source frames that a piece takes
    const f64 *sped;                 // what a change of speed costs, by ten-steps from the slowest on
    const i32 *by_worth;                 // [beats] in order of their worth
    const i32 *by_beat_begin, *by_beat;  // [beats + 1], slots that show each beat, the shortest first
    // Placements that are given, by slot: [slots + 1], [given].
    const i32 *given_begin, *given_shot, *given_low, *given_high;
    const f64 *given_value, *given_factor, *given_sync, *given_full;
    f32 *sync;                       // [slots, shots] the most that hits give, far below 0 where nothing may stand
    // Prices: `total` [frames of source + 1] what all frames before cost; `flat` [shots].
    const f64 *total, *price, *flat;
    // Room: [kinds, shots], [shots] each; [room] placements of one pair.
    f32 *fixed, *hope, *each_second, *moves;
    struct Place *list;
    struct Beside *beside;  // [most hits of a shot]
} Stage;

typedef struct {
    i32 room, size;
    i32 *slot, *shot, *low, *high;
    f64 *value, *factor, *sync, *full;
} Out;

static i32 floor_of(f64 x) { return (i32)__builtin_floor(x); }
static i32 least(i32 a, i32 b) { return a < b ? a : b; }

typedef struct {
    f64 total, caught, best, full;
} Hits;

// Add what hit k gives on record frame `at` of slot s.
static inline void one_hit(const Stage *g, i32 s, i32 k, i32 at, Hits *sum) {
    i32 first = g->start[s], last = g->end[s];
    f64 strength = g->strength[k], there = g->worth[least(at, last)], bell = g->bell[least(at, last)];
    if (at >= first + HIDDEN && at < last - HIDDEN) {
        f64 missed = strength >= g->strong ? g->miss * strength * (1 - bell) : 0;
        f64 gain = g->hit_weight * (strength * there * bell - missed), good = most(gain, 0);
        sum->total += gain;
        sum->caught += good;
        sum->best = most(sum->best, good);
        sum->full += strength >= g->strong && there > 0 && bell > 0.5;
    } else if (at < first + HIDDEN && bell > 0.5 && first > 0) {
        sum->total += g->hit_weight * g->hit_on_cut * strength * there;
    }
}

// What the hits of source frames in..end, shown from the slot's start at `factor`, give.
static f64 hits_give(const Stage *g, i32 s, i32 h, i32 in, i32 end, f64 factor, f64 *full) {
    f64 rate = g->own_rate[h], in_time = in / rate, spare = 1e-9 * rate;
    Hits sum = {0, 0, 0, 0};
    for (i32 k = g->hit_begin[h]; k < g->hit_begin[h + 1]; k++) {
        f64 frame = g->hit_time[k] * rate;
        if (frame >= end - spare) break;
        if (frame < in - spare) continue;
        f64 since = g->hit_time[k] - in_time;
        if (factor != 1) since /= factor;
        one_hit(g, s, k, g->start[s] + floor_of(since * g->rate + 0.5 + 1e-6), &sum);
    }
    *full = sum.full;
    return sum.total + g->pair * (sum.caught - sum.best);
}

// The value of a clip of shot h in slot s at normal speed, without its hits.
static f64 plain(const Stage *g, i32 s, i32 h) {
    f64 apart = g->motion[h] - g->music[s];
    f64 second = g->by_second[h] + g->energy * (0.5 - (apart < 0 ? -apart : apart));
    if (g->section[s] >= 0 && g->tagged[h * g->sections + g->section[s]]) second += g->tagged_worth;
    return g->base[s] + g->hero[h] + second * g->seconds[s];
}

static int fits(const Stage *g, i32 s, i32 h) {
    f64 need = __builtin_floor(g->span[s * g->rates + g->rate_of[h]] * g->slowest) - 1;
    return need <= g->high[h] - g->low[h] && g->start[s] >= g->early[h] * g->frames - 1e-6 &&
           g->end[s] <= g->late[h] * g->frames + 1e-6;
}

static int may_cut(const Stage *g, i32 h, i32 in, i32 out) {
    return !g->speech_in || !(g->speech_in[g->axis[h] + in] || g->speech_out[g->axis[h] + out - 1]);
}

// What is looked for: placements of shot h in slot s. Those that pay more than `most` for their footage are left out: of
// the lattice, and of the others.
typedef struct {
    i32 s, h;
    f64 even, anchored;
} Pair;

// Add the placement from source frame `in` at normal speed, if there is one.
static i32 add(const Stage *g, const Pair *pair, i32 in, i32 lattice, i32 n) {
    i32 s = pair->s, h = pair->h, out = in + g->span[s * g->rates + g->rate_of[h]];
    f64 full, most = lattice ? pair->even : pair->anchored;
    if (in < g->low[h] || out > g->high[h] || !may_cut(g, h, in, out)) return n;
    if (most < ANY && g->total[g->axis[h] + out] - g->total[g->axis[h] + in] > most) return n;
    f64 sync = hits_give(g, s, h, in, out, 1.0, &full);
    // A hit that is near a beat by luck is met better by an in-point that puts it there: one set for each purpose.
    if (lattice && sync > 0) return n;
    g->list[n] = (Place){h, g->axis[h] + in, g->axis[h] + out, 0, 1, sync, full, 0};
    return n + 1;
}

// The source frame from which hit k falls on record frame `at` of slot s.
static i32 in_point(const Stage *g, i32 s, i32 h, i32 k, i32 at) {
    return floor_of((g->hit_time[k] - (at - g->start[s]) / g->rate) * g->own_rate[h] + 0.5);
}

// Those that put a hit on a beat inside the slot, or on the cut.
static i32 anchored(const Stage *g, const Pair *pair, i32 n) {
    i32 s = pair->s, h = pair->h;
    for (i32 k = g->hit_begin[h]; k < g->hit_begin[h + 1]; k++) {
        for (i32 b = g->inner_low[s]; b < g->inner_high[s]; b++)
            if (g->beat_worth[b] > 0)
                n = add(g, pair, in_point(g, s, h, k, g->beat_frame[b]), 0, n);
        if (g->hit_on_cut > 0 && g->start[s] > 0)
            n = add(g, pair, in_point(g, s, h, k, g->cut[s]), 0, n);
    }
    return n;
}

// An even lattice of in-points.
static i32 even(const Stage *g, const Pair *pair, i32 n) {
    i32 s = pair->s, h = pair->h;
    if (pair->even < 0) return n;
    i32 need = g->span[s * g->rates + g->rate_of[h]], slack = g->high[h] - g->low[h] - need;
    if (slack < 0) return n;
    i32 count = slack == 0 ? 1 : least(1 + (slack + (need > 1 ? need : 1) - 1) / (need > 1 ? need : 1), LATTICE);
    for (i32 i = 0; i < count; i++) n = add(g, pair, g->low[h] + slack * i / (count > 1 ? count - 1 : 1), 1, n);
    return n;
}

// All placements of a pair at normal speed, as far as they are looked for: their number; they are in `list`.
static i32 all(const Stage *g, const Pair *pair) {
    if (!fits(g, pair->s, pair->h)) return 0;
    i32 n = anchored(g, pair, even(g, pair, 0));
    f64 value = plain(g, pair->s, pair->h);
    for (i32 i = 0; i < n; i++) g->list[i].value = value + g->list[i].sync;
    return n;
}

static int emit(Out *o, i32 s, const Place *p) {
    if (o->size == o->room) return 0;
    i32 i = o->size++;
    o->slot[i] = s, o->shot[i] = p->shot, o->low[i] = p->low, o->high[i] = p->high;
    o->value[i] = p->value, o->factor[i] = p->factor, o->sync[i] = p->sync, o->full[i] = p->full;
    return 1;
}

static Place given(const Stage *g, i32 i) {
    return (Place){g->given_shot[i], g->given_low[i], g->given_high[i], g->given_value[i],
                   g->given_factor[i], g->given_sync[i], g->given_full[i], 0};
}

// ---- prices ----

static f64 charge(const Stage *g, i32 s, i32 h, f64 full) {
    f64 cost = g->price[g->row[s]] + g->price[g->clips] + g->price[g->take[h]] * g->seconds[s] + g->flat[h];
    if (g->must[h] >= 0) cost += g->price[g->must[h]];
    return g->phrase[s] >= 0 ? cost + g->price[g->phrase[s]] * full : cost;
}

static f64 after_prices(const Stage *g, i32 s, const Place *p) {
    return p->value - (g->total[p->high] - g->total[p->low]) - charge(g, s, p->shot, p->full);
}

// The placements of a pair that may be worth more than `floor` after prices: their number; they are in `list`.
static i32 above(const Stage *g, i32 s, i32 h, f64 floor) {
    f64 room = plain(g, s, h) - charge(g, s, h, 0) - floor + SLACK;
    Pair pair = {s, h, room, room + g->sync[(int64_t)s * g->shots + h]};
    i32 n = all(g, &pair);
    for (i32 i = 0; i < n; i++) g->list[i].red = after_prices(g, s, &g->list[i]);
    return n;
}

// Take over prices: the least that a piece of `need` frames of each shot pays, and what else hangs on no slot. Called
// when `total`, `price` or `flat` have changed.
void price(const Stage *g) {
    for (i32 h = 0; h < g->shots; h++) {
        g->each_second[h] = (f32)(g->by_second[h] + 0.5 * g->energy - g->price[g->take[h]]);
        g->moves[h] = (f32)g->motion[h];
        for (i32 k = 0; k < g->kinds; k++) {
            i32 need = g->need[k * g->shots + h], from = g->axis[h] + g->low[h], to = g->axis[h] + g->high[h];
            f64 cheapest = to - from >= need ? g->total[from + need] - g->total[from] : 0;
            for (i32 i = from + 1; i + need <= to; i++) {
                f64 cost = g->total[i + need] - g->total[i];
                cheapest = cost < cheapest ? cost : cheapest;
            }
            f64 must = g->must[h] >= 0 ? g->price[g->must[h]] : 0;
            g->fixed[k * g->shots + h] = (f32)(g->hero[h] - must - cheapest - g->flat[h] + SLACK);
        }
    }
}

// The most that any placement of each shot in slot s can be worth after prices: in `hope` [shots], four at a time; up to
// three places more are filled with NEVER. Returns the highest.
static f32 hopes_of(const Stage *g, i32 s, f32 *hope) {
    const f32 *sync = g->sync + (int64_t)s * g->shots, *fixed = g->fixed + g->kind[s] * g->shots;
    v128_t seconds = wasm_f32x4_splat((f32)g->seconds[s]), music = wasm_f32x4_splat((f32)g->music[s]);
    v128_t energy = wasm_f32x4_splat((f32)g->energy), top = wasm_f32x4_splat((f32)NEVER);
    v128_t base = wasm_f32x4_splat((f32)(g->base[s] - g->price[g->row[s]] - g->price[g->clips]));
    for (i32 h = 0; h < g->shots; h += 4) {
        v128_t apart = wasm_f32x4_abs(wasm_f32x4_sub(wasm_v128_load(g->moves + h), music));
        v128_t second = wasm_f32x4_sub(wasm_v128_load(g->each_second + h), wasm_f32x4_mul(energy, apart));
        v128_t once = wasm_f32x4_add(wasm_f32x4_add(wasm_v128_load(sync + h), wasm_v128_load(fixed + h)), base);
        wasm_v128_store(hope + h, wasm_f32x4_add(once, wasm_f32x4_mul(seconds, second)));
    }
    for (i32 h = 0; g->sections && g->section[s] >= 0 && h < g->shots; h++)
        if (g->tagged[h * g->sections + g->section[s]]) hope[h] += (f32)(g->seconds[s] * g->tagged_worth);
    for (i32 h = g->shots; h % 4; h++) hope[h] = (f32)NEVER;
    for (i32 h = 0; h < g->shots; h += 4) top = wasm_f32x4_pmax(top, wasm_v128_load(hope + h));
    f32 a = wasm_f32x4_extract_lane(top, 0), b = wasm_f32x4_extract_lane(top, 1);
    f32 c = wasm_f32x4_extract_lane(top, 2), d = wasm_f32x4_extract_lane(top, 3);
    a = a > b ? a : b;
    c = c > d ? c : d;
    return a > c ? a : c;
}

// The next shot from h on whose hope is above `floor`; the number of shots where there is none.
static i32 next_above(const Stage *g, i32 h, f64 floor) {
    f32 bar = floor < NEVER / 2 ? (f32)(NEVER / 2) : (f32)(floor - SLACK);
    for (; h < g->shots && h % 4; h++)
        if (g->hope[h] > bar) return h;
    v128_t bars = wasm_f32x4_splat(bar);
    while (h < g->shots && !wasm_v128_any_true(wasm_f32x4_gt(wasm_v128_load(g->hope + h), bars))) h += 4;
    while (h < g->shots && g->hope[h] <= bar) h++;
    return least(h, g->shots);
}

// ---- the most that hits give ----

// A hit of a shot while another of its hits stands on a beat: where it falls, what it gives there seen and as the cut.
typedef struct Beside {
    i32 at;
    f64 gain, cut;
} Beside;

// What the hits of a shot give with hit k on record frame `at` of slot s; NEVER where it cannot stand so.
static f64 with_hit_on(const Stage *g, i32 s, i32 h, i32 k, i32 at) {
    i32 in = in_point(g, s, h, k, at), out = in + g->span[s * g->rates + g->rate_of[h]];
    f64 full;
    return in < g->low[h] || out > g->high[h] || !may_cut(g, h, in, out) ? NEVER : hits_give(g, s, h, in, out, 1, &full);
}

// At the film's own rate the other hits of a shot fall as far from hit k on record frame `at` as they do in the take,
// whatever the slot: lay them into `beside`, in order. Returns the most that they and it can give.
static f64 lay(const Stage *g, i32 h, i32 k, i32 at, f64 whole) {
    f64 most_of_all = 0;
    for (i32 o = g->hit_begin[h], i = 0; o < g->hit_begin[h + 1]; o++, i++) {
        i32 place = at + floor_of(g->hit_time[o] * g->rate - whole + 0.5 + 1e-6);
        i32 on = place < 0 ? 0 : least(place, g->frames);
        f64 strength = g->strength[o], there = g->worth[on], bell = g->bell[on];
        f64 missed = strength >= g->strong ? g->miss * strength * (1 - bell) : 0;
        f64 gain = g->hit_weight * (strength * there * bell - missed);
        f64 cut = bell > 0.5 ? g->hit_weight * g->hit_on_cut * strength * there : 0;
        g->beside[i] = (Beside){place, gain, cut};
        most_of_all += most(most(gain, 0) * (o == k ? 1 : 1 + g->pair), cut);
    }
    return most_of_all;
}

// What of the hits in `beside` slot s shows.
static f64 seen(const Stage *g, i32 s, i32 hits) {
    f64 total = 0, caught = 0, best = 0;
    i32 first = g->start[s], last = g->end[s] - HIDDEN;
    for (i32 i = 0; i < hits && g->beside[i].at < last; i++) {
        const Beside *b = &g->beside[i];
        if (b->at >= first + HIDDEN) {
            f64 good = most(b->gain, 0);
            total += b->gain;
            caught += good;
            best = most(best, good);
        } else if (b->at >= first && first > 0) total += b->cut;
    }
    return total + g->pair * (caught - best);
}

// Raise `column` [slots] to what hit k of shot h and those beside it give on each beat of each slot.
static void on_beats(const Stage *g, i32 h, i32 k, f32 *column) {
    i32 hits = g->hit_begin[h + 1] - g->hit_begin[h];
    f64 longest = (g->high[h] - g->low[h]) / g->own_rate[h] * g->rate + 2;
    f64 place = g->hit_time[k] * g->rate + 0.5, whole = __builtin_floor(place), off = place - whole;
    int own_rate = g->own_rate[h] == g->rate && off > 1e-6 && off < 1 - 1e-6;
    for (i32 i = 0; i < g->beats; i++) {  // the best beats first: most others need no look then
        i32 b = g->by_worth[i], at = g->beat_frame[b];
        if (g->beat_worth[b] <= 0) break;
        f64 most_of_all = own_rate ? lay(g, h, k, at, whole) : -NEVER;
        for (i32 q = g->by_beat_begin[b]; q < g->by_beat_begin[b + 1]; q++) {
            i32 s = g->by_beat[q];
            if (g->end[s] - g->start[s] > longest) break;
            if (most_of_all <= column[s] || column[s] < 0) continue;
            f64 found;
            if (own_rate) {
                i32 in = (i32)whole - (at - g->start[s]), out = in + g->span[s * g->rates + g->rate_of[h]];
                if (in < g->low[h] || out > g->high[h] || !may_cut(g, h, in, out)) continue;
                found = seen(g, s, hits);
            } else found = with_hit_on(g, s, h, k, at);
            if (found > column[s]) column[s] = (f32)found;
        }
    }
}

// The same for hit k as the cut itself.
static void on_cut(const Stage *g, i32 h, i32 k, f32 *column) {
    i32 end = g->hit_begin[h + 1];
    for (i32 s = 0; s < g->slots; s++) {
        if (g->start[s] <= 0 || column[s] < 0) continue;
        f64 other = 0, last = g->hit_time[k] + g->seconds[s];  // what hits that can be seen with it give at most
        for (i32 o = k + 1; o < end && g->hit_time[o] < last; o++) other += g->strength[o];
        if (g->hit_weight * (g->hit_on_cut * g->strength[k] + (1 + g->pair) * other) <= column[s]) continue;
        f64 found = with_hit_on(g, s, h, k, g->cut[s]);
        if (found > column[s]) column[s] = (f32)found;
    }
}

// Fill `sync`: for each pair the most that its hits give; at least 0 where it may stand. `column` has room for [slots].
void look(const Stage *g, f32 *column) {
    for (i32 h = 0; h < g->shots; h++) {
        for (i32 s = 0; s < g->slots; s++) {
            int may = !g->locked[s] && fits(g, s, h) && g->high[h] - g->low[h] >= g->span[s * g->rates + g->rate_of[h]];
            column[s] = may ? 0 : (f32)NEVER;
        }
        for (i32 k = g->hit_begin[h]; k < g->hit_begin[h + 1]; k++) on_beats(g, h, k, column);
        for (i32 k = g->hit_begin[h]; k < g->hit_begin[h + 1] && g->hit_on_cut > 0; k++) on_cut(g, h, k, column);
        for (i32 s = 0; s < g->slots; s++) g->sync[(int64_t)s * g->shots + h] = column[s];
    }
}

// The hopes of all pairs: [slots, shots].
void hopes(const Stage *g, f32 *out) {
    for (i32 s = 0; s < g->slots; s++) {
        hopes_of(g, s, g->hope);
        for (i32 h = 0; h < g->shots; h++) out[(int64_t)s * g->shots + h] = g->hope[h];
    }
}

static f64 best_of(const Stage *g, i32 s, i32 h, f64 best) {
    for (i32 n = above(g, s, h, best), i = 0; i < n; i++) best = most(best, g->list[i].red);
    return best;
}

// The most that any placement in each of the slots `wanted` is worth after prices, exact: [slots].
void tops(const Stage *g, const i32 *wanted, f64 *out) {
    for (i32 s = 0; s < g->slots; s++) {
        f64 best = NEVER;
        for (i32 i = g->given_begin[s]; i < g->given_begin[s + 1]; i++) {
            Place p = given(g, i);
            best = most(best, after_prices(g, s, &p));
        }
        if (wanted[s]) {  // the most hopeful first: few others need a look then
            f32 top = hopes_of(g, s, g->hope);
            i32 first = 0;
            while (g->hope[first] < top) first++;
            if (top > NEVER / 2) best = best_of(g, s, first, best);
            for (i32 h = next_above(g, 0, best); h < g->shots; h = next_above(g, h + 1, best))
                if (h != first) best = best_of(g, s, h, best);
        }
        out[s] = best;
    }
}

// Keep `p` among the `crowd` best of a heap whose least is first.
static i32 hold(Place *heap, i32 n, i32 crowd, const Place *p) {
    i32 i = 0;
    if (n < crowd) {
        for (i = n++; i && heap[(i - 1) / 2].red > p->red; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
    } else if (p->red > heap[0].red) {
        for (i32 c = 1; c < n; c = 2 * i + 1) {
            if (c + 1 < n && heap[c + 1].red < heap[c].red) c++;
            if (heap[c].red >= p->red) break;
            heap[i] = heap[c];
            i = c;
        }
    } else return n;
    heap[i] = *p;
    return n;
}

// Put the `each` best of list[0..n] first, best first.
static i32 best_first(Place *list, i32 n, i32 each) {
    for (i32 k = 0; k < n && k < each; k++) {
        i32 top = k;
        for (i32 i = k + 1; i < n; i++) top = list[i].red > list[top].red ? i : top;
        Place p = list[k];
        list[k] = list[top];
        list[top] = p;
    }
    return least(n, each);
}

// The placements worth at least `floor` [slots] after prices, `each` of a slot and shot and `crowd` of a slot at most.
// Returns how many; -1 if `o` has no room for them. `heap` has room for `crowd`.
i32 near(const Stage *g, const f64 *floor, i32 each, i32 crowd, Place *heap, Out *o) {
    o->size = 0;
    for (i32 s = 0; s < g->slots; s++) {
        i32 n = 0;
        if (floor[s] >= -NEVER) continue;
        for (i32 i = g->given_begin[s]; i < g->given_begin[s + 1]; i++) {
            Place p = given(g, i);
            p.red = after_prices(g, s, &p);
            if (p.red >= floor[s]) n = hold(heap, n, crowd, &p);
        }
        hopes_of(g, s, g->hope);
        f64 bar = n == crowd ? most(floor[s], heap[0].red) : floor[s];
        for (i32 h = next_above(g, 0, bar); h < g->shots; h = next_above(g, h + 1, bar)) {
            i32 found = above(g, s, h, bar), good = 0;
            for (i32 i = 0; i < found; i++)
                if (g->list[i].red >= bar) g->list[good++] = g->list[i];
            if (good > each) good = best_first(g->list, good, each);
            for (i32 i = 0; i < good; i++) n = hold(heap, n, crowd, &g->list[i]);
            bar = n == crowd ? most(floor[s], heap[0].red) : floor[s];
            if (n > o->room - o->size) return -1;
        }
        for (i32 i = 0; i < n; i++)
            if (!emit(o, s, &heap[i])) return -1;
    }
    return o->size;
}

// All placements at normal speed of `n` pairs; returns how many.
i32 expand(const Stage *g, i32 n, const i32 *slot, const i32 *shot, Out *o) {
    o->size = 0;
    for (i32 k = 0; k < n; k++) {
        Pair pair = {slot[k], shot[k], ANY, ANY};
        for (i32 m = all(g, &pair), i = 0; i < m; i++)
            if (!emit(o, slot[k], &g->list[i])) return -1;
    }
    return o->size;
}

// What hits give to placements (frames of their own take, not of the axis), and the value but for their speed.
void weigh(const Stage *g, i32 n, const i32 *slot, const i32 *shot, const i32 *low, const i32 *high, const f64 *factor,
           f64 *value, f64 *sync, f64 *full) {
    for (i32 k = 0; k < n; k++) {
        sync[k] = hits_give(g, slot[k], shot[k], low[k], high[k], factor[k], &full[k]);
        value[k] = plain(g, slot[k], shot[k]) + sync[k];
    }
}

// ---- changes of speed ----

static i32 nearest_beat(const Stage *g, i32 from, f64 at) {
    i32 c = from;
    while (c + 1 < g->beats && g->beat_frame[c + 1] < at) c++;
    if (c + 1 == g->beats) return c;
    return at - g->beat_frame[c] <= g->beat_frame[c + 1] - at ? c : c + 1;
}

// Hit k on beat b at `factor` in slot s; whether it lies inside what is usable.
static int at_speed(const Stage *g, i32 s, i32 h, i32 k, i32 b, f64 factor, Place *p) {
    f64 rate = g->own_rate[h];
    if (!fits(g, s, h)) return 0;
    if (!g->reuse && factor < 1 && factor * rate < g->rate - 1e-9) return 0;  // it would show pictures twice
    f64 into = (g->beat_frame[b] - g->start[s]) / g->rate * factor;
    i32 in = floor_of((g->hit_time[k] - into) * rate + 0.5);
    if (in < g->low[h]) return 0;
    f64 passed = (g->end[s] - g->start[s] - 1) / g->rate * factor;
    i32 out = in + 1 + (i32)__builtin_ceil(__builtin_rint(passed * 1e6) / 1e6 * rate - 0.5 - 1e-7);
    if (out > g->high[h]) return 0;
    *p = (Place){h, g->axis[h] + in, g->axis[h] + out, 0, factor, 0, 0, 0};
    p->sync = hits_give(g, s, h, in, out, factor, &p->full);
    return 1;
}

// All placements that put a hit and one of the next two on two beats by a change of speed. Returns how many there are,
// whether or not `o` has room for them.
i32 sped(const Stage *g, Out *o) {
    i32 found = 0;
    o->size = 0;
    for (i32 h = 0; h < g->shots; h++) {
        f64 longest = (g->high[h] - g->low[h]) / g->own_rate[h] * g->rate / g->slowest + 2;
        for (i32 k = g->hit_begin[h]; k < g->hit_begin[h + 1] && !g->talks[h]; k++)
            for (i32 other = k + 1; other <= k + 2 && other < g->hit_begin[h + 1]; other++)
                for (i32 b = 0; b < g->beats; b++) {
                    f64 gap = g->hit_time[other] - g->hit_time[k];
                    i32 c = nearest_beat(g, b, g->beat_frame[b] + gap * g->rate);
                    f64 length = (g->beat_frame[c] - g->beat_frame[b]) / g->rate;
                    if (length <= 0 || g->beat_worth[b] <= 0 || g->beat_worth[c] <= 0) continue;
                    i32 steps = (i32)__builtin_rint(gap / length * 1e4);
                    f64 factor = steps / 1e4, off = (gap - length) * g->rate;
                    // Less than three quarters of a frame off is on the beat as it is.
                    if (factor < g->slowest || factor > g->fastest || (off <= 0.75 && off >= -0.75)) continue;
                    for (i32 q = g->by_beat_begin[b]; q < g->by_beat_begin[b + 1]; q++) {
                        Place p;
                        i32 s = g->by_beat[q];
                        if (g->end[s] - g->start[s] > longest) break;
                        if (c >= g->inner_high[s] || g->locked[s] || !at_speed(g, s, h, k, b, factor, &p)) continue;
                        p.value = plain(g, s, h) - g->sped[steps - (i32)__builtin_rint(g->slowest * 1e4)] + p.sync;
                        found++;
                        emit(o, s, &p);
                    }
                }
    }
    return found;
}
