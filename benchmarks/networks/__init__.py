# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The networks of the CLSA-CIM paper: how each is built, and what the paper says about it.

pe_min and base_layers are Table II's; TinyYOLOv4's rows are Table I's, and its count follows their
layer names (conv2d to conv2d_20). cycles is the sum of OH*OW over the base layers, for the networks
where it was worked out by hand.
"""

from . import resnet, vgg, yolo

TABLE_1 = (
    ("conv2d", (208, 208, 32), 1, 43264),
    ("conv2d_1", (104, 104, 64), 2, 10816),
    ("conv2d_2", (104, 104, 64), 3, 10816),
    ("conv2d_16", (13, 13, 512), 18, 169),
    ("conv2d_20", (26, 26, 255), 1, 676),
    ("conv2d_17", (13, 13, 255), 2, 169),
)

NETWORKS = {facts["name"]: facts for facts in (
    {"name": "tinyyolov3", "build": yolo.tinyyolov3, "size": 416,
     "base_layers": 13, "pe_min": 142, "cycles": 232882},
    {"name": "tinyyolov4", "build": yolo.tinyyolov4, "size": 416,
     "base_layers": 21, "pe_min": 117, "cycles": 113061, "rows": TABLE_1},
    {"name": "vgg16", "build": vgg.vgg16, "size": 224,
     "base_layers": 13, "pe_min": 233},
    {"name": "vgg19", "build": vgg.vgg19, "size": 224,
     "base_layers": 16, "pe_min": 314},
    {"name": "resnet50", "build": resnet.resnet50, "size": 224,
     "base_layers": 53, "pe_min": 390},
    {"name": "resnet101", "build": resnet.resnet101, "size": 224,
     "base_layers": 104, "pe_min": 679},
    {"name": "resnet152", "build": resnet.resnet152, "size": 224,
     "base_layers": 155, "pe_min": 936},
)}
