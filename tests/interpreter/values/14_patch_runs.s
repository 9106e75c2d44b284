; y(i) = (x(i) + 10 x(i + 2), 100 x(i)), two pixels a product: a window of 4 rows, of which the first pixel reads 0 and 2, the second 1 and 3. Columns 0 and 1 are the first pixel's,
; column 2 the second's first channel; its second channel is in no PE: 0. center 3: a weight w is stored as w - 3, and a 0 as -3. The second MVM has the rest of the rows.
; 1 + 10*3 = 31, 100; 2 + 10*4 = 42, 0; 3 + 10*5 = 53, 300; 4 + 10*6 = 64, 0.
; input 0: 1 2 3 4 5 6
; output 0: 31 100 42 0 53 300 64 0
isa 2
arch "base: clsa\n"
node 0 {name="values"}
section 0 "weights" hex { fe61fdfd fdfdfefd 07fdfdfd fdfd07fd }
section 1 "center" hex { 03000000 03000000 03000000 03000000 }
image 0 {k=4, n=4, element=i8, center=2}
binding 0 {index=0, element=u8, name="x0", shape=[6], stride_h=1, stride_w=1, stride_c=1, height=6, width=1, channels=1}
binding 1 {output=1, index=0, element=i32, name="y0", shape=[8], stride_h=2, stride_w=2, stride_c=1, height=4, width=1, channels=2}
tile 0 {buffer_bytes=40}
view 0 {address=0, element=u8, ring_rows=6, y1=6, x1=1, height=6, width=1, channels=1, row_pitch=1, col_pitch=1, channel_pitch=1}
view 1 {address=8, element=i32, ring_rows=4, y1=4, x1=1, height=4, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
group 0 {source_view=0, kernel_h=2, kernel_w=1, stride_h=1, stride_w=1, dilation_h=2, dilation_w=1, in_channels=1, x_bits=8, patch_h=2} [{k=2, n=2, runs=[0, 1, 2, 1]}, {k0=1, k=2, n0=2, n=1, pe=1, runs=[1, 1, 3, 1]}]
q3.load b0 dst=v0(0,0) h=6 w=1
q0.mvm g0 dst=v1(0,0) h=2 w=1 wait q3>=1
q0.mvm g0 dst=v1(2,0) h=2 w=1 wait q3>=1
q3.store b1 a=v1(0,0) h=4 w=1 wait q0>=2
