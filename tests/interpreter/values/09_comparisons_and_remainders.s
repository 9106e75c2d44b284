; where(x < y, x, 2.5) as mask, mask, ior; fmod of -5.5 and 2, of 2^100 = 4^50 = 1 (mod 3), of 2.5 and infinity, of what is a multiple.
; Nearest, ties to even, of 5.5, -5.5, 2^100, 2.5, -0.5, 1.5; then down, up, toward 0.
; Quotients toward 0, by 0 it is 0, -2^31 by -1 wraps; remainders of the divisor's sign.
; input 0: 5.5 -5.5 1267650600228229401496703205376 2.5 -0.5 1.5
; input 1: 2 2 3 inf -2 0.5
; input 2: 7 -7 7 -7 -2147483648 5
; input 3: 2 2 -2 -2 -1 0
; output 0: 2.5 -5.5 2.5 2.5 2.5 2.5
; output 1: 1.5 -1.5 1 2.5 -0.5 0
; output 2: 6 -6 1267650600228229401496703205376 2 0 2
; output 3: 5 -6 1267650600228229401496703205376 2 -1 1
; output 4: 6 -5 1267650600228229401496703205376 3 0 2
; output 5: 5 -5 1267650600228229401496703205376 2 0 1
; output 6: 3 -3 -3 3 -2147483648 0
; output 7: 1 1 -1 -1 0 0
; x < y, and 4 where they are equal, which none is, beside 7 bits of x: 7, 121, 7, 121, 0, 5.
; output 8: 7 121 7 121 1 5
isa 2
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {index=0, name="x0", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 1 {index=1, name="x1", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 2 {index=2, element=i32, name="x2", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 3 {index=3, element=i32, name="x3", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 4 {output=1, index=0, name="y0", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 5 {output=1, index=1, name="y1", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 6 {output=1, index=2, name="y2", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 7 {output=1, index=3, name="y3", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 8 {output=1, index=4, name="y4", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 9 {output=1, index=5, name="y5", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 10 {output=1, index=6, element=i32, name="y6", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 11 {output=1, index=7, element=i32, name="y7", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
binding 12 {output=1, index=8, element=i32, name="y8", shape=[6], stride_h=6, stride_w=1, stride_c=1, height=1, width=6, channels=1}
tile 0 {buffer_bytes=312}
view 0 {address=0, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 1 {address=24, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 2 {address=48, element=i32, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 3 {address=72, element=i32, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 4 {address=96, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 5 {address=120, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 6 {address=144, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 7 {address=168, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 8 {address=192, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 9 {address=216, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 10 {address=240, element=i32, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 11 {address=264, element=i32, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 12 {address=288, element=i32, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
program 0 {arity=2} [flt a b, mask t0 a, ieq t0 #0, mask t2 #2.5, ior t1 t3]
program 1 {arity=2} [fmod a b]
program 2 {arity=1} [rint a]
program 3 {arity=1} [floor a]
program 4 {arity=1} [ceil a]
program 5 {arity=1} [trunc a]
program 6 {arity=2} [idiv a b]
program 7 {arity=2} [imod a b]
program 8 {arity=2} [ilt a b, ieq a b, mask t1 #4, ior t0 t2, iand a #127, ior t4 t3]
q2.load b0 dst=v0(0,0) h=1 w=6
q2.load b1 dst=v1(0,0) h=1 w=6
q2.load b2 dst=v2(0,0) h=1 w=6
q2.load b3 dst=v3(0,0) h=1 w=6
q0.vmap p0 dst=v4(0,0) h=1 w=6 a=v0(0,0) b=v1(0,0) wait q2>=4
q0.vmap p1 dst=v5(0,0) h=1 w=6 a=v0(0,0) b=v1(0,0)
q0.vmap p2 dst=v6(0,0) h=1 w=6 a=v0(0,0)
q0.vmap p3 dst=v7(0,0) h=1 w=6 a=v0(0,0)
q0.vmap p4 dst=v8(0,0) h=1 w=6 a=v0(0,0)
q0.vmap p5 dst=v9(0,0) h=1 w=6 a=v0(0,0)
q0.vmap p6 dst=v10(0,0) h=1 w=6 a=v2(0,0) b=v3(0,0)
q0.vmap p7 dst=v11(0,0) h=1 w=6 a=v2(0,0) b=v3(0,0)
q0.vmap p8 dst=v12(0,0) h=1 w=6 a=v2(0,0) b=v3(0,0)
q2.store b4 a=v4(0,0) h=1 w=6 wait q0>=9
q2.store b5 a=v5(0,0) h=1 w=6
q2.store b6 a=v6(0,0) h=1 w=6
q2.store b7 a=v7(0,0) h=1 w=6
q2.store b8 a=v8(0,0) h=1 w=6
q2.store b9 a=v9(0,0) h=1 w=6
q2.store b10 a=v10(0,0) h=1 w=6
q2.store b11 a=v11(0,0) h=1 w=6
q2.store b12 a=v12(0,0) h=1 w=6
