; Three frames through two stages: the second one runs an iteration later, and its credit comes back for the only row that the first may fill.
isa 2
frames 3
arch "base: clsa\nlanes: 1\nvector_setup_cycles: 8\nlink_bytes_per_cycle: 8\nhop_cycles: 5\n"
node 0 {name="layer"}
section 0 "weights" hex { 00000040 }
image 0 {k=1, n=1}
binding 0 {name="x", shape=[4], stride_w=1, height=1, width=4, channels=1, frame_stride=4}
binding 1 {index=1, name="offset", shape=[4], stride_w=1, height=1, width=4, channels=1}
binding 2 {output=1, name="y", shape=[4], stride_w=1, height=1, width=4, channels=1, frame_stride=4}
tile 0 {buffer_bytes=32, inbound_counters=1, step=[1]}
view 0 {ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4, frame_rows=1}
view 1 {address=16, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4, frame_rows=1}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1} [{k=1, n=1}]
route 0 [{tile=1, counter=128}]
q3.load b0 dst=v0(0,0) h=1 w=4 y=0 x=0 c=0 wait q0>=0              ; [0, 0] [4, 4] [10, 10]
q0.mvm g0 dst=v1(0,0) h=1 w=4 wait q3>=1, q2>=0                    ; [0, 4] [6, 10] [30, 34]
q2.send r0 a=v1(0,0) h=1 w=4 wait q0>=1, i128>=1                   ; [4, 6] [28, 30] [52, 54]
tile 1 {buffer_bytes=48, inbound_counters=1, step=[1]}
view 0 {ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4, frame_rows=1}
view 1 {address=16, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4, frame_rows=1}
view 2 {address=32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
program 0 {arity=2} [add a b]
route 0 [{counter=128}]
q2.load b1 first dst=v2(0,0) h=1 w=4 y=0 x=0 c=0                   ; [0, 0]
q0.vmap p0 dst=v1(0,0) h=1 w=4 a=v0(0,0) b=v2(0,0) stage=1 wait i128>=0, q2>=1 ; [11, 23] [35, 47] [59, 71]
q2.store b2 a=v1(0,0) h=1 w=4 y=0 x=0 c=0 stage=1 wait q0>=1       ; [23, 23] [47, 47] [71, 71]
q1.signal r0 stage=1 wait q0>=1                                    ; [23, 23] [47, 47] [71, 71]
