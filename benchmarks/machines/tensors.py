# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Calibration and test images of the networks, from what Debian's packages hold.

In:  the photographs of python3-skimage; for the keyword spotter the one input that its folder has.
Out: calibration.npy and test.npy of each network, of different photographs. Seeded: the same packages
     give the same bytes.

There is no data set of these networks in Debian, so accuracy cannot be measured on them; how far an
output is from the float network's can. The bundled network has images of its own.
"""

import importlib.util
import os
import random

import numpy as np

from machines.runs import Case
from machines.subjects import DIGITS

# Crops for calibration are of other photographs than those for the test.
CALIBRATION_PHOTOS = ("brick.png", "camera.png", "cell.png", "chelsea.png", "coins.png", "gravel.png",
                      "hubble_deep_field.jpg", "motorcycle_left.png", "rocket.jpg")
TEST_PHOTOS = ("astronaut.png", "clock_motion.png", "coffee.png", "color.png", "grass.png", "ihc.png", "moon.png",
               "page.png", "retina.jpg", "text.png")
CAFFE_MEANS = (104, 117, 123)    # of blue, green, red: what SqueezeNet's training subtracted
RANGE_IMAGES = 4    # of those for calibration: to find the ranges of converters all columns are read, plane by plane
AR = 0.9    # how much of a frame of sound is in the next one


def photo_folder():
    return os.path.join(os.path.dirname(importlib.util.find_spec("skimage").origin), "data")


def crop(photo, size, rng):
    """A square of half of the photograph's shorter side at least, so that it shows things, as [size, size, 3]."""
    from PIL import Image
    shorter = min(photo.size)
    side = rng.randint(shorter // 2, shorter)
    x, y = (rng.randint(0, extent - side) for extent in photo.size)
    square = photo.crop((x, y, x + side, y + side))
    return np.asarray(square.resize((size, size), Image.Resampling.BILINEAR), np.uint8)


def crops(names, count, size, seed):
    from PIL import Image
    rng = random.Random(seed)
    photos = [Image.open(os.path.join(photo_folder(), name)).convert("RGB") for name in names]
    return np.stack([crop(photos[index % len(photos)], size, rng) for index in range(count)])


def pixels(size):
    """Bytes, colours last."""
    return lambda names, count, seed, _: crops(names, count, size, seed)


def planes(size):
    """Bytes, colours first."""
    return lambda names, count, seed, _: crops(names, count, size, seed).transpose(0, 3, 1, 2)


def caffe(size):
    """Floats: blue, green, red planes without their means."""
    def make(names, count, seed, _):
        images = crops(names, count, size, seed)[:, :, :, ::-1].astype(np.float32)
        return (images - np.float32(CAFFE_MEANS)).transpose(0, 3, 1, 2)
    return make


def stored(first, count, _, model):
    """Inputs that stand beside the model, from number `first` on."""
    from onnx import TensorProto, numpy_helper
    images = []
    for number in range(first, first + count):
        tensor = TensorProto()
        with open(os.path.join(os.path.dirname(model), "test_data_set_%d" % number, "input_0.pb"), "rb") as file:
            tensor.ParseFromString(file.read())
        images.append(numpy_helper.to_array(tensor))
    return np.concatenate(images)


def sound(_, count, seed, model):
    """Maps like the one stored input: its means and deviations over time, autoregressive noise."""
    like = stored(0, 1, seed, model)
    mean, deviation = like.mean(axis=1, keepdims=True), like.std(axis=1, keepdims=True)
    noise = np.random.RandomState(seed).standard_normal((count,) + like.shape[1:])
    for step in range(1, noise.shape[1]):
        noise[:, step] = AR * noise[:, step - 1] + np.sqrt(1 - AR * AR) * noise[:, step]
    return (mean + deviation * noise).astype(np.float32)


def bundled(name, *_):
    return np.load(os.path.join(DIGITS, name + ".npy"))


# Network: how its images are made, and of what for calibration and test.
PHOTOS = (CALIBRATION_PHOTOS, TEST_PHOTOS)
MAKERS = {"digits": (bundled, ("calibration", "test")), "digits sets": (stored, (0, 5)), "resnet8": (pixels(32), PHOTOS),
          "vww": (pixels(96), PHOTOS), "squeezenet": (caffe(224), PHOTOS), "mobilenet_v2": (planes(224), PHOTOS),
          "dscnn": (sound, (0, 0))}


def make_case(subject, models, out):
    """Writes what is not there yet: calibration, test, the first image of the test, and the first few for converters."""
    model, folder = subject.path(models or ""), os.path.join(out, subject.name.replace(" ", "-"))
    os.makedirs(folder, exist_ok=True)
    images = {name: os.path.join(folder, name + ".npy") for name in ("calibration", "test")}
    make, sources = MAKERS[subject.name]
    for seed, (name, source) in enumerate(zip(images, sources), 1):
        if not os.path.exists(images[name]):
            np.save(images[name], np.ascontiguousarray(make(source, getattr(subject, name), seed, model)))
    for name, of, count in (("first", "test", 1), ("ranges", "calibration", RANGE_IMAGES)):
        images[name] = os.path.join(folder, name + ".npy")
        np.save(images[name], np.load(images[of])[:count])
    return Case(subject, model, images, folder)
