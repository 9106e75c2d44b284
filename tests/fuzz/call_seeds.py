# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Programs of calls of cimc.h (api/fuzz_api.h) that are right. A model's bytes are in b0."""

# What happens to a model, by name.
CALLS = {
    'compile': '''
options o0
set c0 o0 extra-pes 4
keep o0 7
import c0 m0 o0 b0
look_at_model m0 o0 0 0 0 0
compile c0 m0 o0 p0
look_at_program p0 0 0 0 0 0 0 0 0
schedule p0 9
print c0 p0 table o0 b1
print c0 p0 json o0 b1
print c0 p0 times o0 b1
print c0 p0 csv o0 b1
print c0 p0 svg o0 b1
print c0 p0 trace o0 b1
print c0 p0 html o0 b1
print c0 p0 plan o0 b1
print c0 p0 time_trace o0 b1
check c1 p0 json b1
where c1 p0 - table b1
free_model m0
check c1 p0 text''',
    'bytes': '''
import c0 m0 - b0
compile c0 m0 - p0
write c0 p0 b1
read c1 p1 b1
look_at_program p1 1 0 2 1 1 0 5 3
disassemble c0 p1 - b2
options o1
set c0 o1 inline
disassemble c0 p1 o1 b2
assemble c0 p2 b2
check c0 p2 text b3
bind c0 p1 o1 b0
check c0 p1 json b3
set_noise c0 p1 1
flip b1 1234
read c0 p3 b1
cut b2 900
assemble c0 p3 b2
print_diagnostics c0 json 1 b4
clear c0''',
    'run': '''
options o0
set c0 o0 input-fill ramp
import c0 m0 - b0
values_of_model c0 s0 m0 o0 0 0 0
compile c0 m0 - p0
simulate c0 s0 p0 o0
look_at_simulation s0 0 0
print_simulation c0 s0 table o0 b1
print_simulation c0 s0 json o0 b1
values_of_program c0 s1 p0 - -
simulate c0 s1 p0 -
print_simulation c0 s1 times - b1
evaluate c0 s2 m0 o0 -
print_simulation c0 s2 json o0 b1
options o1
set c0 o1 at crossbar
set c0 o1 input-fill random:3
set c0 o1 compare-layers
evaluate c0 s2 m0 o1 -
values_of_program c0 s3 p0 o1 -
simulate c0 s3 p0 o1
free_simulation s3''',
    'arrays': '''
array a0 0 0 1 4 1 2 5 6
array a1 0 0 1 4 2 2 5 6
import c0 m0 - b0
options o0
set c0 o0 frames 2
compile c0 m0 o0 p0
array a5 0 1 1 4 1 4 2 3
run c0 p0 - 1 1
values_of_model c0 s0 m0 - 1 1 1
simulate c0 s0 p0 -
look_at_simulation s0 0 0
npy x.npy a0
options o1
set c0 o1 input x.npy
set c0 o1 save-outputs out
values_of_program c0 s1 p0 o1 -
simulate c0 s1 p0 o1
array a0 3 3 1 4 1 2 5 6
run c0 p0 - 1 0
array a0 3 3 0 4 1 2 5 6
run c0 p0 - 1 0''',
    'wrong': '''
import c0 m0 - b0
patience 3
compile c0 m0 - p0
fail 60
compile c0 m0 - p0
compile c0 m0 - p0
cancel c0
stop 1
print c0 p0 json - b1
fail 200
print c0 p0 html - b1
fail 20
values_of_program c0 s0 p0 - -
values_of_program c0 s0 p0 - -
patience 1
simulate c0 s0 p0 -
fail 90
simulate c0 s0 p0 -
simulate c0 s0 p0 -
options o2 40
set c1 o2 schedule layer
set c1 o2 vary extra-pes=0,1
set c0 o2 pes many
options o3
poke o3 18 9
compile c1 m0 o3 p2
poke o3 18 1
poke o3 30 99999999999
compile c1 m0 o3 p2
complain c0 usage nonsense a.txt
context c0
compile_last c0 m0 - p1
print c0 p1 table - b1''',
    'files': '''
file a.onnx b0
options o0
set c0 o0 report r.html
set c0 o0 trace t.json
set c0 o0 schedule-out s.csv
set c0 o0 schedule-svg s.svg
set c0 o0 print-plan p.txt
import c0 m0 o0 m=a.onnx
name_output c0 o0 .cim a.onnx
check_files c0 o0 a.onnx
compile c0 m0 o0 p0
write_files c0 p0 o0
read c0 p1 a.cim
options o1
set c0 o1 output folder
dump c0 p1 o1 b1
open c0 f0 x.txt
put_bytes f0 b1
commit f0
open c0 f1 y.txt
discard_unfinished c0
discard f1
print c0 p0 json o0 b2
file one.json b2
diff c0 one.json a.cim json b3
diff c0 a.cim a.cim table b3''',
    'sweep': '''
file a.onnx b0
options o0
set c0 o0 vary extra-pes=0,4
set c0 o0 shard 1/1
sweep c0 o0 json b1 a.onnx
file rows.jsonl b1
sweep_merge c0 csv b2 rows.jsonl
set c0 o0 output more.jsonl
sweep_missing c0 o0 a.onnx
sweep c0 o0 table b2 a.onnx
sweep_missing c0 o0 a.onnx
diff c0 rows.jsonl#0 rows.jsonl#1 table b3
text b4 models: [a.onnx]
text b4 set: [pixel, 1x*]
file s.yaml b4
options o1
sweep c0 o1 csv b5 s.yaml''',
    'passes': '''
options o0
set c0 o0 passes simplify,fold,dce
set c0 o0 print-after all
set c0 o0 time-passes
set c0 o0 stats
log c0 1
pass_run c0 b0 o0 ir b1
pass_run c0 b1 - dot b2
options o1
set c0 o1 stop-after partition
pass_run c0 b1 o1 onnx b2
import c0 m0 - b2
put c0 o1 30 4
print_options c0 o1 b3
machine c0 clsa text - b3
file own.yaml b3
options o2
set c0 o2 arch own.yaml
set c0 o2 arch-field rows=32
machine c0 own.yaml json o2 b4
compile c0 m0 o2 p0
table c0 ops table b5
table c0 isa sv b5
table c0 isa c b5
table c0 nothing table b5''',
    'integers': '''
array a0 0 0 1 4 1 2 5 6
npy x.npy a0
import c0 m0 - b0
options o0
set c0 o0 calibrate x.npy
set c0 o0 weight-bits 4
quantize c0 q0 m0 o0
print_quantized c0 q0 table o0 b1
print_quantized c0 q0 onnx o0 b1
import c0 m1 - b1
compile c0 m1 - p0
options o1
set c0 o1 cells 0.0
dump c0 p0 o1 b2
set c0 o1 tile 0
set c0 o1 pe 0
set c0 o1 cell 1,1
where c0 p0 o1 json b2
set c0 o0 arch-field cell_bits=2
set c0 o0 noise-seed 3
set c0 o0 trials 2
set c0 o0 input-fill ramp
compile c0 m0 o0 p1
values_of_program c0 s0 p1 o0 -
simulate c0 s0 p1 o0
print_simulation c0 s0 json o0 b3''',
}
# Models that go with all of them, and with which others.
MODELS = {'residual': CALLS, 'integers': ['compile', 'run', 'bytes', 'integers'], 'quant': ['integers', 'run'], 'dense': ['arrays', 'wrong'],
          'control': ['compile', 'passes']}


def programs(models):
    """(name, text) of each: `models` are files by name."""
    for model, calls in MODELS.items():
        digits = models[model].hex()
        lines = ''.join('hex b0 %s\n' % digits[at:at + 96] for at in range(0, len(digits), 96))
        for name in calls:
            yield '%s_%s.calls' % (name, model), lines + CALLS[name].lstrip() + '\n'
