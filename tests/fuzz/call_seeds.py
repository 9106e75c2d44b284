# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Programs of calls of cimc.h (api/fuzz_api.h) that are right. A model's bytes are in b0.

What a call ends with is not expected where that depends on which allocation fails, on when somebody loses patience, or
on what stands where a text was cut.
"""

# What happens to a model, by name.
CALLS = {
    'compile': '''
options o0
expect ok set c0 o0 extra-pes 4
keep o0 7
expect ok import c0 m0 o0 b0
look_at_model m0 o0 0 0 0 0
expect ok compile c0 m0 o0 p0
look_at_program p0 0 0 0 0 0 0 0 0
schedule p0 9
expect ok print c0 p0 table o0 b1
expect ok print c0 p0 json o0 b1
expect ok print c0 p0 times o0 b1
expect ok print c0 p0 csv o0 b1
expect ok print c0 p0 svg o0 b1
expect ok print c0 p0 trace o0 b1
expect ok print c0 p0 html o0 b1
expect ok print c0 p0 report o0 b1
expect ok print c0 p0 plan o0 b1
expect ok print c0 p0 time_trace o0 b1
expect ok check c1 p0 json b1
free_model m0
expect ok check c1 p0 text''',
    'bytes': '''
expect ok import c0 m0 - b0
expect ok compile c0 m0 - p0
expect ok write c0 p0 b1
expect ok read c1 p1 b1
look_at_program p1 1 0 2 1 1 0 5 3
expect ok disassemble c0 p1 - b2
options o1
expect ok set c0 o1 inline
expect ok disassemble c0 p1 o1 b2
expect ok assemble c0 p2 b2
expect ok check c0 p2 text b3
expect ok bind c0 p1 o1 b0
expect ok check c0 p1 json b3
expect ok set c0 o1 tile 0
expect ok set c0 o1 pe 0
expect ok set c0 o1 cell 0,0
expect ok where c0 p1 o1 text b3
expect ok set_noise c0 p1 1
flip b1 1234
expect wrong_input read c0 p3 b1
cut b2 900
assemble c0 p3 b2
expect ok print_diagnostics c0 json 1 b4
expect ok clear c0''',
    'run': '''
options o0
expect ok set c0 o0 input-fill ramp
expect ok import c0 m0 - b0
expect ok values_of_model c0 s0 m0 o0 0 0 0
expect ok compile c0 m0 - p0
expect ok simulate c0 s0 p0 o0
look_at_simulation s0 0 0
expect ok print_simulation c0 s0 table o0 b1
expect ok print_simulation c0 s0 json o0 b1
expect ok values_of_program c0 s1 p0 - -
expect ok simulate c0 s1 p0 -
expect ok print_simulation c0 s1 times - b1
expect ok evaluate c0 s2 m0 o0 -
expect ok print_simulation c0 s2 json o0 b1
options o1
expect ok set c0 o1 at crossbar
expect ok set c0 o1 input-fill random:3
expect ok set c0 o1 compare-layers
expect ok evaluate c0 s2 m0 o1 -
expect ok values_of_program c0 s3 p0 o1 -
expect ok simulate c0 s3 p0 o1
free_simulation s3''',
    'arrays': '''
array a0 0 0 1 4 1 2 5 6
array a1 0 0 1 4 2 2 5 6
expect ok import c0 m0 - b0
options o0
expect ok set c0 o0 frames 2
expect ok compile c0 m0 o0 p0
array a5 0 1 1 FRAMES
expect ok run c0 p0 - 1 1
array a5 0 1 1 FRAME
expect ok values_of_program c0 s0 p0 - 1 1 2
expect wrong_input simulate c0 s0 p0 -
look_at_simulation s0 0 0
expect ok values_of_model c0 s0 m0 o0 1 0 2
expect ok simulate c0 s0 p0 -
look_at_simulation s0 0 0
npy x.npy a0
options o1
expect ok set c0 o1 input x.npy
expect ok set c0 o1 save-outputs out
expect ok values_of_program c0 s1 p0 o1 -
expect ok simulate c0 s1 p0 o1
array a0 3 3 1 4 1 2 5 6
expect ok run c0 p0 - 1 0
array a0 3 3 0 4 1 2 5 6
expect wrong_usage run c0 p0 - 1 0''',
    'wrong': '''
expect ok import c0 m0 - b0
options o1
keep o1 7
patience 3
compile c0 m0 o1 p0
fail 60
compile c0 m0 o1 p0
expect ok compile c0 m0 o1 p0
cancel c0
stop 1
expect wrong_input print c0 p0 json - b1
fail 200
print c0 p0 html - b1
expect ok print c0 p0 html - b1
fail 20
values_of_program c0 s0 p0 - -
expect ok values_of_program c0 s0 p0 - -
patience 1
simulate c0 s0 p0 -
expect ok values_of_program c0 s0 p0 - -
fail 9
simulate c0 s0 p0 -
expect ok values_of_program c0 s0 p0 - -
expect ok simulate c0 s0 p0 -
expect wrong_usage simulate c0 s0 p0 -
options o2 40
expect ok set c1 o2 schedule layer
expect wrong_usage set c1 o2 vary extra-pes=0,1
expect wrong_usage set c0 o2 pes many
options o3
poke o3 schedule 9
expect internal compile c1 m0 o3 p2
poke o3 schedule 1
poke o3 extra-pes 9223372036854775807
expect ok compile c1 m0 o3 p2
expect wrong_usage complain c0 usage nonsense a.txt
context c0
expect ok compile_last c0 m0 - p1
expect ok print c0 p1 table - b1''',
    'files': '''
file a.onnx b0
options o0
keep o0 0 r.html
expect ok set c0 o0 trace t.json
expect ok set c0 o0 schedule-out s.csv
expect ok set c0 o0 schedule-svg s.svg
expect ok set c0 o0 print-plan p.txt
expect ok import c0 m0 o0 m=a.onnx
expect ok name_output c0 o0 .cim a.onnx
expect ok check_files c0 o0 a.onnx
expect ok compile c0 m0 o0 p0
expect ok write_files c0 p0 o0
expect ok read c0 p1 a.cim
options o1
expect ok set c0 o1 output folder
expect ok dump c0 p1 o1 b1
expect ok open c0 f0 x.txt
put_bytes f0 b1
expect ok commit f0
expect ok open c0 f1 y.txt
discard_unfinished c0
discard f1
expect ok print c0 p0 json o0 b2
file one.json b2
expect ok diff c0 one.json a.cim json b3
expect ok diff c0 a.cim a.cim table b3''',
    'sweep': '''
file a.onnx b0
options o0
expect ok set c0 o0 vary extra-pes=0,4
expect ok set c0 o0 shard 1/1
expect ok sweep c0 o0 json b1 a.onnx
file rows.jsonl b1
expect ok sweep_merge c0 csv b2 rows.jsonl
expect ok set c0 o0 output more.jsonl
expect ok sweep_missing c0 o0 a.onnx
expect ok sweep c0 o0 table b2 a.onnx
expect ok sweep_missing c0 o0 a.onnx
expect ok diff c0 rows.jsonl#0 rows.jsonl#1 table b3
text b4 models: [a.onnx]
text b4 set: [pixel, 1x*]
file s.yaml b4
options o1
expect ok sweep c0 o1 csv b5 s.yaml
options o2
expect ok set c0 o2 vary extra-pes=0,4
patience 9
sweep c0 o2 json b1 a.onnx''',
    'passes': '''
options o0
expect ok set c0 o0 passes simplify,fold,dce
expect ok set c0 o0 print-after all
expect ok set c0 o0 time-passes
expect ok set c0 o0 stats
log c0 1
expect ok set c0 o0 inline
expect ok pass_run c0 b0 o0 ir b1
expect ok pass_run c0 b1 - dot b2
options o1
expect ok set c0 o1 stop-after partition
expect ok pass_run c0 b1 o1 onnx b2
expect ok import c0 m0 - b2
expect ok put c0 o1 frames 4
expect ok print_options c0 o1 b3
expect ok machine c0 clsa text - b3
file own.yaml b3
options o2
expect ok set c0 o2 arch own.yaml
expect ok set c0 o2 arch-field rows=32
expect ok machine c0 own.yaml json o2 b4
expect ok compile c0 m0 o2 p0
expect ok table c0 ops table b5
expect ok table c0 isa sv b5
expect ok table c0 isa c b5
expect wrong_usage table c0 nothing table b5''',
    'quantise': '''
array a0 0 0 1 4 1 2 5 6
npy x.npy a0
expect ok import c0 m0 - b0
options o0
expect ok set c0 o0 calibrate x.npy
expect ok set c0 o0 weight-bits 4
expect ok quantize c0 q0 m0 o0
expect ok print_quantized c0 q0 table o0 b1
expect ok print_quantized c0 q0 onnx o0 b1
expect ok import c0 m1 - b1
expect ok compile c0 m1 - p0''',
    'cells': '''
expect ok import c0 m0 - b0
expect ok compile c0 m0 - p0
options o1
expect ok set c0 o1 cells 0.0
expect ok dump c0 p0 o1 b2
expect ok set c0 o1 tile 0
expect ok set c0 o1 pe 0
expect ok set c0 o1 cell 1,1
expect ok where c0 p0 o1 json b2
options o0
expect ok set c0 o0 arch-field cell_bits=2
expect ok set c0 o0 noise-seed 3
expect ok set c0 o0 trials 2
expect ok set c0 o0 input-fill ramp
expect ok compile c0 m0 o0 p1
expect ok values_of_program c0 s0 p1 o0 -
expect ok simulate c0 s0 p1 o0
expect ok print_simulation c0 s0 json o0 b3''',
}
# Models, and what happens to them.
MODELS = {'residual': [name for name in CALLS if name != 'cells'],  # its cells have no levels
          'integers': ['compile', 'run', 'bytes', 'cells'], 'quant': ['cells', 'run'], 'dense': ['arrays', 'wrong'],
          'control': ['compile', 'passes']}
# Where the caller has arrays for outputs: their shape, without the batch.
OUTPUTS = {'residual': [4, 2, 3], 'dense': [7]}


def shape(*dims):
    return ' '.join(str(n) for n in [len(dims), *dims])


def programs(models):
    """(name, text) of each: `models` are files by name."""
    for model, calls in MODELS.items():
        digits = models[model].hex()
        lines = ''.join('hex b0 %s\n' % digits[at:at + 96] for at in range(0, len(digits), 96))
        output = OUTPUTS.get(model, [])
        for name in calls:
            text = CALLS[name].lstrip().replace('FRAMES', shape(2, 1, *output)).replace('FRAME', shape(1, *output))
            yield '%s_%s.calls' % (name, model), lines + text + '\n'
