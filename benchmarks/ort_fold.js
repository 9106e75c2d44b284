// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// Writes what ONNX Runtime's level 'basic' makes of a model; free dimensions named batch are 1.
// usage: NODE_PATH=DIR/node_modules node ort_fold.js MODEL FOLDED
'use strict';
const ort = require('onnxruntime-node');
const [model, folded] = process.argv.slice(2);

ort.InferenceSession.create(model, {graphOptimizationLevel: 'basic', optimizedModelFilePath: folded,
    freeDimensionOverrides: {batch: 1}, logSeverityLevel: 3})
    .catch(error => { console.error(error.message); process.exitCode = 1; });
