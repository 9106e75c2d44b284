; A binding of i64 has the low half of its elements in the buffer, an i32; a STORE extends the sign. Sums there wrap: 2 (2^31 - 1) = -2.
; input 0: 1 -1 2147483647 -2147483648
; output 0: 1 -1 2147483647 -2147483648
; output 1: 2 -2 -2 0
isa 2
arch "base: clsa\n"
node 0 {name="words"}
binding 0 {index=0, element=i64, name="x", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
binding 1 {output=1, index=0, element=i32, name="y0", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
binding 2 {output=1, index=1, element=i64, name="y1", shape=[4], stride_h=4, stride_w=1, stride_c=1, height=1, width=4, channels=1}
tile 0 {buffer_bytes=32}
view 0 {address=0, element=i32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 1 {address=16, element=i32, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
program 0 {arity=1} [iadd a a]
q2.load b0 dst=v0(0,0) h=1 w=4
q0.vmap p0 dst=v1(0,0) h=1 w=4 a=v0(0,0) wait q2>=1
q2.store b1 a=v0(0,0) h=1 w=4
q2.store b2 a=v1(0,0) h=1 w=4 wait q0>=1
