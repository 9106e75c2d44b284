; Three frames of two values: y = the sum of x up to now, from h on, in a buffer that all frames share. h is loaded for the first frame only, the last sum stored by the last one only.
; 10 + 1 = 11, 20 + 2 = 22; 11 + 3 = 14, 22 + 4 = 26; 14 + 5 = 19, 26 + 6 = 32.
; input 0: 1 2 3 4 5 6
; input 1: 10 20
; output 0: 11 22 14 26 19 32
; output 1: 19 32
isa 2
frames 3
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {name="x0", shape=[2], stride_w=1, height=1, width=2, channels=1, frame_stride=2}
binding 1 {index=1, name="x1", shape=[2], stride_w=1, height=1, width=2, channels=1}
binding 2 {output=1, name="y0", shape=[2], stride_w=1, height=1, width=2, channels=1, frame_stride=2}
binding 3 {output=1, index=1, name="y1", shape=[2], stride_w=1, height=1, width=2, channels=1}
tile 0 {buffer_bytes=16}
view 0 {ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4, frame_rows=1}
view 1 {address=8, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
program 0 {arity=2} [add a b]
q2.load b1 first dst=v1(0,0) h=1 w=2
q2.load b0 dst=v0(0,0) h=1 w=2 wait q0>=0
q0.vmap p0 dst=v1(0,0) h=1 w=2 a=v1(0,0) b=v0(0,0) wait q2>=2
q2.store b2 a=v1(0,0) h=1 w=2 wait q0>=1
q2.store b3 last a=v1(0,0) h=1 w=2 wait q0>=1
