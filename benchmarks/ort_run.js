// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// Outputs of models in ONNX Runtime with one thread, every node computed as it stands in the file.
// usage: NODE_PATH=DIR/node_modules node ort_run.js < JOBS    JOBS: JSON [{model, level, inputs: [{type, dims, data}]}],
// data in base64. Prints [[{type, dims, data}]]: of each job its outputs, or {error}.
'use strict';
const ort = require('onnxruntime-node');

const ARRAYS = {float32: Float32Array, int32: Int32Array, uint8: Uint8Array, int8: Int8Array};

function decode({type, dims, data}) {
    const bytes = new Uint8Array(Buffer.from(data, 'base64'));
    return new ort.Tensor(type, new ARRAYS[type](bytes.buffer), dims);
}

function encode({type, dims, data}) {
    return {type, dims, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')};
}

async function run({model, level, inputs}) {
    const session = await ort.InferenceSession.create(model, {intraOpNumThreads: 1, interOpNumThreads: 1,
        executionMode: 'sequential', graphOptimizationLevel: level, logSeverityLevel: 3});
    const feeds = {};
    session.inputNames.forEach((name, k) => { feeds[name] = decode(inputs[k]); });
    const results = await session.run(feeds);
    return session.outputNames.map(name => encode(results[name]));
}

(async () => {
    const jobs = JSON.parse(require('fs').readFileSync(0, 'utf8')), answers = [];
    for (const job of jobs) answers.push(await run(job).catch(error => ({error: error.message})));
    process.stdout.write(JSON.stringify(answers));
})().catch(error => { console.error(error.message); process.exitCode = 1; });
