; Two conv groups of one channel, kernels (1, 2) and (3, 4), stride 2, one column of padding, two pixels a product: a window of 4 columns, the crossbar's diagonal has 4 rows for each group.
; Pixels read (0, x0), (x1, x2), (x3, x4). Channel 0: 2*1 = 2, 2 + 2*3 = 8, 4 + 2*5 = 14. Channel 1: 4*10 = 40, 3*20 + 4*30 = 180, 3*40 + 4*50 = 320.
; input 0: 1 10 2 20 3 30 4 40 5 50
; output 0: 2 40 8 180 14 320
isa 2
arch "base: clsa\n"
node 0 {name="values"}
section 0 "weights" hex { 01000300 02000400 00010003 00020004 }
image 0 {k=4, n=4, element=i8}
binding 0 {index=0, element=u8, name="x0", shape=[10], stride_h=10, stride_w=2, stride_c=1, height=1, width=5, channels=2}
binding 1 {output=1, index=0, element=i32, name="y0", shape=[6], stride_h=6, stride_w=2, stride_c=1, height=1, width=3, channels=2}
tile 0 {buffer_bytes=36}
view 0 {address=0, element=u8, ring_rows=1, y1=1, x1=5, height=1, width=5, channels=2, row_pitch=10, col_pitch=2, channel_pitch=1}
view 1 {address=12, element=i32, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=2, row_pitch=24, col_pitch=8, channel_pitch=4}
group 0 {source_view=0, kernel_h=1, kernel_w=2, stride_h=1, stride_w=2, dilation_h=1, dilation_w=1, pad_left=1, in_channels=2, conv_groups=2, x_bits=8, patch_w=2} [{k=4, n=4}]
q3.load b0 dst=v0(0,0) h=1 w=5
q0.mvm g0 dst=v1(0,0) h=1 w=2 wait q3>=1
q0.mvm g0 dst=v1(0,2) h=1 w=1 wait q3>=1
q3.store b1 a=v1(0,0) h=1 w=3 wait q0>=2
