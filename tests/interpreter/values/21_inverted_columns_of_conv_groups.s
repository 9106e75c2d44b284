; Two conv groups of one channel, kernels (1, 0) and (-2, -2), 2 bits: P = (3, 2) and (0, 0). 2 * (3 + 2) > 2 rows * 3, so the first is stored as (0, 1): 1 bit reads 1, which is 3 * 2 - 1 = 5, less 2 * 2. If the
; rows of the other conv group counted, nothing would be inverted, and 5 be cut off at 1.
; input 0: 1 1 1 1
; output 0: 1 -4
isa 2
arch "base: clsa\n" "weight_bits: 2\n" "cell_bits: 2\n" "adc_bits: 1\n" "column_flip: 1\n" "dac_bits: 1\n"
node 0 {name="values"}
section 0 "weights" hex { 01fe 00fe }
image 0 {k=2, n=2, element=i8}
binding 0 {index=0, element=u8, name="x0", shape=[4], stride_h=4, stride_w=2, stride_c=1, height=1, width=2, channels=2}
binding 1 {output=1, index=0, element=i32, name="y0", shape=[2], stride_h=2, stride_w=2, stride_c=1, height=1, width=1, channels=2}
tile 0 {buffer_bytes=12}
view 0 {address=0, element=u8, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=2, row_pitch=4, col_pitch=2, channel_pitch=1}
view 1 {address=4, element=i32, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
group 0 {source_view=0, kernel_h=1, kernel_w=2, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, conv_groups=2, x_bits=1} [{k=2, n=2}]
q3.load b0 dst=v0(0,0) h=1 w=2
q0.mvm g0 dst=v1(0,0) h=1 w=1 wait q3>=1
q3.store b1 a=v1(0,0) h=1 w=1 wait q0>=1
