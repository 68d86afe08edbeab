// SPDX-License-Identifier: Apache-2.0
// The inner loops of the decision: beams over the slots, and windows of a film filled anew.
//
// The caller lays every array out in memory (src/backbeat/decide/beam.py).

#include "net.h"

static const f64 DEAR = 1e6;  // a tax above this forbids
static const f64 LEEWAY = 0.1;  // variance of counts that cannot change
enum { LOOKS = 8 };           // ends of a window's beam whose films are weighed

typedef struct {
    f64 rank, score;
    i32 state, placement, serial;
} Candidate;

// Partial films: state i at a node is number node * width + i; each knows the state that it goes on from.
typedef struct {
    i32 width, per_sign, per_parent, pool;
    i32 *filled;                 // [nodes]
    f64 *score;                  // [nodes * width]
    i32 *length, *placement, *parent;  // [nodes * width]
    uint32_t *sign;              // [nodes * width] a hash of the counts
    uint32_t *used;              // [nodes * width, (shots + 31) / 32] a bit for each shot that is shown
    f64 *count;                  // [nodes * width, styles + 2]: each length, all clips, bursts
    Candidate *heap;             // [pool]
    // Room to work in.
    f64 *sum, *others, *ahead, *regret, *tax;  // [rows], [rows], [nodes * styles], [nodes], [size]
    i32 *order, *trial, *better, *head, *next;  // [nodes] each, head [shots]
} Beam;

// What a beam is to fill: nodes first..last between the placements before and after (-1 for none).
typedef struct {
    i32 first, last, before, after, floor, ceiling, priced, taxed;
    const f64 *plan, *stiff;  // [nodes * styles] counts from each node on, and how sure they are (`outlook`); or null
    f64 close;                // temperature of what may come, or weight of the rows before the end
} Window;

static int begins_burst(const Net *net, i32 before, i32 slot) {
    return net->bursts >= 0 && net->quick[slot] && (before < 0 || !net->quick[net->slot[before]]);
}

static void tally(const Net *net, f64 *count, i32 before, i32 k) {
    i32 s = net->slot[k];
    count[net->row[s]] += 1;
    count[net->take[k]] += net->seconds[s];
    if (net->phrase[s] >= 0) count[net->phrase[s]] += net->full[k];
    if (net->must[k] >= 0) count[net->must[k]] += 1;
    if (begins_burst(net, before, s)) count[net->bursts] += 1;
    count[net->rows - 1] += 1;
}

// What showing footage again costs.
static f64 again_cost(const Net *net, const i32 *path, i32 n, i32 *order) {
    for (i32 i = 0; i < n; i++) {
        i32 j = i;
        for (; j > 0 && net->low[order[j - 1]] > net->low[path[i]]; j--) order[j] = order[j - 1];
        order[j] = path[i];
    }
    f64 cost = 0;
    i32 top = n ? net->high[order[0]] : 0;
    for (i32 i = 1; i < n; i++) {
        i32 k = order[i], reach = top < net->high[k] ? top : net->high[k];
        if (reach > net->low[k]) cost += (reach - net->low[k]) * net->second[k];
        if (net->high[k] > top) top = net->high[k];
    }
    return cost * net->again;
}

// The true value of a film.
static f64 worth(const Net *net, const Beam *beam, const i32 *path, i32 n) {
    f64 value = 0;
    for (i32 r = 0; r < net->rows; r++) beam->sum[r] = 0;
    for (i32 i = 0; i < n; i++) {
        i32 before = i ? path[i - 1] : -1;
        value += net->value[path[i]] - beside(net, before, path[i]);
        tally(net, beam->sum, before, path[i]);
    }
    for (i32 r = 0; r < net->rows; r++) value -= row_cost(net, r, beam->sum[r]);
    return net->reuse ? value - again_cost(net, path, n, beam->order) : value;
}

// ---- the beam ----

static int worse(const Candidate *a, const Candidate *b) {
    return a->rank < b->rank || (a->rank == b->rank && a->serial > b->serial);
}

