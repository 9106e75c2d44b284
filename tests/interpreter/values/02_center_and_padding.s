; Weights 0 and 255 of a zero point 121 are stored as -128 and 127 with center 7 = 128 - 121; two columns of pixels side by side, padding reads 10.
; x = (2, 3): 2*-128 + 3*127 + 7*5 = 160 = 2*-121 + 3*134. The second window is (3, 10): 3*-121 + 10*134 = 977.
; input 0: 2 3
; output 0: 160 977
isa 2
arch "base: clsa\n"
node 0 {name="values"}
section 0 "weights" hex { 807f }
section 1 "center" hex { 07000000 }
image 0 {k=2, n=1, element=i8, center=2}
binding 0 {index=0, element=u8, name="x0", shape=[2], stride_h=2, stride_w=1, stride_c=1, height=1, width=2, channels=1}
binding 1 {output=1, index=0, element=i32, name="y0", shape=[2], stride_h=2, stride_w=1, stride_c=1, height=1, width=2, channels=1}
tile 0 {buffer_bytes=16}
view 0 {address=0, element=u8, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=2, col_pitch=1, channel_pitch=1, pad_value=10}
view 1 {address=4, element=i32, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
group 0 {source_view=0, kernel_h=1, kernel_w=2, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1, x_bits=8} [{k=2, n=1}]
q3.load b0 dst=v0(0,0) h=1 w=2
q0.mvm g0 dst=v1(0,0) h=1 w=2 wait q3>=1
q3.store b1 a=v1(0,0) h=1 w=2 wait q0>=1
