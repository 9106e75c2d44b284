// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// Floats are bits; their units are in f32.cc.
import "DPI-C" function int unsigned cimc_lane_f32(input int unsigned op, input int unsigned x, input int unsigned y);
import "DPI-C" function int unsigned cimc_mac_f32(input int unsigned sum, input int unsigned x, input int unsigned y);
import "DPI-C" function int unsigned cimc_round_f16(input int unsigned x);
