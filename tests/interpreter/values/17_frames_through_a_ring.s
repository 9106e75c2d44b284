; Three frames of two rows through a ring of three: frame 1 has slots 2 and 0, frame 2 slots 1 and 2. y(r) = x(r) + x(r + 1), below the last row is 0; an iteration later than the SEND, which waits for
; the SIGNAL of the frame before. (1, 2) + (3, 4) = (4, 6), (3, 4); (5, 6) + (7, 8) = (12, 14), (7, 8); (9, 10) + (11, 12) = (20, 22), (11, 12).
; input 0: 1 2 3 4 5 6 7 8 9 10 11 12
; output 0: 4 6 3 4 12 14 7 8 20 22 11 12
isa 2
frames 3
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {name="x0", shape=[2, 2], stride_h=2, stride_w=1, height=2, width=2, channels=1, frame_stride=4}
binding 1 {output=1, name="y0", shape=[2, 2], stride_h=2, stride_w=1, height=2, width=2, channels=1, frame_stride=4}
tile 0 {buffer_bytes=16, inbound_counters=1, step=[1]}
view 0 {ring_rows=2, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4, frame_rows=2}
route 0 [{tile=1, counter=128}]
q2.load b0 dst=v0(0,0) h=2 w=2 wait q1>=0
q1.send r0 a=v0(0,0) h=2 w=2 wait q2>=1, i128>=1
tile 1 {buffer_bytes=40, inbound_counters=1, step=[1]}
view 0 {ring_rows=3, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4, frame_rows=2}
view 1 {address=24, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4, frame_rows=2}
program 0 {arity=2} [add a b]
route 0 [{counter=128}]
q0.vmap p0 dst=v1(0,0) h=2 w=2 a=v0(0,0) b=v0(1,0) stage=1 wait i128>=0, q2>=0
q1.signal r0 stage=1 wait q0>=1
q2.store b1 a=v1(0,0) h=2 w=2 stage=1 wait q0>=1
