; x = (200, 3), w = (-5, 7): P = (0, 7), N = (5, 0), each part in a row of its own. (P, N) sums in phase 0: slices (9, 8), (3, 8), in phase 1: (0, 12), (0, 12): none above 15.
; 1 - 5*4 - 12*16 - 12*64 = -979 = 200*-5 + 3*7.
; input 0: 200 3
; output 0: -979
isa 2
arch "base: clsa\n" "weight_bits: 4\n" "cell_bits: 2\n" "dac_bits: 4\n" "adc_bits: 4\n" "encoding: differential\n" "pair_axis: rows\n"
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
