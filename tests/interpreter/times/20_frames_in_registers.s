; Frames of a machine of registers. The store of iteration 0 is skipped, but it is dispatched, starts and is counted like any other.
isa 2
frames 3
pace 4
arch "base: clsa\ndram_cycles: 2\nissue_cycles: 1\nstart_cycles: 4\ncomplete_cycles: 2\ninflight: 2\n"
node 0 {name="layer"}
section 0 "weights" hex { 00000040 }
image 0 {k=1, n=1}
binding 0 {name="x", shape=[3], stride_w=1, height=1, width=3, channels=1, frame_stride=3}
binding 1 {output=1, name="y", shape=[3], stride_w=1, height=1, width=3, channels=1, frame_stride=3}
tile 0 {buffer_bytes=48}
view 0 {ring_rows=2, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=12, col_pitch=4, channel_pitch=4, frame_rows=1}
view 1 {address=24, ring_rows=2, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=12, col_pitch=4, channel_pitch=4, frame_rows=1}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1} [{k=1, n=1}]
q3.load b0 dst=v0(0,0) h=1 w=3 y=0 x=0 c=0 wait i1022>=1, q0>=-1   ; [0, 4, 6, 8] [4, 12, 14, 16] [8, 25, 27, 29]
q3.store b1 a=v1(0,0) h=1 w=3 y=0 x=0 c=0 stage=1 wait q0>=0       ; [5, 21, 23, 25] [9, 29, 31, 33] [13, 42, 44, 46]
q0.mvm g0 dst=v1(0,0) h=1 w=3 wait q3>=1                           ; [2, 12, 15, 17] [6, 20, 23, 25] [10, 33, 36, 38]
q1.wait wait q3>=2                                                 ; [3, 14, 14, 16] [7, 29, 29, 31] [11, 37, 37, 39]