static void sift(Candidate *heap, i32 n, i32 i) {
    Candidate moved = heap[i];
    for (;;) {
        i32 child = 2 * i + 1;
        if (child >= n) break;
        if (child + 1 < n && worse(&heap[child + 1], &heap[child])) child++;
        if (!worse(&heap[child], &moved)) break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = moved;
}

static void offer(Candidate *heap, i32 *n, i32 room, Candidate c) {
    if (*n < room) {
        i32 i = (*n)++;
        while (i && worse(&c, &heap[(i - 1) / 2])) {
            heap[i] = heap[(i - 1) / 2];
            i = (i - 1) / 2;
        }
        heap[i] = c;
    } else if (worse(&heap[0], &c)) {
        heap[0] = c;
        sift(heap, *n, 0);
    }
}

// What the counts that a film is likely to end with lie outside of the rows; see `outlook`. A count never falls: what it
// has too much already will be paid for, beyond its price, which the placements pay.
static f64 unlikely(const Net *net, const Window *w, const f64 *count, i32 row, i32 node) {
    const f64 *mean = w->plan + (int64_t)node * net->styles, *stiff = w->stiff + (int64_t)node * net->styles;
    f64 cost = 0;
    for (i32 r = 0; r < net->styles; r++) {
        f64 now = count[r] + (r == row), n = now + mean[r];
        f64 off = most(n - net->row_high[r], 0) + most(net->row_low[r] - n, 0);
        f64 sure = most(now - net->row_high[r], 0) * (net->row_rate[r] - net->row_price[r]);
        cost += most(sure, w->close * stiff[r] * off * off);
    }
    return cost;
}

// What a partial film with these counts, and one more clip of `row`, pays at `node` for its lengths and bursts.
static f64 style_cost(const Net *net, const Window *w, const Beam *beam, const f64 *count, i32 row, i32 burst, i32 node) {
    if (w->priced && (!w->stiff || node < w->last))
        return (w->stiff ? unlikely(net, w, count, row, node) : 0) + burst * net->burst;
    f64 cost = 0, total = beam->others[net->rows - 1] + count[net->styles] + 1;
    for (i32 r = 0; r < net->styles; r++) {
        f64 ahead = w->plan ? w->plan[(int64_t)node * net->styles + r] : 0;
        cost += row_cost(net, r, beam->others[r] + count[r] + (r == row) + ahead);
        total += ahead;
    }
    cost += row_cost(net, net->rows - 1, total);
    if (net->bursts >= 0) cost += row_cost(net, net->bursts, beam->others[net->bursts] + count[net->styles + 1] + burst);
    return node == w->last ? cost : cost * w->close;
}

// What the film pays more for the take and the phrase of `k`, less what it gets for a take that must be used.
static f64 other_rows(const Net *net, const Beam *beam, i32 state, i32 k) {
    f64 cost = 0;
    i32 s = net->slot[k], take = net->take[k], must = net->must[k], phrase = net->phrase[s];
    f64 seconds = beam->others[take], full = phrase >= 0 ? beam->others[phrase] : 0;
    int new = must >= 0 && beam->others[must] == 0;
    for (i32 at = state; beam->length[at]; at = beam->parent[at]) {
        i32 p = beam->placement[at];
        if (net->take[p] == take) seconds += net->seconds[net->slot[p]];
        if (phrase >= 0 && net->phrase[net->slot[p]] == phrase) full += net->full[p];
        new &= net->must[p] != must;
    }
    cost += row_cost(net, take, seconds + net->seconds[s]) - row_cost(net, take, seconds);
    if (phrase >= 0) cost += row_cost(net, phrase, full + net->full[k]) - row_cost(net, phrase, full);
    return new ? cost - net->row_rate[must] : cost;
}

static uint32_t *used(const Net *net, const Beam *beam, i32 state) {
    return beam->used + (int64_t)state * ((net->shots + 31) / 32);
}

static int shown(const Net *net, const Beam *beam, i32 state, i32 k) {
    i32 shot = net->shot[k];
    if (!(used(net, beam, state)[shot / 32] >> shot % 32 & 1)) return 0;
    for (i32 at = state; beam->length[at]; at = beam->parent[at])
        if (clash(net, beam->placement[at], k)) return 1;
    return 0;
}

// Candidates that go on from one partial film through slot `s`.
static void extend(const Net *net, const Window *w, Beam *beam, i32 state, i32 s, i32 node, i32 *n, i32 *serial) {
    const f64 *value = w->priced ? net->red : net->value;
    const i32 *arcs = w->priced ? net->arc : net->by_value;
    i32 before = beam->length[state] ? beam->placement[state] : w->before, got = 0;
    i32 floor = net->ordered && beam->length[state] ? net->high[before] : w->floor;
    f64 style = style_cost(net, w, beam, beam->count + (int64_t)state * (net->styles + 2), net->row[s],
                           begins_burst(net, before, s), node);
    for (i32 a = net->arc_begin[s]; a < net->arc_begin[s + 1] && got < beam->per_parent; a++) {
        i32 k = arcs[a];
        f64 score = beam->score[state] + value[k];
        f64 rank = score - style + (net->ahead && w->priced ? net->ahead[k] : 0);
        int full = *n == beam->pool;
        if (full && !net->ahead && rank <= beam->heap[0].rank && net->must[k] < 0) break;
        if (w->taxed && beam->tax[k] > DEAR) continue;
        if (net->ordered && (net->low[k] < floor || net->high[k] > w->ceiling)) continue;
        f64 cost = beside(net, before, k) + (w->taxed ? beam->tax[k] : 0);
        if (full && rank - cost <= beam->heap[0].rank && net->must[k] < 0) continue;
        if (!w->priced) cost += other_rows(net, beam, state, k);
        if (node == w->last && w->after >= 0) cost += beside(net, k, w->after);
        if (full && rank - cost <= beam->heap[0].rank) continue;
        if (!net->reuse && !net->ordered && shown(net, beam, state, k)) continue;
        f64 burst = w->priced ? begins_burst(net, before, s) * net->burst : 0;
        offer(beam->heap, n, beam->pool, (Candidate){rank - cost, score - cost - burst, state, k, (*serial)++});
        got++;
    }
}

static void keep(const Net *net, const Window *w, Beam *beam, i32 node, const Candidate *one, i32 i, uint32_t sign) {
    i32 to = node * beam->width + i, from = one->state, many = net->styles + 2, s = net->slot[one->placement];
    const f64 *had = beam->count + (int64_t)from * many;
    f64 *count = beam->count + (int64_t)to * many;
    for (i32 r = 0; r < many; r++) count[r] = had[r];
    count[net->row[s]] += 1;
    count[net->styles] += 1;
    count[net->styles + 1] += begins_burst(net, beam->length[from] ? beam->placement[from] : w->before, s);
    const uint32_t *seen = used(net, beam, from);
    uint32_t *bits = used(net, beam, to);
    for (i32 q = 0; q < (net->shots + 31) / 32; q++) bits[q] = seen[q];
    bits[net->shot[one->placement] / 32] |= 1u << net->shot[one->placement] % 32;
    beam->length[to] = beam->length[from] + 1;
    beam->placement[to] = one->placement;
    beam->parent[to] = from;
    beam->score[to] = one->score;
    beam->sign[to] = sign;
}

// The partial films that reach `node`: of equals one, of equal counts `per_sign`.
static void arrive(const Net *net, const Window *w, Beam *beam, i32 node) {
    i32 n = 0, serial = 0, kept = 0;
    for (i32 q = net->into_begin[node]; q < net->into_begin[node + 1]; q++) {
        i32 s = net->into[q], from = net->first[s];
        if (from < w->first) continue;
        for (i32 i = 0; i < beam->filled[from]; i++) extend(net, w, beam, from * beam->width + i, s, node, &n, &serial);
    }
    for (i32 m = n - 1; m > 0; m--) {  // the heap sorted, best first
        Candidate c = beam->heap[0];
        beam->heap[0] = beam->heap[m];
        sift(beam->heap, m, 0);
        beam->heap[m] = c;
    }
    for (i32 c = 0; c < n && kept < beam->width; c++) {
        const Candidate *one = &beam->heap[c];
        int same = 0;
        for (i32 d = c - 1; d >= 0 && beam->heap[d].rank - one->rank < 1e-7 && !same; d--)
            same = net->group[beam->heap[d].placement] == net->group[one->placement];
        if (same) continue;
        uint32_t row = (uint32_t)net->row[net->slot[one->placement]];
        uint32_t sign = beam->sign[one->state] + (row + 1) * 2654435761u * (2 * row + 3);
        i32 alike = 0;
        for (i32 d = 0; d < kept; d++) alike += beam->sign[node * beam->width + d] == sign;
        if (alike < beam->per_sign) keep(net, w, beam, node, one, kept++, sign);
    }
    beam->filled[node] = kept;
}

static void run(const Net *net, const Window *w, Beam *beam) {
    i32 at = w->first * beam->width;
    for (i32 node = w->first; node <= w->last; node++) beam->filled[node] = 0;
    beam->filled[w->first] = 1;
    beam->score[at] = 0;
    beam->length[at] = 0;
    beam->sign[at] = 0;
    for (i32 q = 0; q < (net->shots + 31) / 32; q++) used(net, beam, at)[q] = 0;
    for (i32 r = 0; r < net->styles + 2; r++) beam->count[(int64_t)at * (net->styles + 2) + r] = 0;
    for (i32 node = w->first + 1; node <= w->last; node++) arrive(net, w, beam, node);
}

// Write the placements of a partial film into `out`, in order; return how many.
static i32 trace(const Beam *beam, i32 state, i32 *out) {
    i32 n = beam->length[state];
    for (i32 i = n - 1; i >= 0; i--, state = beam->parent[state]) out[i] = beam->placement[state];
    return n;
}

// ---- windows ----

// The best placement of the slot of film[c] that shows nothing which the film shows elsewhere; -1 if there is none.
// With `listed`, elsewhere is what stands in the lists of kept clips.
static i32 instead(const Net *net, const i32 *film, i32 n, i32 c, const Beam *listed, f64 *best) {
    i32 s = net->slot[film[c]], found = -1;
    *best = NEVER;
    for (i32 a = net->arc_begin[s]; a < net->arc_begin[s + 1]; a++) {
        i32 k = net->by_value[a];
        int bad = k == film[c];
        if (net->value[k] <= *best) break;
        if (listed)
            for (i32 o = listed->head[net->shot[k]]; o >= 0 && !bad; o = listed->next[o]) bad = o != c && clash(net, film[o], k);
        else
            for (i32 o = 0; o < n && !bad; o++) bad = o != c && clash(net, film[o], k);
        if (bad) continue;
        f64 v = net->value[k] - beside(net, c ? film[c - 1] : -1, k) - (c + 1 < n ? beside(net, k, film[c + 1]) : 0);
        if (v > *best) *best = v, found = k;
    }
    return found;
}

// What each kept clip would lose if its footage were taken from it.
static void regrets(const Net *net, Beam *beam, const i32 *film, i32 n, i32 i, i32 j, i32 steal) {
    for (i32 c = 0; c < n; c++) {
        beam->regret[c] = 2 * DEAR;
        if ((c >= i && c < j) || !steal) continue;
        f64 best, now = net->value[film[c]];
        now -= beside(net, c ? film[c - 1] : -1, film[c]) + (c + 1 < n ? beside(net, film[c], film[c + 1]) : 0);
        if (instead(net, film, n, c, beam, &best) >= 0) beam->regret[c] = most(now - best, 0);
    }
}

// Move kept clips of `film` out of the way of the clips i..j; whether all found another placement.
static int give_way(const Net *net, i32 *film, i32 n, i32 i, i32 j) {
    for (i32 c = 0; c < n; c++) {
        int bad = 0;
        for (i32 o = i; o < j && !bad; o++) bad = (c < i || c >= j) && clash(net, film[o], film[c]);
        f64 best;
        i32 k = bad ? instead(net, film, n, c, 0, &best) : 0;
        if (k < 0) return 0;
        if (bad) film[c] = k;
    }
    return 1;
}

static void list(const Net *net, Beam *beam, const i32 *film, i32 n, i32 i, i32 j) {
    for (i32 s = 0; s < net->shots; s++) beam->head[s] = -1;
    for (i32 c = 0; c < n; c++) {
        if (c >= i && c < j) continue;
        beam->next[c] = beam->head[net->shot[film[c]]];
        beam->head[net->shot[film[c]]] = c;
    }
}

static void tax(const Net *net, const Window *w, Beam *beam, const i32 *film) {
    for (i32 node = w->first + 1; node <= w->last; node++)
        for (i32 q = net->into_begin[node]; q < net->into_begin[node + 1]; q++) {
            i32 s = net->into[q];
            for (i32 a = net->first[s] < w->first ? net->arc_begin[s + 1] : net->arc_begin[s]; a < net->arc_begin[s + 1]; a++) {
                i32 k = net->arc[a];
                beam->tax[k] = 0;
                for (i32 o = beam->head[net->shot[k]]; o >= 0; o = beam->next[o])
                    if (clash(net, film[o], k)) beam->tax[k] += beam->regret[o];
            }
        }
}

// Fill the nodes between clips i and j of `film` [n] anew, in place, if that makes it worth at least `floor`.
// Returns the new length, 0 if nothing better was found; `value` is then left as it was.
static i32 refill(const Net *net, Beam *beam, i32 *film, i32 n, i32 i, i32 j, Window w, i32 steal, f64 floor, f64 *value) {
    w.before = i ? film[i - 1] : -1;
    w.after = j < n ? film[j] : -1;
    w.taxed = !net->reuse && !net->ordered;
    w.floor = -1;
    w.ceiling = INT32_MAX;
    for (i32 r = 0; r < net->rows; r++) beam->others[r] = 0;
    for (i32 c = 0; c < n; c++) {
        if (c >= i && c < j) continue;
        tally(net, beam->others, c ? film[c - 1] : -1, film[c]);
        if (c < i) w.floor = net->high[film[c]] > w.floor ? net->high[film[c]] : w.floor;
        else w.ceiling = net->low[film[c]] < w.ceiling ? net->low[film[c]] : w.ceiling;
    }
    // What the film had of each length from a node on stands for what is still to come.
    f64 *ahead = beam->ahead;
    for (i32 r = 0; r < net->styles; r++) ahead[(int64_t)w.last * net->styles + r] = 0;
    for (i32 node = w.last - 1, c = j - 1; node >= w.first; node--) {
        f64 *here = ahead + (int64_t)node * net->styles;
        for (i32 r = 0; r < net->styles; r++) here[r] = here[net->styles + r];
        if (c >= i && net->first[net->slot[film[c]]] == node) here[net->row[net->slot[film[c--]]]] += 1;
    }
    w.plan = w.priced ? 0 : ahead;
    if (w.taxed) {
        list(net, beam, film, n, i, j);
        regrets(net, beam, film, n, i, j, steal);
        tax(net, &w, beam, film);
    }
    run(net, &w, beam);
    f64 best = NEVER;
    i32 *trial = beam->trial, length = 0;
    for (i32 q = 0; q < beam->filled[w.last] && q < LOOKS; q++) {
        i32 t = i, m = trace(beam, w.last * beam->width + q, trial + i), differs = m != j - i;
        for (i32 p = 0; p < i; p++) trial[p] = film[p];
        for (i32 p = 0; p < m && !differs; p++) differs = trial[i + p] != film[i + p];
        t += m;
        for (i32 p = j; p < n; p++) trial[t++] = film[p];
        if (!differs || (w.taxed && !give_way(net, trial, t, i, i + m))) continue;
        f64 v = worth(net, beam, trial, t);
        if (v > best) {
            best = v, length = t;
            for (i32 p = 0; p < t; p++) beam->better[p] = trial[p];
        }
    }
    if (!length || best < floor) return 0;
    *value = best;
    for (i32 p = 0; p < length; p++) film[p] = beam->better[p];
    return length;
}

// ---- what the caller calls; each leaves a film in `out` [nodes] and returns its length ----

// What a random film, weighed by exp(value / heat), counts of each length from each node on [nodes * styles]: its mean,
// and one over twice its variance. A film that will miss its rows by `off` makes that good on the way with a chance of
// about exp(-stiff * off^2), and a chance is worth heat times its logarithm.
void outlook(const Net *net, f64 heat, f64 *mean, f64 *stiff) {
    i32 n = net->styles;
    for (i32 i = 0; i < net->nodes * n; i++) mean[i] = stiff[i] = 0;
    for (i32 node = net->nodes - 2; node >= 0; node--) {
        f64 all = 0, *here = mean + (int64_t)node * n, *square = stiff + (int64_t)node * n;
        for (i32 s = net->out_begin[node]; s < net->out_begin[node + 1]; s++) all += power(net->slack[s] / heat);
        for (i32 s = net->out_begin[node]; all > 0 && s < net->out_begin[node + 1]; s++) {
            const f64 *on = mean + (int64_t)net->last[s] * n, *on_square = stiff + (int64_t)net->last[s] * n;
            f64 chance = power(net->slack[s] / heat) / all;
            for (i32 r = 0; r < n; r++) {
                f64 one = r == net->row[s];
                here[r] += chance * (on[r] + one);
                square[r] += chance * (on_square[r] + one * (2 * on[r] + 1));
            }
        }
    }
    for (i32 i = 0; i < net->nodes * n; i++) stiff[i] = 0.5 / (most(stiff[i] - mean[i] * mean[i], 0) + LEEWAY);
    // The prices are not exact, and in a long film what they err by adds up: it is scaled away.
    for (i32 r = 0; r < n; r++) {
        f64 all = mean[r], kept = all < net->row_low[r] ? net->row_low[r] : all > net->row_high[r] ? net->row_high[r] : all;
        for (i32 node = 0; all > 0 && node < net->nodes; node++) mean[(int64_t)node * n + r] *= kept / all;
    }
}

// The best film at prices. Where none reaches the end: the best of those that reach furthest, length negative.
i32 search(const Net *net, Beam *beam, const f64 *plan, const f64 *stiff, f64 heat, i32 *out) {
    Window w = {0, net->nodes - 1, -1, -1, -1, INT32_MAX, 1, 0, plan, stiff, heat};
    for (i32 r = 0; r < net->rows; r++) beam->others[r] = 0;
    run(net, &w, beam);
    i32 node = net->nodes - 1, found = 0;
    while (node > 0 && !beam->filled[node]) node--;
    f64 best = NEVER;
    for (i32 i = 0; i < beam->filled[node]; i++) {
        i32 n = trace(beam, node * beam->width + i, beam->trial);
        f64 value = worth(net, beam, beam->trial, n);
        if (value <= best) continue;
        best = value, found = n;
        for (i32 p = 0; p < n; p++) out[p] = beam->trial[p];
    }
    return node == net->nodes - 1 ? found : -found;
}

// The film `out` [n] with the nodes first..last, between its clips number i - 1 and i, filled; 0 if they cannot be.
i32 fill(const Net *net, Beam *beam, i32 *out, i32 n, i32 i, i32 first, i32 last, i32 priced, f64 close) {
    Window w = {first, last, -1, -1, -1, INT32_MAX, priced, 0, 0, 0, close};
    f64 value;
    return refill(net, beam, out, n, i, i, w, 0, NEVER, &value);
}

// The film `out` [n] with window after window of `shortest`..`longest` clips filled anew where that is worth as much.
i32 improve(const Net *net, Beam *beam, i32 *out, i32 n, i32 windows, i32 shortest, i32 longest, f64 close, i32 steal,
            uint64_t seed) {
    f64 value = worth(net, beam, out, n);
    for (i32 round = 0; round < windows; round++) {
        i32 clips = shortest + draw(&seed, longest - shortest + 1);
        if (clips > n) clips = n;
        i32 i = draw(&seed, n - clips + 1);
        Window w = {net->first[net->slot[out[i]]], net->last[net->slot[out[i + clips - 1]]], 0, 0, 0, 0, 0, 0, 0, 0, close};
        i32 m = refill(net, beam, out, n, i, i + clips, w, steal, value, &value);
        if (m) n = m;
    }
    return n;
}

// The film `out` [n] with stretches of `donor` [m] between cuts that both have, where that is worth more.
i32 cross(const Net *net, Beam *beam, i32 *out, i32 n, const i32 *donor, i32 m, i32 longest, f64 loss) {
    f64 value = worth(net, beam, out, n);
    i32 *trial = beam->trial;
    for (i32 i = 0, q = 0; i < n; i++) {
        i32 node = net->first[net->slot[out[i]]];
        while (q < m && net->first[net->slot[donor[q]]] < node) q++;
        if (q == m || net->first[net->slot[donor[q]]] != node) continue;
        f64 gain = 0;
        for (i32 j = i, p = q; j < n && p < m && j - i < longest && p - q < longest;) {
            i32 a = net->last[net->slot[out[j]]], b = net->last[net->slot[donor[p]]];
            if (a <= b) gain -= net->value[out[j++]];
            if (b <= a) gain += net->value[donor[p++]];
            if (a != b || gain < -loss) continue;
            i32 t = 0;
            for (i32 c = 0; c < i; c++) trial[t++] = out[c];
            for (i32 c = q; c < p; c++) trial[t++] = donor[c];
            for (i32 c = j; c < n; c++) trial[t++] = out[c];
            if (!net->reuse && !net->ordered && !give_way(net, trial, t, i, i + p - q)) continue;
            f64 v = worth(net, beam, trial, t);
            if (v <= value + 1e-9) continue;
            value = v;
            for (i32 c = 0; c < t; c++) out[c] = trial[c];
            j += t - n;
            n = t;
            gain = 0;
        }
    }
    return n;
}
