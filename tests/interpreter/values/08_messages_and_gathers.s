; Bytes travel as bytes: (10, 20, 30) is sent, columns 2, none (77) and 0 are gathered, and i32 likewise.
; input 0: 10 20 30
; input 1: -1 1073741824 7
; output 0: 30 77 10
; output 1: 7 -9 -1
isa 2
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {index=0, element=u8, name="x0", shape=[3], stride_h=3, stride_w=1, stride_c=1, height=1, width=3, channels=1}
binding 1 {index=1, element=i32, name="x1", shape=[3], stride_h=3, stride_w=1, stride_c=1, height=1, width=3, channels=1}
binding 2 {output=1, index=0, element=u8, name="y0", shape=[3], stride_h=3, stride_w=1, stride_c=1, height=1, width=3, channels=1}
binding 3 {output=1, index=1, element=i32, name="y1", shape=[3], stride_h=3, stride_w=1, stride_c=1, height=1, width=3, channels=1}
tile 0 {buffer_bytes=16}
view 0 {address=0, element=u8, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=3, col_pitch=1, channel_pitch=1}
view 1 {address=4, element=i32, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=12, col_pitch=4, channel_pitch=4}
route 0 [{tile=1, counter=128}]
route 1 [{tile=1, view=1, counter=128}]
q2.load b0 dst=v0(0,0) h=1 w=3
q2.load b1 dst=v1(0,0) h=1 w=3
q1.send r0 a=v0(0,0) h=1 w=3 wait q2>=2
q1.send r1 a=v1(0,0) h=1 w=3
tile 1 {buffer_bytes=32, inbound_counters=1}
view 0 {address=0, element=u8, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=3, col_pitch=1, channel_pitch=1}
view 1 {address=4, element=i32, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=12, col_pitch=4, channel_pitch=4}
view 2 {address=16, element=u8, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=3, col_pitch=1, channel_pitch=1}
view 3 {address=20, element=i32, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=12, col_pitch=4, channel_pitch=4}
gather 0 {cols=[2, -1, 0], fill=77}
gather 1 {cols=[2, -1, 0], fill=-9}
q0.vgat t0 dst=v2(0,0) h=1 w=3 a=v0(0,0) wait i128>=2
q0.vgat t1 dst=v3(0,0) h=1 w=3 a=v1(0,0)
q2.store b2 a=v2(0,0) h=1 w=3 wait q0>=2
q2.store b3 a=v3(0,0) h=1 w=3
