; rq by 514, shift 16: (32896 + 32768) >> 16 = 1; (32382 + 32768) >> 16 = 0; (-12895232 + 32768) >> 16 = -197, in 0..255: 0; (16676216 + 32768) >> 16 = 254.
; rq by 2^30, shift 31, offset 0: halves, half up: -1 from -3; 0, from -1; 3 from 5; 1 from 1. Shift 0 by 2^20 and offset -1 saturates: 2^31 - 1 from 2^30, -2^31 from -2^30; 2^20 - 1; -1.
; input 0: 64 63 -25088 32444
; input 1: -3 -1 5 1
; input 2: 1073741824 -1073741824 1 0
; output 0: 1 0 0 254
; output 1: -1 0 3 1
; output 2: 2147483647 -2147483648 1048575 -1
isa 2
arch "base: clsa\n"
node 0 {name="values"}
section 0 "constants" hex { 0202000000000000000000400000000000001000ffffffff }
binding 0 {index=0, element=i32, name="x0", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
binding 1 {index=1, element=i32, name="x1", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
binding 2 {index=2, element=i32, name="x2", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
binding 3 {output=1, index=0, element=u8, name="y0", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
binding 4 {output=1, index=1, element=i32, name="y1", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
binding 5 {output=1, index=2, element=i32, name="y2", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
tile 0 {buffer_bytes=128}
view 0 {address=0, element=i32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 1 {address=16, element=i32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 2 {address=32, element=i32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 3 {address=48, element=u8, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=4, col_pitch=1, channel_pitch=1}
view 4 {address=52, element=i32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 5 {address=68, element=i32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 6 {address=84, element=i32, ring_rows=6, y1=6, x1=1, height=6, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
program 0 {arity=1, constants_view=6} [rq a c0 #16]
program 1 {arity=1, constants_view=6} [rq a c2 #31]
program 2 {arity=1, constants_view=6} [rq a c4 #0]
preload 0 {address=84, section=0, length=24}
q2.load b0 dst=v0(0,0) h=1 w=4
q2.load b1 dst=v1(0,0) h=1 w=4
q2.load b2 dst=v2(0,0) h=1 w=4
q0.vmap p0 dst=v3(0,0) h=1 w=4 a=v0(0,0) wait q2>=1
q0.vmap p1 dst=v4(0,0) h=1 w=4 a=v1(0,0) wait q2>=2
q0.vmap p2 dst=v5(0,0) h=1 w=4 a=v2(0,0) wait q2>=3
q2.store b3 a=v3(0,0) h=1 w=4 wait q0>=1
q2.store b4 a=v4(0,0) h=1 w=4 wait q0>=2
q2.store b5 a=v5(0,0) h=1 w=4 wait q0>=3
