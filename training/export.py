# SPDX-License-Identifier: Apache-2.0
"""Fold the normalisations into the weights and write them as float16: ``python training/export.py ear.pt ear.npz``."""

from __future__ import annotations

import sys

import numpy as np
import torch
from model import Ear


def folded(weight: torch.Tensor, bias: torch.Tensor, norm: torch.nn.Module) -> tuple[np.ndarray, np.ndarray]:
    """Return weight and bias of a convolution with the normalisation after it taken in."""
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shape = (-1, *[1] * (weight.dim() - 1))
    return (weight * gain.view(shape)).numpy(), ((bias - norm.running_mean) * gain + norm.bias).numpy()


def main() -> None:
    source, out = sys.argv[1:3]
    net = Ear()
    net.load_state_dict(torch.load(source, weights_only=True))
    net.eval()
    arrays: dict[str, np.ndarray] = {}
    with torch.no_grad():
        gain = net.scale.weight / torch.sqrt(net.scale.running_var + net.scale.eps)
        arrays["scale"] = gain.numpy()
        arrays["offset"] = (net.scale.bias - net.scale.running_mean * gain).numpy()
        for k in (1, 2, 3):
            conv, norm = getattr(net, f"c{k}"), getattr(net, f"n{k}")
            weight, bias = folded(conv.weight, conv.bias, norm)
            arrays[f"c{k}.w"], arrays[f"c{k}.b"] = weight.transpose(2, 3, 1, 0), bias  # time, band, in, out
        for i, block in enumerate(net.blocks):
            weight = torch.cat([block.near.weight, block.far.weight])
            bias = torch.cat([block.near.bias, block.far.bias])
            weight, bias = folded(weight, bias, block.norm)
            half = len(bias) // 2
            arrays[f"t{i}.near"], arrays[f"t{i}.far"] = (
                weight[:half].transpose(2, 1, 0),
                weight[half:].transpose(2, 1, 0),
            )
            arrays[f"t{i}.b"] = bias
            arrays[f"t{i}.join"], arrays[f"t{i}.jb"] = block.join.weight[:, :, 0].numpy().T, block.join.bias.numpy()
        arrays["head.w"] = np.concatenate([net.beats.weight[:, :, 0].numpy(), net.tempo.weight[:, :, 0].numpy()]).T
        arrays["head.b"] = np.concatenate([net.beats.bias.numpy(), net.tempo.bias.numpy()])
    np.savez_compressed(
        out, **{k: np.ascontiguousarray(v, dtype=np.float16 if v.size > 200 else np.float32) for k, v in arrays.items()}
    )
    print(sum(v.size for v in arrays.values()), "weights")


if __name__ == "__main__":
    main()
