# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What the tables are held against: the least signal-to-noise ratio, in dB, that was asked for.

The numbers were reached by a prototype of the quantisation and of the read-out, on tensors of the same
kind; a limit is a few dB below.
"""

# How weights are rounded: options of `cimc quantize`.
ROUNDING = {
    "nearest": ["--rounding", "nearest"], "feedback": ["--rounding", "feedback"],
    "nearest, bias": ["--rounding", "nearest", "--bias-correction"], "feedback, bias": ["--rounding", "feedback", "--bias-correction"],
}
# (network, weight bits, activation bits): {rounding: least; None: just to be seen}
QUALITY = {
    ("digits sets", 8, 8): {"nearest": 33}, ("digits sets", 6, 8): {"nearest": 27, "feedback": 32},
    ("digits sets", 4, 8): {"nearest": 14, "feedback": 22}, ("digits sets", 4, 4): {"nearest": 13},
    ("resnet8", 8, 8): {"nearest": None, "nearest, bias": 28}, ("resnet8", 6, 8): {"feedback": None, "feedback, bias": 26},
    ("resnet8", 4, 8): {"nearest": None, "feedback": None, "feedback, bias": 15},
    ("dscnn", 8, 8): {"nearest": 31}, ("dscnn", 6, 8): {"feedback": 29}, ("dscnn", 4, 8): {"nearest": None, "feedback": 17},
    ("squeezenet", 8, 8): {"nearest": 30}, ("squeezenet", 4, 8): {"nearest": None, "feedback": 16},
}

# Cells of 2 bits, an input bit at a time; what reads a column out.
SMALL_CELLS = ["rows=256", "cols=256", "cell_bits=2", "dac_bits=1"]
READOUTS = {
    "ideal": [],
    "differential, 6 bits": ["encoding=differential", "adc_bits=6"],
    "analog differential, 6 bits": ["encoding=analog_differential", "adc_bits=6"],
    "differential, 6 bits, full range": ["encoding=differential", "adc_bits=6", "adc_range=full"],
    "offset, flipped columns, 6 bits": ["column_flip=1", "adc_bits=6"],
    "offset, 128 rows, flipped columns, 8 bits": ["rows=128", "column_flip=1", "adc_bits=8"],
}
# (network, read-out): (least, most), for weights and activations of 8 bits rounded to nearest
READOUT = {
    ("digits sets", "ideal"): (33, None), ("digits sets", "differential, 6 bits"): (33, None),
    ("digits sets", "analog differential, 6 bits"): (31, None), ("digits sets", "offset, flipped columns, 6 bits"): (None, 10),
}
# (network, read-out): dB below the ideal one: (least, most)
LOSS = {
    ("digits sets", "offset, 128 rows, flipped columns, 8 bits"): (0, 0),
    ("resnet8", "offset, 128 rows, flipped columns, 8 bits"): (0, 0),
    ("resnet8", "differential, 6 bits"): (None, 1), ("resnet8", "differential, 6 bits, full range"): (20, None),
}
