; u8 91 (zero 0, scale .05) plus 100 (zero 20, scale .03), to scale .08, zero 10: 4.5500002 + 2.3999999 = 6.9499998; / .08 = 86.875; 87 + 10 = 97.
; input 0: 91
; input 1: 100
; output 0: 97
isa 2
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {index=0, element=u8, name="x0", shape=[1], stride_h=1, stride_w=1, stride_c=1, height=1, width=1, channels=1}
binding 1 {index=1, element=u8, name="x1", shape=[1], stride_h=1, stride_w=1, stride_c=1, height=1, width=1, channels=1}
binding 2 {output=1, index=0, element=u8, name="y0", shape=[1], stride_h=1, stride_w=1, stride_c=1, height=1, width=1, channels=1}
tile 0 {buffer_bytes=12}
view 0 {address=0, element=u8, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=1, col_pitch=1, channel_pitch=1}
view 1 {address=4, element=u8, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=1, col_pitch=1, channel_pitch=1}
view 2 {address=8, element=u8, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=1, col_pitch=1, channel_pitch=1}
program 0 {arity=2} [i2f a, mul t0 #0.05, isub b #20, i2f t2, mul t3 #0.03, add t1 t4, div t5 #0.08, f2i t6, iadd t7 #10]
q2.load b0 dst=v0(0,0) h=1 w=1
q2.load b1 dst=v1(0,0) h=1 w=1
q0.vmap p0 dst=v2(0,0) h=1 w=1 a=v0(0,0) b=v1(0,0) wait q2>=2
q2.store b2 a=v2(0,0) h=1 w=1 wait q0>=1
