#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Trains the bundled model: a small CNN that reads digits which this script renders itself.

In:  Debian's fonts (PACKAGES names what to install), python3-torch, python3-onnx, python3-pil.
Out: digits.onnx, test_data_set_0 to 9 (input_0.pb, output_0.pb, input_0.png) and labels.txt, in the
     folder given, or beside this script. With --images nothing is trained: calibration.npy and
     test.npy are rendered, with a file of labels each.

The network is small but has what a compiler has to get right: batch norm, residual additions,
max-pool, a strided convolution, global average pool, a dense layer and a symbolic batch. Fonts are
held out whole: accuracy is measured on families that the training never saw.
"""

import argparse
import glob
import os
import random
import sys
from collections import OrderedDict

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from PIL import Image, ImageDraw, ImageFont
from torch import nn

FONT_ROOT = "/usr/share/fonts/truetype"
TRAINING_FONTS = ("dejavu/DejaVuS*.ttf", "freefont/*.ttf", "lato/*.ttf", "open-sans/*.ttf")
HELD_OUT_FONTS = ("liberation/*.ttf", "roboto/unhinted/RobotoTTF/*.ttf")
PACKAGES = ("fonts-dejavu-core fonts-dejavu-extra fonts-freefont-ttf fonts-lato fonts-open-sans "
            "fonts-liberation fonts-roboto-unhinted")

SIZE = 28
OVERSAMPLING = 3
N_TRAINING_IMAGES = 30000
N_HELD_OUT_IMAGES = 5000
# What --images renders: (file, fonts, images, seed). The training has seeds 1 and 2.
IMAGE_SETS = (("calibration", TRAINING_FONTS, 32, 3), ("test", HELD_OUT_FONTS, 200, 4))
EPOCHS = 8
BATCH = 64
PEAK_RATE = 4e-3


def find_fonts(patterns):
    paths = []
    for pattern in patterns:
        found = sorted(glob.glob(os.path.join(FONT_ROOT, pattern)))
        if not found:
            sys.exit("no font matches %s; install %s" % (pattern, PACKAGES))
        paths += found
    return paths


def render_digit(digit, font, rng):
    """One image as uint8 [SIZE, SIZE]: bright on dark, turned, moved, with noise."""
    side = SIZE * OVERSAMPLING
    face = ImageFont.truetype(font, rng.randint(17, 25) * OVERSAMPLING)
    canvas = Image.new("L", (side, side))
    ImageDraw.Draw(canvas).text((side / 2, side / 2), str(digit), fill=255, font=face, anchor="mm")
    move = [rng.uniform(-2.5, 2.5) * OVERSAMPLING for _ in range(2)]
    canvas = canvas.rotate(rng.uniform(-12, 12), Image.Resampling.BILINEAR, translate=move)
    shape = np.asarray(canvas.resize((SIZE, SIZE), Image.Resampling.BOX), np.float64) / 255
    dark, bright = rng.uniform(0, 0.2), rng.uniform(0.6, 1)
    noise = np.random.RandomState(rng.getrandbits(32)).standard_normal(shape.shape)
    image = dark + (bright - dark) * shape + rng.uniform(0, 0.12) * noise
    return np.rint(image.clip(0, 1) * 255).astype(np.uint8)


def render_images(patterns, count, seed):
    """Digits and fonts in turn: (uint8 [count, SIZE, SIZE], labels [count])."""
    rng = random.Random(seed)
    fonts = find_fonts(patterns)
    rng.shuffle(fonts)
    labels = [index % 10 for index in range(count)]
    images = [render_digit(label, fonts[(index + index // 10) % len(fonts)], rng)
              for index, label in enumerate(labels)]
    return np.stack(images), np.array(labels)


def to_input(images):
    return torch.from_numpy(images[:, None].astype(np.float32) / 255)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(x + self.bn2(self.conv2(y)))


def make_model():
    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 16, 3, padding=1, bias=False), bn1=nn.BatchNorm2d(16), relu1=nn.ReLU(),
        pool=nn.MaxPool2d(2),
        block1=Residual(16),
        conv2=nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), bn2=nn.BatchNorm2d(32),
        relu2=nn.ReLU(),
        block2=Residual(32),
        average=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), dense=nn.Linear(32, 10)))


def train(model, images, labels):
    inputs, targets = to_input(images), torch.from_numpy(labels)
    optimizer = torch.optim.Adam(model.parameters())
    n_batches = len(inputs) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, EPOCHS * n_batches)
    model.train()
    for epoch in range(EPOCHS):
        order = torch.randperm(len(inputs))
        total = 0.0
        for start in range(0, n_batches * BATCH, BATCH):
            chosen = order[start:start + BATCH]
            loss = nn.functional.cross_entropy(model(inputs[chosen]), targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print("epoch %d: loss %.4f" % (epoch + 1, total / n_batches), file=sys.stderr)


def export(model, path):
    """Batch norms stay nodes: the exporter would fold them if it knew this is inference."""
    torch.onnx.export(model, torch.zeros(1, 1, SIZE, SIZE), path, opset_version=13,
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
                      input_names=["image"], output_names=["logits"],
                      dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})
    onnx.checker.check_model(onnx.load(path), full_check=True)


def write_tensor(path, tensor):
    with open(path, "wb") as file:
        file.write(numpy_helper.from_array(tensor.numpy()).SerializeToString())


def write_test_data(model, images, labels, folder):
    """The first held-out image of each digit, whatever the model makes of it."""
    chosen = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]
    for index, image in enumerate(images[chosen]):
        data_set = os.path.join(folder, "test_data_set_%d" % index)
        os.makedirs(data_set, exist_ok=True)
        x = to_input(image[None])
        write_tensor(os.path.join(data_set, "input_0.pb"), x)
        write_tensor(os.path.join(data_set, "output_0.pb"), model(x))
        Image.fromarray(image).save(os.path.join(data_set, "input_0.png"), optimize=True)
    write_labels(os.path.join(folder, "labels.txt"), labels[chosen])


def write_labels(path, labels):
    with open(path, "w") as file:
        file.writelines("%d\n" % label for label in labels)


def write_images(folder):
    """Grey values 0 to 255 as they are rendered; the network takes them times 1/255."""
    for name, fonts, count, seed in IMAGE_SETS:
        images, labels = render_images(fonts, count, seed)
        np.save(os.path.join(folder, name + ".npy"), images[:, None])
        write_labels(os.path.join(folder, name + "_labels.txt"), labels)


def train_and_write(folder):
    # More threads add float32 gradients in another order and so train another model.
    torch.set_num_threads(1)
    torch.manual_seed(1)
    torch.use_deterministic_algorithms(True)

    model = make_model()
    train(model, *render_images(TRAINING_FONTS, N_TRAINING_IMAGES, seed=1))
    model.eval()
    images, labels = render_images(HELD_OUT_FONTS, N_HELD_OUT_IMAGES, seed=2)
    with torch.no_grad():
        correct = (model(to_input(images)).argmax(1).numpy() == labels).sum()
        export(model, os.path.join(folder, "digits.onnx"))
        write_test_data(model, images, labels, folder)
    print("held-out accuracy: %.2f %% of %d images" % (100 * correct / len(labels), len(labels)))


def main():
    parser = argparse.ArgumentParser(description="Trains the bundled model, or renders images for it.")
    parser.add_argument("folder", nargs="?", default=os.path.dirname(os.path.abspath(__file__)),
                        help="where the files go; default: beside this script")
    parser.add_argument("--images", action="store_true", help="renders the calibration and test images only")
    arguments = parser.parse_args()
    if arguments.images:
        write_images(arguments.folder)
    else:
        train_and_write(arguments.folder)


if __name__ == "__main__":
    main()
