; i2f ties to even: 2^24 + 1 is 2^24, 2^24 + 3 is 2^24 + 4. f2i ties to even, NaN is 0, and stays within 2^30.
; Sums, differences and products are modulo 2^32: 2^31 - 1 plus 1; -2^31 minus 1; 65537 * 65537 = 2^32 + 2^17 + 1. min(-3, 2) and max.
; input 0: 16777217 16777219 -7 0
; input 1: 0.5 1.5 -2.5 nan 3e9 -inf
; input 2: 2147483647 -2147483648 65537 -3
; output 0: 16777216 16777220 -7 0
; output 1: 0 2 -2 0 1073741824 -1073741824
; output 2: -2147483648 2147483647 131073 -4
; output 3: 2 -3 2 -3
isa 2
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {index=0, element=i32, name="x0", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
binding 1 {index=1, element=f32, name="x1", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 2 {index=2, element=i32, name="x2", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
binding 3 {output=1, index=0, element=f32, name="y0", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
binding 4 {output=1, index=1, element=i32, name="y1", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 5 {output=1, index=2, element=i32, name="y2", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
binding 6 {output=1, index=3, element=i32, name="y3", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
tile 0 {buffer_bytes=160}
view 0 {address=0, element=i32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 1 {address=16, element=f32, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 2 {address=40, element=i32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 3 {address=56, element=f32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 4 {address=72, element=i32, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 5 {address=96, element=i32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 6 {address=112, element=i32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
program 0 {arity=1} [i2f a]
program 1 {arity=1} [f2i a]
; per column: a + 1 (first), a - 1 (second, fourth), a * a (third)
program 2 {arity=1} [iadd a #1]
program 3 {arity=1} [isub a #1]
program 4 {arity=1} [imul a a]
program 5 {arity=1} [imin a #2, imax t0 #-3, imax t1 t0]
q2.load b0 dst=v0(0,0) h=1 w=4
q2.load b1 dst=v1(0,0) h=1 w=6
q2.load b2 dst=v2(0,0) h=1 w=4
q0.vmap p0 dst=v3(0,0) h=1 w=4 a=v0(0,0) wait q2>=3
q0.vmap p1 dst=v4(0,0) h=1 w=6 a=v1(0,0)
q0.vmap p2 dst=v5(0,0) h=1 w=1 a=v2(0,0)
q0.vmap p3 dst=v5(0,1) h=1 w=1 a=v2(0,1)
q0.vmap p4 dst=v5(0,2) h=1 w=1 a=v2(0,2)
q0.vmap p3 dst=v5(0,3) h=1 w=1 a=v2(0,3)
q0.vmap p5 dst=v6(0,0) h=1 w=4 a=v2(0,0)
q2.store b3 a=v3(0,0) h=1 w=4 wait q0>=7
q2.store b4 a=v4(0,0) h=1 w=6
q2.store b5 a=v5(0,0) h=1 w=4
q2.store b6 a=v6(0,0) h=1 w=4
