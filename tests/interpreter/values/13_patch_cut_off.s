; Kernel (2, 5) over (1, 2, 3, 4), two pixels a product: columns (2, 5, 7) and (0, 2, 5). The third row of the first, which its pixel does not read, counts all the same:
; 1*2 + 2*5 + 3*7 = 33. 2*2 + 3*5 = 19. The third pixel's product is cut off: 3*2 + 4*5 = 26, and the fifth column, which the view does not hold, is not read.
; input 0: 1 2 3 4 9
; output 0: 33 19 26
isa 2
arch "base: clsa\n"
node 0 {name="values"}
section 0 "weights" hex { 020005020705 }
image 0 {k=3, n=2, element=i8}
binding 0 {index=0, element=u8, name="x0", shape=[5], stride_h=5, stride_w=1, stride_c=1, height=1, width=5, channels=1}
binding 1 {output=1, index=0, element=i32, name="y0", shape=[3], stride_h=3, stride_w=1, stride_c=1, height=1, width=3, channels=1}
tile 0 {buffer_bytes=16}
view 0 {address=0, element=u8, ring_rows=1, y1=1, x1=4, height=1, width=5, channels=1, row_pitch=4, col_pitch=1, channel_pitch=1}
view 1 {address=4, element=i32, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=12, col_pitch=4, channel_pitch=4}
group 0 {source_view=0, kernel_h=1, kernel_w=2, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1, x_bits=8, patch_w=2} [{k=3, n=2}]
q3.load b0 dst=v0(0,0) h=1 w=4
q0.mvm g0 dst=v1(0,0) h=1 w=3 wait q3>=1
q3.store b1 a=v1(0,0) h=1 w=3 wait q0>=1
