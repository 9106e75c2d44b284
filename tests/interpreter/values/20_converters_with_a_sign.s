; As 19, subtracted in front of the converters, which have -8..7: 1, -5, -12 -> -8, -12 -> -8. 1 - 20 - 128 - 512 = -659.
; input 0: 200 3
; output 0: -659
isa 2
arch "base: clsa\n" "weight_bits: 4\n" "cell_bits: 2\n" "dac_bits: 4\n" "adc_bits: 4\n" "encoding: analog_differential\n"
node 0 {name="values"}
section 0 "weights" hex { fb07 }
image 0 {k=2, n=1, element=i8}
binding 0 {index=0, element=u8, name="x0", shape=[2], stride_h=2, stride_w=2, stride_c=1, height=1, width=1, channels=2}
binding 1 {output=1, index=0, element=i32, name="y0", shape=[1], stride_h=1, stride_w=1, stride_c=1, height=1, width=1, channels=1}
tile 0 {buffer_bytes=8}
view 0 {address=0, element=u8, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=2, row_pitch=2, col_pitch=2, channel_pitch=1}
view 1 {address=4, element=i32, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
group 0 {source_view=0, kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, x_bits=8} [{k=2, n=1}]
q3.load b0 dst=v0(0,0) h=1 w=1
q0.mvm g0 dst=v1(0,0) h=1 w=1 wait q3>=1
q3.store b1 a=v1(0,0) h=1 w=1 wait q0>=1
