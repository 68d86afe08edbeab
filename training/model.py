# SPDX-License-Identifier: Apache-2.0
"""The network: a small picture front, then residual dilated convolutions over time, then two heads.

After Böck & Davies (ISMIR 2020), made smaller. `backbeat.listen.net` runs the exported weights with numpy alone.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

CHANNELS = 32
LAYERS = 8
TEMPI = 40  # states of the tempo head, 45 to 230 beats a minute, evenly in octaves


class Block(nn.Module):
    """Two dilated convolutions side by side (one twice as wide), joined by a 1x1, added to the input."""

    def __init__(self, channels: int, dilation: int, drop: float) -> None:
        super().__init__()
        self.near = nn.Conv1d(channels, channels, 5, dilation=dilation, padding=2 * dilation)
        self.far = nn.Conv1d(channels, channels, 5, dilation=2 * dilation, padding=4 * dilation)
        self.norm = nn.BatchNorm1d(2 * channels)
        self.join = nn.Conv1d(2 * channels, channels, 1)
        self.drop = nn.Dropout1d(drop)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = F.relu(self.norm(torch.cat([self.near(x), self.far(x)], 1)))
        return x + self.join(self.drop(wide))


class Ear(nn.Module):
    """Log-mel (batch, frames, 64) to class logits (batch, 3, frames: nothing, beat, downbeat) and tempo logits."""

    def __init__(self, channels: int = CHANNELS, layers: int = LAYERS, drop: float = 0.1) -> None:
        super().__init__()
        self.scale = nn.BatchNorm1d(64)
        self.c1, self.n1 = nn.Conv2d(1, 16, (3, 6), stride=(1, 3), padding=(1, 0)), nn.BatchNorm2d(16)
        self.c2, self.n2 = nn.Conv2d(16, 24, (3, 5), stride=(1, 2), padding=(1, 0)), nn.BatchNorm2d(24)
        self.c3, self.n3 = nn.Conv2d(24, channels, (1, 8)), nn.BatchNorm2d(channels)
        self.drop = nn.Dropout(drop)
        self.blocks = nn.ModuleList([Block(channels, 2**i, drop) for i in range(layers)])
        self.beats = nn.Conv1d(channels, 3, 1)
        self.tempo = nn.Conv1d(channels, TEMPI, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.scale(x.transpose(1, 2)).transpose(1, 2).unsqueeze(1)
        x = F.relu(self.n1(self.c1(x)))  # 64 -> 20 bands
        x = F.relu(self.n2(self.c2(x)))  # -> 8
        x = self.drop(F.relu(self.n3(self.c3(x))).squeeze(3))
        for block in self.blocks:
            x = block(x)
        return self.beats(x), self.tempo(x)
