; x = (200, 3), weights (-5, 7), (3, 1), (0, 1): 200*-5 + 3*7 = -979, 603, 3. Bias (80, 0, 1): -899, 603, 4.
; Times (0.5, 0.25, 0.125): -449.5, 150.75, 0.5, to the nearest, ties to even: -450, 151, 0. Plus 10, in 0..255: 0, 161, 10.
; input 0: 200 3
; output 0: -979 603 3
; output 1: 0 161 10
isa 2
arch "base: clsa\n"
node 0 {name="values"}
section 0 "weights" hex { fb0300070101 }
section 1 "constants" hex { 500000000000000001000000 0000003f0000803e0000003e }
image 0 {k=2, n=3, element=i8}
binding 0 {index=0, element=u8, name="x0", shape=[2], stride_h=2, stride_w=2, stride_c=1, height=1, width=1, channels=2}
binding 1 {output=1, index=0, element=i32, name="y0", shape=[3], stride_h=3, stride_w=3, stride_c=1, height=1, width=1, channels=3}
binding 2 {output=1, index=1, element=u8, name="y1", shape=[3], stride_h=3, stride_w=3, stride_c=1, height=1, width=1, channels=3}
tile 0 {buffer_bytes=48}
view 0 {address=0, element=u8, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=2, row_pitch=2, col_pitch=2, channel_pitch=1}
view 1 {address=4, element=i32, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=3, row_pitch=12, col_pitch=12, channel_pitch=4}
view 2 {address=16, element=u8, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=3, row_pitch=3, col_pitch=3, channel_pitch=1}
view 3 {address=20, element=i32, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=3, row_pitch=12, col_pitch=12, channel_pitch=4}
group 0 {source_view=0, kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, x_bits=8} [{k=2, n=3}]
program 0 {arity=1, constants_view=3} [iadd a c0, i2f t0, mul t1 c1, f2i t2, iadd t3 #10]
preload 0 {address=20, section=1, length=24}
q3.load b0 dst=v0(0,0) h=1 w=1
q0.mvm g0 dst=v1(0,0) h=1 w=1 wait q3>=1
q3.store b1 a=v1(0,0) h=1 w=1 wait q0>=1
q1.vmap p0 dst=v2(0,0) h=1 w=1 a=v1(0,0) wait q0>=1
q3.store b2 a=v2(0,0) h=1 w=1 wait q1>=1
