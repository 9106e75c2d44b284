; Two rows, each with a matrix of its own. Bytes, nk: (255, 255) by (255, 255) and (1, 0): 130050, 255; (1, 2) by (3, 4) and (5, 6): 11, 17. kn: (255, 255) by (255, 1; 255, 0): 130050, 255; (1, 2) by (3, 5; 4, 6): 11, 17.
; Floats: (1, 1, 1) by (1e8, 1, -1e8): 1e8 + 1 = 1e8, then 0; (3, 0, 1) by the same, for the view of the matrix has no row pitch: 3e8 - 1e8 = 2e8.
; input 0: 255 255 1 2
; input 1: 255 255 1 0 3 4 5 6
; input 2: 1 1 1 3 0 1
; input 3: 100000000 1 -100000000
; output 0: 130050 255 11 17
; output 1: 130050 255 11 17
; output 2: 0.0 200000000.0
isa 2
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {index=0, element=u8, name="x0", shape=[4], stride_h=2, stride_w=2, stride_c=1, height=2, width=1, channels=2}
binding 1 {index=1, element=u8, name="x1", shape=[8], stride_h=4, stride_w=2, stride_c=1, height=2, width=2, channels=2}
binding 2 {index=2, name="x2", shape=[6], stride_h=3, stride_w=3, stride_c=1, height=2, width=1, channels=3}
binding 3 {index=3, name="x3", shape=[3], stride_h=3, stride_w=3, stride_c=1, height=1, width=1, channels=3}
binding 4 {output=1, index=0, element=i32, name="y0", shape=[4], stride_h=2, stride_w=2, stride_c=1, height=2, width=1, channels=2}
binding 5 {output=1, index=1, element=i32, name="y1", shape=[4], stride_h=2, stride_w=2, stride_c=1, height=2, width=1, channels=2}
binding 6 {output=1, index=2, name="y2", shape=[2], stride_h=1, stride_w=1, stride_c=1, height=2, width=1, channels=1}
tile 0 {buffer_bytes=104}
view 0 {address=0, element=u8, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=2, row_pitch=2, col_pitch=2, channel_pitch=1}
view 1 {address=4, element=u8, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=2, row_pitch=4, col_pitch=2, channel_pitch=1}
view 2 {address=4, element=u8, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=2, row_pitch=4, col_pitch=1, channel_pitch=2}
view 3 {address=12, element=i32, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
view 4 {address=28, element=i32, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
view 5 {address=44, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=3, row_pitch=12, col_pitch=12, channel_pitch=4}
view 6 {address=68, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=3, row_pitch=12, col_pitch=12, channel_pitch=4}
view 7 {address=68, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=3, col_pitch=12, channel_pitch=4}
view 8 {address=80, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
q2.load b0 dst=v0(0,0) h=2 w=1
q2.load b1 dst=v1(0,0) h=2 w=2
q2.load b2 dst=v5(0,0) h=2 w=1
q2.load b3 dst=v6(0,0) h=1 w=1
q0.vdot nk dst=v3(0,0) h=2 w=1 a=v0(0,0) b=v1(0,0) wait q2>=4
q0.vdot kn dst=v4(0,0) h=2 w=1 a=v0(0,0) b=v2(0,0)
q0.vdot nk dst=v8(0,0) h=2 w=1 a=v5(0,0) b=v7(0,0)
q2.store b4 a=v3(0,0) h=2 w=1 wait q0>=3
q2.store b5 a=v4(0,0) h=2 w=1
q2.store b6 a=v8(0,0) h=2 w=1
