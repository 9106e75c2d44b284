; Issue takes time: an instruction follows the one before it 3 cycles later, or when its queue has a place.
isa 2
arch "base: clsa\nqueue_depth: 1\nissue_cycles: 3\n"
node 0 {name="layer"}
section 0 "weights" hex { 00000000 }
image 0 {k=1, n=1}
tile 0 {buffer_bytes=280}
view 0 {ring_rows=2, y1=2, x1=10, height=2, width=10, channels=1, row_pitch=40, col_pitch=4, channel_pitch=4}
view 1 {address=80, ring_rows=4, y1=4, x1=10, height=4, width=10, channels=1, row_pitch=40, col_pitch=4, channel_pitch=4}
view 2 {address=240, ring_rows=2, y1=2, x1=5, height=2, width=5, channels=1, row_pitch=20, col_pitch=4, channel_pitch=4}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1} [{k=1, n=1}]
group 1 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1} [{k=1, n=1, pe=1}]
q0.mvm g0 dst=v1(0,0) h=1 w=5                                      ; [0, 0, 5, 5]
q0.mvm g0 dst=v1(1,0) h=1 w=5                                      ; [3, 5, 10, 10]
q0.mvm g0 dst=v1(2,0) h=1 w=5                                      ; [6, 10, 15, 15]
q0.mvm g0 dst=v1(3,0) h=1 w=5                                      ; [10, 15, 20, 20]
q1.mvm g1 dst=v2(0,0) h=2 w=5                                      ; [13, 13, 23, 23]
