; Rounded to binary16 on the way in and out, nearest, ties to even: 1 + 2^-11 is 1; 1 + 3*2^-11 is 1 + 2^-9; 65519 is 65504, 65520 infinite; 2^-25 is 0, 3*2^-25 is 2^-23, subnormals are kept. Between is f32: 1 + 2^-11, made of 1 and
; 2^-11, is 1 again; 65504 + 65504 is infinite.
; input 0: 1.00048828125 1.00146484375 65519 65520 0.0000000298023223876953125 0.0000000894069671630859375
; input 1: 1 65504
; input 2: 0.00048828125 65504
; output 0: 1 1.001953125 65504 inf 0 0.00000011920928955078125
; output 1: 1 inf
isa 2
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {index=0, element=f16, name="x0", shape=[6], stride_w=1, height=1, width=6, channels=1}
binding 1 {index=1, element=f16, name="x1", shape=[2], stride_w=1, height=1, width=2, channels=1}
binding 2 {index=2, element=f16, name="x2", shape=[2], stride_w=1, height=1, width=2, channels=1}
binding 3 {output=1, index=0, element=f32, name="y0", shape=[6], stride_w=1, height=1, width=6, channels=1}
binding 4 {output=1, index=1, element=f16, name="y1", shape=[2], stride_w=1, height=1, width=2, channels=1}
tile 0 {buffer_bytes=40}
view 0 {address=0, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
view 1 {address=24, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 2 {address=32, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
program 0 {arity=2} [add a b]
q2.load b0 dst=v0(0,0) h=1 w=6
q2.load b1 dst=v1(0,0) h=1 w=2
q2.load b2 dst=v2(0,0) h=1 w=2
q0.vmap p0 dst=v1(0,0) h=1 w=2 a=v1(0,0) b=v2(0,0) wait q2>=3
q2.store b3 a=v0(0,0) h=1 w=6 wait q0>=1
q2.store b4 a=v1(0,0) h=1 w=2
