; One matrix of three rows, (1, 10), (2, 20), (3, 30), on a crossbar of its own for each row. (1, 2, 3): 1 + 4 + 9 = 14, 140. A second group shares crossbars and queue and reads what lies elsewhere:
; (5, 6, 7): 5 + 12 + 21 = 38, 380. A third one, on two more crossbars, has only the first and the last row: a partial sum, 1 + 9 = 10, 100.
; input 0: 1 2 3 5 6 7
; output 0: 14 140 38 380 10 100
isa 2
arch "base: clsa\n"
node 0 {name="values"}
section 0 "weights" hex { 0000803f 00002041 00000040 0000a041 00004040 0000f041 }
image 0 {k=3, n=2}
binding 0 {index=0, name="x0", shape=[6], stride_h=3, stride_c=1, height=2, width=1, channels=3}
binding 1 {output=1, index=0, name="y0", shape=[6], stride_h=2, stride_c=1, height=3, width=1, channels=2}
tile 0 {buffer_bytes=48}
view 0 {value=4294967295, address=0, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=3, row_pitch=12, col_pitch=12, channel_pitch=4}
view 1 {value=4294967295, address=12, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=3, row_pitch=12, col_pitch=12, channel_pitch=4}
view 2 {value=4294967295, address=0, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=3, row_pitch=12, col_pitch=12, channel_pitch=4}
view 3 {value=4294967295, address=24, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
view 4 {value=4294967295, address=32, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
view 5 {value=4294967295, address=40, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
view 6 {value=4294967295, address=24, ring_rows=3, y1=3, x1=1, height=3, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
group 0 {source_view=0, kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=3} [{k0=0, k=1, n=2, pe=0}, {k0=1, k=1, n=2, pe=1}, {k0=2, k=1, n=2, pe=2}]
group 1 {source_view=1, kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=3, shares=1} [{k0=0, k=1, n=2, pe=0}, {k0=1, k=1, n=2, pe=1}, {k0=2, k=1, n=2, pe=2}]
group 2 {source_view=0, kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=3} [{k0=0, k=1, n=2, pe=3}, {k0=2, k=1, n=2, pe=4}]
q5.load b0 dst=v2(0,0) h=2 w=1
q0.mvm g0 dst=v3(0,0) h=1 w=1 wait q5>=1
q0.mvm g1 dst=v4(0,0) h=1 w=1
q2.mvm g2 dst=v5(0,0) h=1 w=1 wait q5>=1
q5.store b1 a=v6(0,0) h=3 w=1 wait q0>=2, q2>=1
