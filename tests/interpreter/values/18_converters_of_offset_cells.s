; x = (200, 3), w = (-5, 7), 4 bits: P = w + 8 = (3, 15), slices (3, 3) and (0, 3), phases of 4 bits (8, 3) and (12, 0): sums 33, 9 in phase 0 and 36, 0 in phase 1, with weights 1, 4, 16, 64; less 8 * 203 = 1624.
; Codes of 4 bits: 15, 9, 15, 0, that is 291 - 1624 = -1333. In steps of 4 codes 8 (of 8.25), 2 (of 2.25), 9, 0: 32 + 32 + 576 - 1624 = -984. In steps of 2: 15 (of 16.5), 4 (of 4.5: to even), 15 (of 18), 0: 30 + 32 + 480 - 1624 = -1082.
; input 0: 200 3
; output 0: -1333
; output 1: -984
; output 2: -1082
isa 2
arch "base: clsa\n" "weight_bits: 4\n" "cell_bits: 2\n" "dac_bits: 4\n" "adc_bits: 4\n"
node 0 {name="values"}
section 0 "weights" hex { fb07 }
image 0 {k=2, n=1, element=i8}
image 1 {k=2, n=1, element=i8, shift=[2, 2]}
image 2 {k=2, n=1, element=i8, weight_bits=4, shift=[1, 1]}
binding 0 {index=0, element=u8, name="x0", shape=[2], stride_h=2, stride_w=2, stride_c=1, height=1, width=1, channels=2}
binding 1 {output=1, index=0, element=i32, name="y0", shape=[1], stride_h=1, stride_w=1, stride_c=1, height=1, width=1, channels=1}
binding 2 {output=1, index=1, element=i32, name="y1", shape=[1], stride_h=1, stride_w=1, stride_c=1, height=1, width=1, channels=1}
binding 3 {output=1, index=2, element=i32, name="y2", shape=[1], stride_h=1, stride_w=1, stride_c=1, height=1, width=1, channels=1}
tile 0 {buffer_bytes=16}
view 0 {address=0, element=u8, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=2, row_pitch=2, col_pitch=2, channel_pitch=1}
view 1 {address=4, element=i32, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
view 2 {address=8, element=i32, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
view 3 {address=12, element=i32, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
group 0 {source_view=0, kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, image=0, x_bits=8} [{k=2, n=1}]
group 1 {source_view=0, kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, image=1, x_bits=8} [{k=2, n=1, pe=1}]
group 2 {source_view=0, kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, image=2, x_bits=8} [{k=2, n=1, pe=2}]
q5.load b0 dst=v0(0,0) h=1 w=1
q0.mvm g0 dst=v1(0,0) h=1 w=1 wait q5>=1
q1.mvm g1 dst=v2(0,0) h=1 w=1 wait q5>=1
q2.mvm g2 dst=v3(0,0) h=1 w=1 wait q5>=1
q5.store b1 a=v1(0,0) h=1 w=1 wait q0>=1
q5.store b2 a=v2(0,0) h=1 w=1 wait q1>=1
q5.store b3 a=v3(0,0) h=1 w=1 wait q2>=1
