// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// Median seconds of one inference in ONNX Runtime with one thread, of RUNS after a warm-up.
// usage: NODE_PATH=DIR/node_modules node ort_time.js RUNS MODEL...   One line per model.
'use strict';
const ort = require('onnxruntime-node');

const ARRAYS = {float32: Float32Array, float16: Uint16Array, float64: Float64Array,
    int64: BigInt64Array, int32: Int32Array, uint8: Uint8Array, int8: Int8Array, bool: Uint8Array};

function makeInput({type, shape}) {
    const dims = shape.map(dim => typeof dim === 'number' && dim > 0 ? dim : 1);
    const n = dims.reduce((a, b) => a * b, 1);
    const data = new ARRAYS[type](n);
    if (type === 'float32' || type === 'float64')
        for (let i = 0; i < n; ++i) data[i] = i / n;
    return new ort.Tensor(type, data, dims);
}

async function measure(path, runs) {
    const session = await ort.InferenceSession.create(path, {intraOpNumThreads: 1,
        interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all',
        logSeverityLevel: 3});
    const feeds = {};
    for (const about of session.inputMetadata) feeds[about.name] = makeInput(about);
    await session.run(feeds);
    const seconds = [];
    for (let i = 0; i < runs; ++i) {
        const start = process.hrtime.bigint();
        await session.run(feeds);
        seconds.push(Number(process.hrtime.bigint() - start) / 1e9);
    }
    seconds.sort((a, b) => a - b);
    return (seconds[(runs - 1) >> 1] + seconds[runs >> 1]) / 2;
}

(async () => {
    const [runs, ...models] = process.argv.slice(2);
    for (const model of models) console.log(await measure(model, Number(runs)));
})().catch(error => { console.error(error.message); process.exitCode = 1; });
