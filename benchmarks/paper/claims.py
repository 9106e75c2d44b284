# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What is stated elsewhere, and what our results are held against. Nothing here comes from us.

TABLE_*, PAPER_*: the numbers that the text and the tables of CLSA-CIM (DATE 2024) print. Its bar charts
(figures 6c and 7) are not read off.
KNOWN_*: points that were recomputed from the paper's text by hand or by a program of its own, for
pixel sets and the cut along the width unless the key says otherwise. They have to come out exactly.
TARGETS, MANY_PES: speedups and cycles that plainer searches over the number of copies reached.
"""

EXTRA_PES = (4, 8, 16, 32)
SETS = {"pixel": "pixel", "1-row": "1x*"}
# How the size of the sets moves what the text states; by size.
STUDY_SETS = {"pixel": "pixel", "1x8": "1x8", "1x13": "1x13", "1-row": "1x*", "2-row": "2x*"}
CASE_STUDY = "tinyyolov4"
LARGE = ("vgg16", "vgg19", "resnet50", "resnet101", "resnet152")
TITLES = {"tinyyolov3": "TinyYOLOv3", "tinyyolov4": "TinyYOLOv4", "vgg16": "VGG16",
          "vgg19": "VGG19", "resnet50": "ResNet50", "resnet101": "ResNet101",
          "resnet152": "ResNet152"}

# Table I: layer, padded input, output, PEs, cycles.
TABLE_1 = (
    ("conv2d", (417, 417, 3), (208, 208, 32), 1, 43264),
    ("conv2d_1", (209, 209, 32), (104, 104, 64), 2, 10816),
    ("conv2d_2", (106, 106, 64), (104, 104, 64), 3, 10816),
    ("conv2d_16", (15, 15, 256), (13, 13, 512), 18, 169),
    ("conv2d_20", (26, 26, 256), (26, 26, 255), 1, 676),
    ("conv2d_17", (13, 13, 512), (13, 13, 255), 2, 169),
)

# Table II: input, base layers, PE_min; TinyYOLOv4's row is in the text and Table I.
TABLE_2 = {
    "tinyyolov3": ((416, 416, 3), 13, 142),
    "tinyyolov4": ((416, 416, 3), 18, 117),
    "vgg16": ((224, 224, 3), 13, 233),
    "vgg19": ((224, 224, 3), 16, 314),
    "resnet50": ((224, 224, 3), 53, 390),
    "resnet101": ((224, 224, 3), 104, 679),
    "resnet152": ((224, 224, 3), 155, 936),
}
BASE_LAYERS = {"tinyyolov4": 21}  # where the paper's own layer names contradict its count

# (network, configuration, extra PEs): speedup or utilisation in %, as the text has it.
PAPER_SPEEDUP = {
    ("tinyyolov4", "wdup+xinf", 32): 21.9,
    ("tinyyolov3", "wdup+xinf", 32): 29.2,
}
PAPER_UTILISATION = {
    ("tinyyolov4", "xinf", 0): 4.1,
    ("tinyyolov4", "wdup+xinf", 32): 28.4,
    ("tinyyolov3", "wdup+xinf", 32): 20.1,
}
PAPER_WDUP_LARGE = (1.1, 1.9)     # pure duplication, large networks, least and greatest speedup
PAPER_XINF_LARGE = 4.4            # pure xinf, large networks, greatest speedup
PAPER_GAIN = ("tinyyolov3", 17.9)  # "improvement of utilisation compared to layer-by-layer"
PAPER_OVER_XINF = 2.0             # +4 PEs "outperform pure xinf by a factor of almost 2"

STUDY = (("tinyyolov4", "xinf", 0), ("tinyyolov4", "wdup+xinf", 32),
         ("tinyyolov3", "wdup+xinf", 32)) + tuple((network, "xinf", 0) for network in LARGE)

# (network, configuration, extra PEs, sets): cycles.
KNOWN_CYCLES = {
    ("tinyyolov4", "layer-by-layer", 0, "pixel"): 113061,
    ("tinyyolov4", "xinf", 0, "pixel"): 43945,
    ("tinyyolov4", "xinf", 0, "1-row"): 44837,
    ("tinyyolov4", "wdup+xinf", 32, "pixel"): 4930,
    ("tinyyolov3", "layer-by-layer", 0, "pixel"): 232882,
    ("tinyyolov3", "xinf", 0, "pixel"): 173676,
}
# Utilisation in % and speedup, rounded as they were stated: value, digits.
KNOWN_UTILISATION = {
    ("tinyyolov4", "layer-by-layer", 0, "pixel"): (1.644, 3),
    ("tinyyolov3", "layer-by-layer", 0, "pixel"): (0.844, 3),
    ("tinyyolov4", "xinf", 0, "1-row"): (4.15, 2),
}
KNOWN_SPEEDUP = {("tinyyolov4", "wdup+xinf", 32, "pixel"): (22.93, 2)}
# (network, extra PEs): how problem 1's solution begins; the layers after that have one copy.
KNOWN_COPIES = {
    ("tinyyolov4", 16): (6, 2, 2, 2, 2, 3),
    ("tinyyolov4", 32): (10, 3, 3, 3, 3, 5, 1, 1, 1, 2),
    ("tinyyolov3", 32): (20, 10, 3),
    ("vgg16", 8): (3, 3),
}

# Aims in seconds: the schedule of pixel sets; CPU time of compiling with copies for the makespan.
SCHEDULE_SECONDS = 0.2
MAKESPAN_SECONDS = 10
SHAPE_FACTOR = 2  # simulating pixel sets takes at most this many times as long as 1-row sets
# Compiling takes at most this many times as long as protobuf-c takes to unpack the file.
COMPILE_FACTORS = {network: 1.5 if network == "resnet50" else 2 for network in TITLES}
# Simulating an image, in times of ONNX Runtime's float inference with one thread.
SIMULATE_FACTOR, SIMULATE_INT8_FACTOR = 3, 2

# (network, extra PEs, sets): cycles that copies for the least interval take, found by a program of its own.
MANY_PES = {("resnet50", 256, "auto"): 878, ("resnet50", 256, "pixel"): 557,
            ("vgg16", 256, "auto"): 2058, ("vgg16", 256, "pixel"): 1901}

TARGETS = {
    "pixel": {"tinyyolov3": 30.8, "tinyyolov4": 26.9, "vgg16": 17.8, "vgg19": 18.0,
              "resnet50": 30.8, "resnet101": 31.1, "resnet152": 33.3},
    "1-row": {"tinyyolov3": 30.2, "tinyyolov4": 24.2, "vgg16": 17.1, "vgg19": 17.2,
              "resnet50": 22.2, "resnet101": 19.1, "resnet152": 17.9},
}

# What products of several pixels have to reach at least, in cycles of the makespan: a prototype's choices of
# copies and patches for the least sum and the least interval, without a search for the makespan.
WINDOWS_EXTRA = (0, 32)
WINDOWS_CYCLES = {
    "tinyyolov3": (11225, 1240), "tinyyolov4": (5905, 1747), "vgg16": (25686, 3578), "vgg19": (25790, 3682),
    "resnet50": (3490, 1132), "resnet101": (3796, 1438), "resnet152": (4158, 1800),
}
# Exactly: the least interval with copies cut along the width, one pixel a product, found by a program of its own.
INTERVAL_EXTRA = (0, 32, 256)
INTERVAL_CYCLES = {
    "tinyyolov3": (173056, 7072, 1248), "tinyyolov4": (43264, 3640, 728), "vgg16": (50176, 7168, 1568),
    "vgg19": (50176, 7168, 1568), "resnet50": (12544, 1568, 336), "resnet101": (12544, 1568, 336),
    "resnet152": (12544, 1568, 392),
}
