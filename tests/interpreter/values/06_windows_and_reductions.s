; Rows (1, 2, 9) and (3, 250, 7), windows of 2 x 2 with step 2: the second one has one column outside, which a sum reads as 5 and a maximum does not.
; Maxima 250, 9. Sums 256, 9 + 5 + 7 + 5 = 26. Means of what is inside: 256 / 4 = 64, 16 / 2 = 8. Of all: maximum 250, sum 272. Columns of (2^31 - 1, 1): 1 + 1 = 2, 2^31 - 1 + 1 = -2^31.
; input 0: 1 2 9 3 250 7
; input 1: 2147483647 1 1 1
; output 0: 250 9
; output 1: 256 26
; output 2: 64.0 8.0
; output 3: 250
; output 4: 272
; output 5: -2147483648 2
isa 2
arch "base: clsa\n"
node 0 {name="values"}
binding 0 {index=0, element=u8, name="x0", shape=[6], stride_h=3, stride_w=1, stride_c=1, height=2, width=3, channels=1}
binding 1 {index=1, element=i32, name="x1", shape=[4], stride_h=2, stride_w=1, stride_c=1, height=2, width=2, channels=1}
binding 2 {output=1, index=0, element=u8, name="y0", shape=[2], stride_h=2, stride_w=1, stride_c=1, height=1, width=2, channels=1}
binding 3 {output=1, index=1, element=i32, name="y1", shape=[2], stride_h=2, stride_w=1, stride_c=1, height=1, width=2, channels=1}
binding 4 {output=1, index=2, element=f32, name="y2", shape=[2], stride_h=2, stride_w=1, stride_c=1, height=1, width=2, channels=1}
binding 5 {output=1, index=3, element=u8, name="y3", shape=[1], stride_h=1, stride_w=1, stride_c=1, height=1, width=1, channels=1}
binding 6 {output=1, index=4, element=i32, name="y4", shape=[1], stride_h=1, stride_w=1, stride_c=1, height=1, width=1, channels=1}
binding 7 {output=1, index=5, element=i32, name="y5", shape=[2], stride_h=2, stride_w=1, stride_c=1, height=1, width=2, channels=1}
tile 0 {buffer_bytes=72}
view 0 {address=0, element=u8, ring_rows=2, y1=2, x1=3, height=2, width=3, channels=1, row_pitch=3, col_pitch=1, channel_pitch=1, pad_value=5}
view 1 {address=8, element=i32, ring_rows=2, y1=2, x1=2, height=2, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 2 {address=24, element=u8, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=2, col_pitch=1, channel_pitch=1}
view 3 {address=28, element=i32, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 4 {address=36, element=f32, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 5 {address=44, element=u8, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=1, col_pitch=1, channel_pitch=1}
view 6 {address=48, element=i32, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
view 7 {address=52, element=i32, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
window 0 {kernel_h=2, kernel_w=2, stride_h=2, stride_w=2, dilation_h=1, dilation_w=1}
window 1 {kind=2, kernel_h=2, kernel_w=2, stride_h=2, stride_w=2, dilation_h=1, dilation_w=1}
window 2 {kind=1, kernel_h=2, kernel_w=2, stride_h=2, stride_w=2, dilation_h=1, dilation_w=1}
q2.load b0 dst=v0(0,0) h=2 w=3
q2.load b1 dst=v1(0,0) h=2 w=2
q0.vwin w0 dst=v2(0,0) h=1 w=2 a=v0(0,0) wait q2>=2
q0.vwin w1 dst=v3(0,0) h=1 w=2 a=v0(0,0)
q0.vwin w2 dst=v4(0,0) h=1 w=2 a=v0(0,0)
q0.vred max(hw) dst=v5(0,0) h=2 w=3 a=v0(0,0)
q0.vred sum(hw) dst=v6(0,0) h=2 w=3 a=v0(0,0)
q0.vred sum(h) dst=v7(0,0) h=2 w=2 a=v1(0,0)
q2.store b2 a=v2(0,0) h=1 w=2 wait q0>=6
q2.store b3 a=v3(0,0) h=1 w=2 wait q0>=6
q2.store b4 a=v4(0,0) h=1 w=2 wait q0>=6
q2.store b5 a=v5(0,0) h=1 w=1 wait q0>=6
q2.store b6 a=v6(0,0) h=1 w=1 wait q0>=6
q2.store b7 a=v7(0,0) h=1 w=2 wait q0>=6
