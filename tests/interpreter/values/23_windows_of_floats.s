; Rows (1, 2, -9) and (3, -250, 7). Maxima of 2 x 2, a row of padding above: of (1, 2) and of (2, -9). Sums of columns x and x + 2, where column 3 reads 0.5: 1 - 9 = -8, 2 + 0.5, 3 + 7 = 10, -250 + 0.5.
; Means of 2 x 2, column 3 counts: -244 / 4 = -61; (-9 + 0.5 + 7 + 0.5) / 4 = -0.25. Overlap: taps (1, 2, 4) and (8, 16, 32), two pixels apart, the first of five left out: 2, 4 + 8, 16, 32.
; In order: 1e8 + 1 = 1e8, - 1e8 = 0; the greatest is 1e8.
; input 0: 1 2 -9 3 -250 7
; input 1: 1 2 4 8 16 32
; input 2: 100000000 1 -100000000
; output 0: 2 2
; output 1: -8 2.5 10 -249.5
; output 2: -61 -0.25
; output 3: 2 12 16 32
; output 4: 0 100000000
isa 2
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {index=0, name="x0", shape=[6], stride_h=3, stride_w=1, height=2, width=3, channels=1}
binding 1 {index=1, name="x1", shape=[6], stride_w=3, stride_c=1, height=1, width=2, channels=3}
binding 2 {index=2, name="x2", shape=[3], stride_w=1, height=1, width=3, channels=1}
binding 3 {output=1, index=0, name="y0", shape=[2], stride_w=1, height=1, width=2, channels=1}
binding 4 {output=1, index=1, name="y1", shape=[4], stride_h=2, stride_w=1, height=2, width=2, channels=1}
binding 5 {output=1, index=2, name="y2", shape=[2], stride_w=1, height=1, width=2, channels=1}
binding 6 {output=1, index=3, name="y3", shape=[4], stride_w=1, height=1, width=4, channels=1}
binding 7 {output=1, index=4, name="y4", shape=[2], stride_w=1, height=1, width=2, channels=1}
tile 0 {buffer_bytes=116}
view 0 {address=0, ring_rows=2, y1=2, x1=3, height=2, width=3, channels=1, row_pitch=12, col_pitch=4, channel_pitch=4, pad_value=-inf}
view 1 {address=0, ring_rows=2, y1=2, x1=3, height=2, width=3, channels=1, row_pitch=12, col_pitch=4, channel_pitch=4, pad_value=0.5}
view 2 {address=24, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=3, row_pitch=24, col_pitch=12, channel_pitch=4}
view 3 {address=48, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=12, col_pitch=4, channel_pitch=4}
view 4 {address=60, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 5 {address=68, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 6 {address=84, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 7 {address=92, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 8 {address=108, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
view 9 {address=112, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
window 0 {kernel_h=2, kernel_w=2, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, pad_top=1}
window 1 {kind=2, kernel_h=1, kernel_w=2, stride_h=1, stride_w=1, dilation_h=1, dilation_w=2}
window 2 {kind=1, kernel_h=2, kernel_w=2, stride_h=2, stride_w=2, dilation_h=1, dilation_w=1, counted_right=1}
window 3 {kind=3, kernel_h=1, kernel_w=3, stride_h=1, stride_w=2, dilation_h=1, dilation_w=1, pad_left=1}
q2.load b0 dst=v0(0,0) h=2 w=3
q2.load b1 dst=v2(0,0) h=1 w=2
q2.load b2 dst=v3(0,0) h=1 w=3
q0.vwin w0 dst=v4(0,0) h=1 w=2 a=v0(0,0) wait q2>=3
q0.vwin w1 dst=v5(0,0) h=2 w=2 a=v1(0,0)
q0.vwin w2 dst=v6(0,0) h=1 w=2 a=v1(0,0)
q0.vwin w3 dst=v7(0,0) h=1 w=4 a=v2(0,0)
q0.vred sum(w) dst=v8(0,0) h=1 w=3 a=v3(0,0)
q0.vred max(w) dst=v9(0,0) h=1 w=3 a=v3(0,0)
q2.store b3 a=v4(0,0) h=1 w=2 wait q0>=6
q2.store b4 a=v5(0,0) h=2 w=2
q2.store b5 a=v6(0,0) h=1 w=2
q2.store b6 a=v7(0,0) h=1 w=4
q2.store b7 a=v8(0,0) h=1 w=1
q2.store b7 a=v9(0,0) h=1 w=1 x=1
