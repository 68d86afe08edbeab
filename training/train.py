# SPDX-License-Identifier: Apache-2.0
"""Train the ear on music made while it trains: every other step a fresh piece joins the pool.

python training/train.py --shots shots.npz --midi FOLDER --out ear.pt --steps 4000 --seed 1
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from compose import Composer
from mix import mix, picture
from model import TEMPI, Ear
from sounds import Bank
from torch.nn import functional as F  # noqa: N812

from backbeat.listen.spectrum import FPS

SECONDS = 40.0
CROP = 1200
BATCH = 6
POOL = 6000
HELD = 40  # pieces for the validation curve, from seeds of their own
SLOW, FAST = 45.0, 230.0


def make(composer: Composer, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return (log-mel float16, beat times, positions) of the piece of `seed`, None if it came out empty."""
    rng = np.random.default_rng(seed)
    piece = composer.piece(rng, SECONDS)
    if len(piece.times) < 12 or not any(p.notes for p in piece.parts):
        return None
    samples = mix(piece, rng, SECONDS)
    if not np.isfinite(samples).all() or np.abs(samples).max() < 0.01:
        return None
    return picture(samples, rng), piece.times.astype(np.float32), piece.positions.astype(np.int8)


def targets(times: np.ndarray, positions: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return class shares (3, frames) and the local tempo's state a frame (float)."""
    share = np.zeros((3, frames), np.float32)
    for time_, position in zip(times * FPS, positions, strict=True):
        k = round(float(time_))
        for j, weight in ((k - 1, 0.25), (k, 1.0), (k + 1, 0.25)):
            if 0 <= j < frames:
                row = 2 if position == 1 else 1
                share[row, j] = max(share[row, j], weight)
    share[0] = np.clip(1 - share[1:].sum(0), 0, 1)
    share /= share.sum(0, keepdims=True)
    steps = np.diff(times)
    bpm = 60 / np.median(np.lib.stride_tricks.sliding_window_view(np.pad(steps, 4, mode="edge"), 9), axis=1)
    state = np.log(np.clip(bpm, SLOW, FAST) / SLOW) / np.log(FAST / SLOW) * (TEMPI - 1)
    where = np.clip(np.searchsorted(times, np.arange(frames) / FPS) - 1, 0, len(state) - 1)
    return share, state[where].astype(np.float32)


def crop(pool: list, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return one crop with its targets: at another speed, tone, level, masked, or with another piece far behind."""
    mel, times, positions = pool[rng.integers(len(pool))]
    mel = mel.astype(np.float32)
    if rng.random() < 0.5:
        speed = float(np.exp(rng.uniform(-0.16, 0.16)))
        at = np.arange(0, len(mel) - 1, speed)
        low = at.astype(int)
        part = (at - low)[:, None].astype(np.float32)
        mel = mel[low] * (1 - part) + mel[low + 1] * part
        times = times / speed
    share, state = targets(times, positions, len(mel))
    start = int(rng.integers(0, max(1, len(mel) - CROP)))
    x = mel[start : start + CROP]
    share, state = share[:, start : start + CROP], state[start : start + CROP]
    linear = np.expm1(x) * rng.uniform(0.4, 2.2) * np.exp(np.linspace(-1, 1, 64) * rng.normal(0, 0.35))
    if rng.random() < 0.2:
        other = np.expm1(pool[rng.integers(len(pool))][0].astype(np.float32))[:CROP]
        linear[: len(other)] += rng.uniform(0.02, 0.12) * other[: len(linear)]
    if rng.random() < 0.25:
        a = int(rng.integers(60))
        linear[:, a : a + int(rng.integers(4, 14))] *= rng.uniform(0, 0.4)
    if rng.random() < 0.1:
        a = int(rng.integers(0, CROP - 200))
        linear[a : a + int(rng.integers(20, 150))] *= rng.uniform(0, 0.1)
    x = np.log1p(linear).astype(np.float32)
    short = CROP - len(x)
    if short > 0:
        x = np.pad(x, ((0, short), (0, 0)))
        share = np.pad(share, ((0, 0), (0, short)))
        state = np.pad(state, (0, short), mode="edge")
    return x, share, state


def loss_of(net: Ear, x: torch.Tensor, share: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss of beats and the loss of tempo."""
    beats, tempo = net(x)
    weight = torch.tensor([1.0, 2.0, 4.0]).view(1, 3, 1)
    beat_loss = -(share * weight * F.log_softmax(beats, 1)).sum(1).mean()
    axis = torch.arange(TEMPI).view(1, TEMPI, 1)
    near = torch.exp(-0.5 * ((axis - state.unsqueeze(1)) / 0.7) ** 2)
    near = near / near.sum(1, keepdim=True)
    return beat_loss, -(near * F.log_softmax(tempo, 1)).sum(1).mean()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shots", required=True)
    parser.add_argument("--midi", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--first", type=int, default=400, help="pieces made before the first step")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", default="", help="weights to go on from")
    parser.add_argument("--rate", type=float, default=3e-3, help="the highest learning rate")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    rng = np.random.default_rng(given.seed)
    composer = Composer(Bank(given.shots), Path(given.midi))
    out = Path(given.out)
    held = [p for seed in range(HELD) if (p := make(composer, 900_000_000 + seed)) is not None]
    held_rng = np.random.default_rng(0)
    checks = [crop(held, held_rng) for _ in range(HELD)]
    pool: list = []
    made = given.seed * 1_000_000
    net = Ear()
    if given.resume:
        net.load_state_dict(torch.load(given.resume, weights_only=True))
    print("weights", sum(p.numel() for p in net.parameters()), flush=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-2)
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995), use_buffers=True
    )
    begun, recent = time.process_time(), []
    with out.with_suffix(".log.jsonl").open("w", encoding="utf-8") as log:
        for step in range(given.steps):
            while len(pool) < min(given.first + step // 2, POOL):
                made += 1
                piece = make(composer, made)
                if piece is not None:
                    pool.append(piece)
            share = step / given.steps
            rate = given.rate * min(1.0, (step + 1) / 150) * (0.5 * (1 + np.cos(np.pi * share)) + 0.01)
            for group in optimiser.param_groups:
                group["lr"] = rate
            batch = [crop(pool, rng) for _ in range(BATCH)]
            x, y, s = (torch.from_numpy(np.stack(parts)) for parts in zip(*batch, strict=True))
            beat_loss, tempo_loss = loss_of(net, x, y, s)
            optimiser.zero_grad()
            (beat_loss + 0.04 * tempo_loss).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            average.update_parameters(net)
            recent.append((beat_loss.item(), tempo_loss.item()))
            if (step + 1) % 100 == 0:
                average.eval()
                with torch.no_grad():
                    seen = [loss_of(average, *(torch.from_numpy(p).unsqueeze(0) for p in check)) for check in checks]
                row = {
                    "step": step + 1, "pieces": len(pool), "cpu_s": round(time.process_time() - begun),
                    "beat": round(float(np.mean([r[0] for r in recent])), 4),
                    "tempo": round(float(np.mean([r[1] for r in recent])), 4),
                    "held_beat": round(float(np.mean([float(b) for b, _ in seen])), 4),
                    "held_tempo": round(float(np.mean([float(t) for _, t in seen])), 4),
                }  # fmt: skip
                recent = []
                log.write(json.dumps(row) + "\n")
                log.flush()
                print(row, flush=True)
                torch.save(average.module.state_dict(), out)


if __name__ == "__main__":
    main()
