# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Networks that are more than convolutions: attention, recurrence, normalisation of groups and layers, token ids.

NETWORKS: name -> a function without arguments that gives a module with seeded weights and its inputs. What torchvision has comes
from there; the others are small networks of the usual form.
"""

import torch
import torchvision.models as models
from torch import nn

N_TOKENS, N_TAGS, LENGTH = 1000, 17, 24


def image(size=224, channels=3):
    return torch.randn(1, channels, size, size)


def tokens(length=LENGTH, padding=0):
    ids = torch.randint(1, N_TOKENS, (1, length))
    ids[:, length - padding:] = 0
    return ids


def vit_b_16():
    model = models.vit_b_16(weights=None)
    nn.init.normal_(model.heads.head.weight, std=0.02)    # torchvision starts with zeros, which would answer nothing
    return model, (image(),)


class Lraspp(nn.Module):
    """The segmentation alone: an export has no dictionaries."""

    def __init__(self):
        super().__init__()
        self.network = models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=21)

    def forward(self, x):
        return self.network(x)["out"]


class Tagger(nn.Module):
    """A tag for each token: embedding, two layers in both directions, a dense layer."""

    def __init__(self, recurrent, width):
        super().__init__()
        self.embedding = nn.Embedding(N_TOKENS, 64)
        self.recurrent = recurrent(64, width, num_layers=2, bidirectional=True, batch_first=True)
        self.dense = nn.Linear(2 * width, N_TAGS)

    def forward(self, ids):
        return self.dense(self.recurrent(self.embedding(ids))[0])


class Crnn(nn.Module):
    """Text in an image: convolutions make columns, an LSTM reads them."""

    def __init__(self):
        super().__init__()
        layers, channels = [], 1
        for width, pool in ((32, (2, 2)), (64, (2, 2)), (128, (2, 1)), (128, (2, 1)), (256, (2, 1))):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(pool)]
            channels = width
        self.columns = nn.Sequential(*layers)
        self.recurrent = nn.LSTM(channels, 96, bidirectional=True)
        self.dense = nn.Linear(192, 37)

    def forward(self, x):
        columns = self.columns(x).squeeze(2).permute(2, 0, 1)
        return self.dense(self.recurrent(columns)[0]).log_softmax(2)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, mask):
        n, length, width = x.shape
        q, k, v = self.qkv(x).reshape(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / (width // self.heads) ** 0.5
        return self.out((scores.masked_fill(mask, float("-inf")).softmax(-1) @ v).transpose(1, 2).reshape(n, length, width))


class EncoderLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attention, self.norm, self.last_norm = Attention(width, heads), nn.LayerNorm(width), nn.LayerNorm(width)
        self.dense = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x, mask):
        x = x + self.attention(self.norm(x), mask)
        return x + self.dense(self.last_norm(x))


class Encoder(nn.Module):
    """A transformer encoder of token ids, of which 0 pads and is masked; the mean is classified."""

    def __init__(self, width=128, heads=4, layers=3):
        super().__init__()
        self.embedding, self.places = nn.Embedding(N_TOKENS, width), nn.Parameter(torch.randn(LENGTH, width) / 10)
        self.layers = nn.ModuleList([EncoderLayer(width, heads) for _ in range(layers)])
        self.dense = nn.Linear(width, 5)

    def forward(self, ids):
        mask = (ids == 0)[:, None, None, :]
        x = self.embedding(ids) + self.places
        for layer in self.layers:
            x = layer(x, mask)
        return self.dense(x.mean(1))


def normalised(channels, width):
    return nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.GroupNorm(8, width), nn.SiLU())


class GroupUnet(nn.Module):
    """A U-Net as diffusion models have it: GroupNorm and SiLU, nearest upsampling."""

    def __init__(self):
        super().__init__()
        self.first, self.down, self.middle = normalised(3, 32), normalised(32, 64), normalised(64, 128)
        self.up, self.last = normalised(128 + 64, 64), normalised(64 + 32, 32)
        self.out = nn.Conv2d(32, 3, 1)

    def forward(self, x):
        a = self.first(x)
        b = self.down(nn.functional.max_pool2d(a, 2))
        y = self.middle(nn.functional.max_pool2d(b, 2))
        y = self.up(torch.cat((nn.functional.interpolate(y, scale_factor=2.0), b), 1))
        return self.out(self.last(torch.cat((nn.functional.interpolate(y, scale_factor=2.0), a), 1)))


NETWORKS = {
    "convnext_tiny": lambda: (models.convnext_tiny(weights=None), (image(),)),
    "vit_b_16": vit_b_16,
    "swin_t": lambda: (models.swin_t(weights=None), (image(),)),
    "lraspp": lambda: (Lraspp(), (image(),)),
    "gru_tagger": lambda: (Tagger(nn.GRU, 96), (tokens(),)),
    "lstm_tagger": lambda: (Tagger(nn.LSTM, 64), (tokens(),)),
    "crnn": lambda: (Crnn(), (torch.randn(1, 1, 32, 100),)),
    "encoder": lambda: (Encoder(), (tokens(padding=5),)),
    "group_unet": lambda: (GroupUnet(), (image(64),)),
}
