; Elements named by an index: the third, the last, none (77) twice, the first; row 1 by channel 0's and channel 1's own index; channels.
; input 0: 10 20 30
; input 1: 2 -1 3 -4 -3
; input 2: 1 -2 0 7
; input 3: 0.5 1.5 2.5 3.5
; output 0: 30 30 77 77 10
; output 1: 2.5 1.5 0.5 -1
; output 2: 1.5 0.5 2.5 -1
isa 2
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {index=0, element=u8, name="x0", shape=[3], stride_h=3, stride_w=1, stride_c=1, height=1, width=3, channels=1}
binding 1 {index=1, element=i32, name="x1", shape=[5], stride_h=5, stride_w=1, stride_c=1, height=1, width=5, channels=1}
binding 2 {index=2, element=i32, name="x2", shape=[4], stride_h=2, stride_w=2, stride_c=1, height=2, width=1, channels=2}
binding 3 {index=3, name="x3", shape=[4], stride_h=2, stride_w=2, stride_c=1, height=2, width=1, channels=2}
binding 4 {output=1, index=0, element=u8, name="y0", shape=[5], stride_h=5, stride_w=1, stride_c=1, height=1, width=5, channels=1}
binding 5 {output=1, index=1, name="y1", shape=[4], stride_h=2, stride_w=2, stride_c=1, height=2, width=1, channels=2}
binding 6 {output=1, index=2, name="y2", shape=[4], stride_h=2, stride_w=2, stride_c=1, height=2, width=1, channels=2}
tile 0 {buffer_bytes=96}
view 0 {address=0, element=u8, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=3, col_pitch=1, channel_pitch=1, pad_value=77}
view 1 {address=4, element=i32, ring_rows=1, y1=1, x1=5, height=1, width=5, channels=1, row_pitch=20, col_pitch=4, channel_pitch=4}
view 2 {address=24, element=i32, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
view 3 {address=40, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4, pad_value=-1.0}
view 4 {address=56, element=u8, ring_rows=1, y1=1, x1=5, height=1, width=5, channels=1, row_pitch=5, col_pitch=1, channel_pitch=1}
view 5 {address=64, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
view 6 {address=80, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
q2.load b0 dst=v0(0,0) h=1 w=3
q2.load b1 dst=v1(0,0) h=1 w=5
q2.load b2 dst=v2(0,0) h=2 w=1
q2.load b3 dst=v3(0,0) h=2 w=1
q0.vtake along(w) dst=v4(0,0) h=1 w=5 a=v0(0,0) b=v1(0,0) wait q2>=4
q0.vtake along(h) dst=v5(0,0) h=2 w=1 a=v3(0,0) b=v2(0,0)
q0.vtake along(c) dst=v6(0,0) h=2 w=1 a=v3(0,0) b=v2(0,0)
q2.store b4 a=v4(0,0) h=1 w=5 wait q0>=3
q2.store b5 a=v5(0,0) h=2 w=1
q2.store b6 a=v6(0,0) h=2 w=1
